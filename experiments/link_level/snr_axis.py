"""Axes of SNR, and the channel by its name, for ``semcom ber`` and ``semcom bler``."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch

from channels.base import Channel, ChannelOutput
from channels.catalogue import CHANNELS
from channels.units import esn0_db_from_ebn0_db, noise_var_from_snr_db

Axis: TypeAlias = Literal["esn0", "ebn0"]
AXIS_LABELS: dict[Axis, str] = {"esn0": "Es/N0, dB", "ebn0": "Eb/N0, dB"}


def to_esn0(snr_db: float, axis: Axis, bits_per_symbol: int, code_rate: float = 1.0) -> float:
    """Es/N0 in dB of a value on the axis."""
    return snr_db if axis == "esn0" else esn0_db_from_ebn0_db(snr_db, bits_per_symbol, code_rate)


def create_channel(spec: str) -> Channel:
    """Build the channel that ``spec`` describes; ``ValueError`` if there is none."""
    channel: Channel = CHANNELS.create(spec)
    return channel


def pass_channel(spec: str, x: torch.Tensor, snr_db: float, rng: torch.Generator) -> ChannelOutput:
    """Send symbols (transmissions, num_symbols) across a fresh channel at Es/N0 ``snr_db``."""
    return create_channel(spec)(x, noise_var_from_snr_db(snr_db), rng)
