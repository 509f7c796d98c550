"""What ``semcom ber`` and ``semcom bler`` share: names of modulations, ranges and axes of SNR."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import torch

from channels.base import Channel, ChannelOutput
from channels.channels import CHANNELS
from channels.units import ebn0_db_from_esn0_db, esn0_db_from_ebn0_db, noise_var_from_snr_db

Axis: TypeAlias = Literal["esn0", "ebn0"]
AXIS_LABELS: dict[Axis, str] = {"esn0": "Es/N0, dB", "ebn0": "Eb/N0, dB"}

MODULATIONS = {"bpsk": 1, "qpsk": 2, "16qam": 4, "64qam": 6, "256qam": 8}
"""Bits per symbol by name."""
_LABELS = {1: "BPSK", 2: "QPSK", 4: "16-QAM", 6: "64-QAM", 8: "256-QAM"}
_MAX_POINTS = 1000


def parse_modulation(text: str) -> int:
    """Bits per symbol of ``"16qam"``, ``"16-QAM"`` or ``"4"``.

    Raises
    ------
    ValueError
        Anything else; square QAM takes an even number of bits.
    """
    name = text.strip().lower().replace("-", "").replace(" ", "")
    bits = MODULATIONS.get(name, int(name) if name.isdecimal() else None)
    if bits not in _LABELS:
        raise ValueError(
            f"modulation must be one of {', '.join(MODULATIONS)}, or "
            f"{', '.join(map(str, _LABELS))} bits per symbol, got {text.strip()!r}"
        )
    return bits


def modulation_name(bits_per_symbol: int) -> str:
    """For people: ``"16-QAM"``."""
    return _LABELS[bits_per_symbol]


def parse_snrs(text: str) -> tuple[float, ...]:
    """SNRs in dB from ``"0,2,5.5"``, ``"0:20:2"`` (both ends included) or both, rising.

    Raises
    ------
    ValueError
        What is no number, NaN and infinity, a step that is not positive, an empty range, or more
        than 1000 points.

    Examples
    --------
    >>> parse_snrs("0:1:0.5,3")
    (0.0, 0.5, 1.0, 3.0)
    """
    values: set[float] = set()
    for part in text.split(","):
        numbers = [_number(number, text) for number in part.split(":")]
        if len(numbers) == 1:
            values.add(numbers[0])
        elif len(numbers) in (2, 3):
            values.update(_steps(*numbers))
        else:
            raise ValueError(f"an SNR range is FIRST:LAST or FIRST:LAST:STEP, got {part!r}")
    if len(values) > _MAX_POINTS:
        raise ValueError(f"at most {_MAX_POINTS} SNRs, got {len(values)} from {text!r}")
    return tuple(sorted(values))


def _number(text: str, whole: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"SNRs are numbers of dB such as 0,2,4 or 0:20:2, got {whole!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"SNR must be a finite number of dB, got {text.strip()}")
    return value


def _steps(first: float, last: float, step: float = 1.0) -> list[float]:
    if step <= 0 or last < first:
        raise ValueError(
            f"an SNR range rises by a positive step, got {first:g} to {last:g} by {step:g} dB"
        )
    count = (last - first) / step
    if count >= _MAX_POINTS:
        raise ValueError(f"at most {_MAX_POINTS} SNRs, got {first:g} to {last:g} by {step:g} dB")
    # The tolerance keeps a last point that is there but for rounding.
    return [round(first + i * step, 9) for i in range(math.floor(count + 1e-9) + 1)]


def check_axis(axis: str) -> Axis:
    """Raise ``ValueError`` unless ``axis`` is ``"esn0"`` or ``"ebn0"``."""
    for choice in get_args(Axis):
        if axis == choice:
            return axis  # type: ignore[return-value]
    raise ValueError(f"axis must be one of {', '.join(get_args(Axis))}, got {axis!r}")


def to_esn0(snr_db: float, axis: Axis, bits_per_symbol: int, code_rate: float = 1.0) -> float:
    """Es/N0 in dB of a value on the axis."""
    return snr_db if axis == "esn0" else esn0_db_from_ebn0_db(snr_db, bits_per_symbol, code_rate)


def from_esn0(snr_db: float, axis: Axis, bits_per_symbol: int, code_rate: float = 1.0) -> float:
    """Return the value on the axis of this Es/N0 in dB."""
    return snr_db if axis == "esn0" else ebn0_db_from_esn0_db(snr_db, bits_per_symbol, code_rate)


def create_channel(spec: str) -> Channel:
    """Build the channel that ``spec`` describes; ``ValueError`` if there is none."""
    channel: Channel = CHANNELS.create(spec)
    return channel


def pass_channel(spec: str, x: torch.Tensor, snr_db: float, rng: torch.Generator) -> ChannelOutput:
    """Send symbols (transmissions, num_symbols) across a fresh channel at Es/N0 ``snr_db``."""
    return create_channel(spec)(x, noise_var_from_snr_db(snr_db), rng)
