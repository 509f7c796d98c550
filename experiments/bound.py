"""A bound: the same codec with as many payload bits as the channel's capacity carries.

``capacity·uses`` bits, decoded without any channel: no header, no CRC, no parity, no losses. No
code reaches it at a finite length, so that its bits are never sent bits, and whatever shows them
says "bound". The capacity is that of a receiver that knows the gain: ``log2(1 + SNR)`` on AWGN, its
mean over the gain where that is fresh for every symbol (:func:`channels.theory.rayleigh_capacity`).
A gain that stays has no such rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from channels.theory import rayleigh_capacity
from channels.units import awgn_capacity, symbol_budget
from experiments.store import Row
from semcom.attention import Attention
from semcom.codecs.base import digital
from semcom.images import digest
from semcom.scores import score
from semcom.session import versions
from semcom.types import Image

CAPACITIES: dict[str, Callable[[float], float]] = {
    "awgn": awgn_capacity,
    "rayleigh_fast": lambda snr_db: float(rayleigh_capacity(snr_db)),
}
"""Bits per complex channel use at a mean SNR in dB, by the channel's name."""


def capacity(channel: str, snr_db: float) -> float:
    """Capacity of a channel in bits per complex use.

    Raises
    ------
    ValueError
        A channel for which none is known.
    """
    name = channel.partition(":")[0]
    if name not in CAPACITIES:
        choices = ", ".join(CAPACITIES)
        raise ValueError(f"no capacity, so no bound, for channel {channel!r}; choices: {choices}")
    return CAPACITIES[name](snr_db)


def bound_system(codec: str, *, blind: bool) -> str:
    """Name the bound of a blind system, or of one by importance, as it is shown."""
    return f"bound: {codec} at capacity" + ("" if blind else ", by importance")


def bound(
    image: Image,
    seen: Attention,
    source: str | None,
    *,
    codec: str,
    cbr: Fraction,
    channel: str,
    snr_db: float,
    blind: bool,
) -> tuple[Row, Image]:
    """Code an image at capacity; return the record and the decoded picture.

    Parameters
    ----------
    image, seen, source, codec, cbr, blind
        As for :func:`semcom.session.send_attended`.
    channel, snr_db
        Whose capacity is taken.

    Raises
    ------
    ValueError
        No capacity is known, or not even the smallest stream fits.
    """
    height, width = image.shape[:2]
    bits_per_use = capacity(channel, snr_db)
    max_bits = 8 * math.floor(bits_per_use * symbol_budget(cbr, height, width) / 8)
    w = (seen.importance.blind() if blind else seen.importance).w
    stream = digital(codec).encode(image, w, max_bits)
    # From bytes alone: a receiver does not know the encoder's options either.
    decoder = digital(codec.partition(":")[0])
    decoded = decoder.decode([packet.data for packet in stream.packets], height, width)
    scores = score(image, decoded, seen.importance)
    record = {
        "image": source,
        "sha256": digest(image),
        "height": height,
        "width": width,
        **seen.record,
        "system": bound_system(codec, blind=blind),
        "theta": seen.importance.theta,
        "region_area": float(seen.importance.region.mean()),
        "codec": codec,
        "channel": channel,
        "snr_db": snr_db,
        "cbr_budget": float(cbr),
        "capacity": bits_per_use,
        "encoder": stream.info,
        "num_bits": stream.num_bits,
        "cbr": stream.num_bits / bits_per_use / image.size,
        "packets_sent": len(stream.packets),
        "packets_received": len(stream.packets),
        **{n: v if v is not None and math.isfinite(v) else None for n, v in scores.items()},
        "versions": versions(),
    }
    return record, decoded
