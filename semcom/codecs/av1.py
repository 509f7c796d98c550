"""AV1 intra through libaom, 4:4:4 at 10 bit in a colour space for PSNR; close to the best there is.

``w`` cannot steer it. Everything before the frame's payload (AV1 specification, 5.3) follows from
the size and the encoder's speed, so the receiver rebuilds it; a packet is one byte with the speed,
then that payload. Encoder and decoder (dav1d) run in a process of their own,
:mod:`semcom.codecs.ffmpeg`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from semcom.codecs import ffmpeg, obu
from semcom.codecs.base import BudgetTooSmallError, DecodeError, grey, weighted_gain
from semcom.codecs.colour import from_planes, to_planes
from semcom.rate_control import best_level
from semcom.types import Bitstream, Image, Map, Packet

_MAX_CRF = 63
_LEVELS = range(_MAX_CRF)  # CRF 63 to 1; 0 would be another, lossless mode
_SPEEDS = range(9)
_SLOPE = 0.06  # typical growth of ln(size) for one CRF less
_QUICK, _QUICK_EXCESS = 8, 1.06  # an effort for guesses, and its typical size against effort 2


class Av1:
    """libaom's all-intra mode; one packet.

    Parameters
    ----------
    cpu_used
        libaom's speed, 0 (best) to 8 (fastest).
    """

    steerable = False

    def __init__(self, *, cpu_used: int = 2) -> None:
        if cpu_used not in _SPEEDS:
            raise ValueError(f"av1: cpu_used must be 0 to 8, got {cpu_used}")
        self.cpu_used = cpu_used

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest CRF that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        frames: dict[int, bytes] = {}

        def size_bits(level: int) -> int:
            known, payload = _encode(image, _MAX_CRF - level, self.cpu_used)
            if known != _known(height, width, self.cpu_used):
                raise RuntimeError("libaom wrote headers that the receiver cannot know")
            frames[level] = bytes([self.cpu_used]) + payload
            return 8 * len(frames[level])

        guess = _guess(image, max_bits)
        level = best_level(size_bits, _LEVELS, max_bits, guess=guess, slope=_SLOPE)
        data = frames[level]
        gain = weighted_gain(image, self.decode([data], height, width), w)
        return Bitstream((Packet(data, gain),), {"crf": _MAX_CRF - level})

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        (data,) = packets
        if data is None:
            return grey(height, width)
        if not data or data[0] not in _SPEEDS:
            raise DecodeError("not an AV1 packet: its first byte must be a speed, 0 to 8")
        stream = _known(height, width, data[0]) + obu.frame(data[1:])
        source = ["-f", "obu", "-c:v", "libdav1d"]
        picture = ffmpeg.decode(stream, source, "yuv444p10le", height, width)
        return from_planes(np.frombuffer(picture, "<u2").reshape(3, height, width))


def _guess(image: Image, max_bits: int) -> int:
    """Where a slow search should begin: the answer at a low effort."""

    def size_bits(level: int) -> int:
        return 8 * len(_encode(image, _MAX_CRF - level, _QUICK)[1])

    budget = round(max_bits * _QUICK_EXCESS)
    try:
        return best_level(size_bits, _LEVELS, budget, guess=25, slope=_SLOPE, tolerance=0.06)
    except BudgetTooSmallError:
        return _LEVELS[0]


def _encode(image: Image, crf: int, cpu_used: int) -> tuple[bytes, bytes]:
    """Return what comes before the frame, and the frame's payload."""
    options = {
        "c:v": "libaom-av1",
        "usage": "allintra",
        "still-picture": "1",
        "cpu-used": str(cpu_used),
        "crf": str(crf),
        "b:v": "0",
        "f": "obu",
    }
    output = [word for name, value in options.items() for word in (f"-{name}", value)]
    height, width = image.shape[:2]
    picture = to_planes(image).astype("<u2").tobytes()
    return obu.split(ffmpeg.encode(picture, "yuv444p10le", height, width, output))


@functools.lru_cache(maxsize=64)
def _known(height: int, width: int, cpu_used: int) -> bytes:
    """Temporal delimiter and sequence header of every picture of this size."""
    return _encode(grey(height, width), _MAX_CRF, cpu_used)[0]
