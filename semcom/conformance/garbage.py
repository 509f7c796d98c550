"""What may stand in a packet although its CRC holds: garbage, damage, and a few bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from semcom.codecs.base import DecodeError, DigitalCodec
from semcom.conformance.base import CheckFailed, told
from semcom.conformance.promises import GARBAGE
from semcom.conformance.trial import attempt, check_image

Packets = list[bytes]


def replaced(packets: Sequence[bytes], keep: int, garbage: bytes) -> Packets:
    """Put ``garbage`` behind the first ``keep`` bytes of every packet."""
    return [packet[:keep] + garbage for packet in packets]


def flipped(packets: Sequence[bytes], flips: int, rng: np.random.Generator) -> Packets:
    """Flip ``flips`` random bits of every packet."""
    damaged = []
    for packet in packets:
        data = bytearray(packet)
        for position in rng.integers(0, 8 * len(data), flips):
            data[position // 8] ^= 1 << position % 8
        damaged.append(bytes(data))
    return damaged


def cut(packets: Sequence[bytes], share: float) -> Packets:
    """Keep this share of every packet, and at least a byte."""
    return [packet[: max(1, round(share * len(packet)))] for packet in packets]


def cases(packets: Sequence[bytes]) -> Iterator[tuple[str, Packets]]:
    """Make garbage and damage of the packets of a small picture, and say what it is."""
    rng = np.random.default_rng(0)
    for keep in range(13):
        length = int(rng.integers(1, 400))
        what = f"{length} random bytes behind the first {keep}"
        yield what, replaced(packets, keep, rng.bytes(length))
    for flips in (1, 1, 1, 2, 2, 3, 5, 8, 20, 100):
        yield f"{flips} bits flipped", flipped(packets, flips, rng)
    for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98):
        yield f"the first {share:.0%} of every packet", cut(packets, share)


def few_bytes(packets: Sequence[bytes]) -> Iterator[tuple[str, Packets]]:
    """Make garbage that is short and may announce something huge."""
    rng = np.random.default_rng(0)
    for keep in range(13):
        tail = rng.bytes(8) if keep % 3 == 2 else b"\xff" * 8
        yield f"the bytes {tail.hex()} behind the first {keep}", replaced(packets, keep, tail)


def check_harmless(
    codec: DigitalCodec,
    packets: Packets,
    height: int,
    width: int,
    *,
    limit_s: float,
    what: str = "garbage",
) -> None:
    """Check that ``packets`` give an error or an image, and that soon.

    Raises
    ------
    CheckFailed
        Another exception, another image, or no end within ``limit_s``.
    """
    asked = f"decode a picture of {width}x{height} from {what} ({packets[0][:12].hex()}…)"
    shown = attempt(codec, packets, height, width, limit_s)
    if isinstance(shown, DecodeError):
        return
    if isinstance(shown, Exception):
        raise CheckFailed(asked, told(shown), GARBAGE) from shown
    check_image(shown, height, width, asked=asked, promise=GARBAGE)
