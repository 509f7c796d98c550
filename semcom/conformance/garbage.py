"""Input that may arrive although all CRCs hold: garbage, damage, and frames that nobody sent."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from semcom.codecs.base import DigitalCodec
from semcom.conformance.base import Candidate, CheckFailed
from semcom.conformance.calls import check_harmless
from semcom.conformance.memory import grown_bytes, start_measuring

Packets = list[bytes]
Frame = list[bytes | None]

_COUNTS = (0, 1, 2, 3, 16, 255)
_SIZES = ((1, 1), (1, 65_535), (65_535, 1), (20, 65_535), (65_535, 20), (2_000, 3_000))
_MORE_TIME = 2_000_000  # pixels that are allowed as much time again as a small picture
_MORE_BYTES = 100  # per pixel


def replaced(packets: Sequence[bytes], keep: int, garbage: bytes) -> Packets:
    """Replace everything after the first ``keep`` bytes of every packet by ``garbage``."""
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
    """Keep this share of every packet, at least one byte."""
    return [packet[: max(1, round(share * len(packet)))] for packet in packets]


def cases(packets: Sequence[bytes]) -> Iterator[tuple[str, Packets]]:
    """Yield garbage and damaged packets of a small picture, with descriptions."""
    rng = np.random.default_rng(0)
    for keep in range(13):
        length = int(rng.integers(1, 400))
        what = f"{length} random bytes after the first {keep}"
        yield what, replaced(packets, keep, rng.bytes(length))
    for flips in (1, 1, 1, 2, 2, 3, 5, 8, 20, 100):
        yield f"{flips} bits flipped", flipped(packets, flips, rng)
    for share in (0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98):
        yield f"the first {share:.0%} of every packet", cut(packets, share)


def few_bytes(packets: Sequence[bytes]) -> Iterator[tuple[str, Packets]]:
    """Yield short garbage that may announce something huge."""
    rng = np.random.default_rng(0)
    for keep in range(13):
        tail = rng.bytes(8) if keep % 3 == 2 else b"\xff" * 8
        yield f"the bytes {tail.hex()} after the first {keep}", replaced(packets, keep, tail)


def frames(
    packets: Sequence[bytes], size: tuple[int, int]
) -> Iterator[tuple[str, Frame, int, int]]:
    """Yield frames that nobody sent, made of the packets of a picture of ``size`` (H, W)."""
    for count in _COUNTS:
        some = list(itertools.islice(itertools.cycle(packets), count))
        yield f"{count} lost packets", [None] * count, *size
        yield f"{count} packets", [*some], *size
        yield f"{count} packets with every second one lost", _every_other(some), *size
    yield "empty packets", [b""] * len(packets), *size
    rng = np.random.default_rng(0)
    for height, width in _SIZES:
        yield "packets of a smaller one", [*packets], height, width
        yield "200 random bytes", [*replaced(packets, 0, rng.bytes(200))], height, width
        damaged = replaced(packets, 4, rng.bytes(200))
        yield "200 random bytes after the first 4", [*damaged], height, width


def _every_other(packets: Sequence[bytes]) -> Frame:
    return [packet if i % 2 else None for i, packet in enumerate(packets)]


def check_frames(
    codec: DigitalCodec,
    packets: Sequence[bytes],
    size: tuple[int, int],
    candidate: Candidate,
    promise: str,
) -> str:
    """Check that frames that nobody sent give errors or images, in bounded time and memory.

    Return a remark; raise :class:`CheckFailed` otherwise.
    """
    start = start_measuring()
    for what, frame, height, width in frames(packets, size):
        limit_s = candidate.decode_limit_s * (1 + height * width / _MORE_TIME)
        check_harmless(codec, frame, height, width, limit_s=limit_s, what=what, promise=promise)
        growth = grown_bytes(start)
        if growth > candidate.max_growth_bytes + _MORE_BYTES * height * width:
            asked = f"decode a picture of {width}x{height} from {what}"
            raise CheckFailed(asked, f"{growth / 1e9:.2f} GB of memory used", promise)
    return "" if start.own else "this system does not report the use of memory"
