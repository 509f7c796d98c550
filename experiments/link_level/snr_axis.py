"""SNR axes and the creation of channels for ``semcom ber`` and ``semcom bler``."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

from channels.base import Channel, ChannelOutput, send_over
from channels.catalogue import CHANNELS
from channels.units import esn0_db_from_ebn0_db, noise_var_from_snr_db

Axis: TypeAlias = Literal["esn0", "ebn0"]
AXIS_LABELS: dict[Axis, str] = {"esn0": "Es/N0, dB", "ebn0": "Eb/N0, dB"}


def to_esn0(snr_db: float, axis: Axis, bits_per_symbol: int, code_rate: float = 1.0) -> float:
    """Convert a value on the axis to Es/N0 in dB.

    Examples
    --------
    >>> round(to_esn0(1.0, "ebn0", bits_per_symbol=2, code_rate=0.75), 2)
    2.76
    """
    return snr_db if axis == "esn0" else esn0_db_from_ebn0_db(snr_db, bits_per_symbol, code_rate)


def create_channel(spec: str) -> Channel:
    """Build the channel that ``spec`` describes; raise ``ValueError`` if it is unknown."""
    channel: Channel = CHANNELS.create(spec)
    return channel


def pass_channel(spec: str, x: torch.Tensor, snr_db: float, rng: torch.Generator) -> ChannelOutput:
    """Send symbols (transmissions, num_symbols) across a new channel at Es/N0 ``snr_db``."""
    return send_over(create_channel(spec), x, noise_var_from_snr_db(snr_db), rng)
