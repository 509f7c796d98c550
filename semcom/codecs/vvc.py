"""VVC intra (ITU-T H.266) through VVenC, 4:2:0 at 10 bit: the upper bound of practical coding.

``w`` cannot steer it: VVenC takes no map of qualities. The parameter sets follow from the size and
the preset, so the receiver rebuilds them; a packet is one byte with the preset, then filter
parameters and slice. Encoder and decoder run in a process of their own,
:mod:`semcom.codecs.ffmpeg`; this decoder was seen to hang on damaged bytes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np

from semcom.codecs import ffmpeg
from semcom.codecs.base import BudgetTooSmallError, DecodeError, grey, weighted_gain
from semcom.codecs.ffmpeg import FfmpegError
from semcom.rate_control import best_level
from semcom.types import Bitstream, Image, Map, Packet

_PRESETS = ("faster", "fast", "medium", "slow", "slower")
_MAX_QP = 63
_LEVELS = range(_MAX_QP + 1)
_SLOPE = 0.12  # typical growth of ln(size) for one QP less
_QUICK_EXCESS = 1.12  # typical size of a stream at the fastest preset against medium
_MIN_SIDE, _STEP = 32, 8  # pixels; VVenC takes 16, but see _encode about its buffer
_START = b"\x00\x00\x00\x01"
_PARAMETER_SETS = (15, 16, 20)  # unit types of SPS, PPS and access unit delimiter
# FFmpeg's conversion between RGB and 4:2:0, with "in" or "out" for the side that is YCbCr.
_COLOURS = "{0}_color_matrix=bt709:{0}_range=full:flags=lanczos+accurate_rnd+full_chroma_int"


class Vvc:
    """VVenC; one packet.

    Parameters
    ----------
    preset
        VVenC's effort: faster, fast, medium, slow or slower.
    """

    steerable = False

    def __init__(self, *, preset: str = "medium") -> None:
        if preset not in _PRESETS:
            raise ValueError(f"vvc: unknown preset {preset!r}; choices: {', '.join(_PRESETS)}")
        self.preset = preset

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest QP that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        tag = bytes([_PRESETS.index(self.preset)])
        known = _known(*_padded(height, width), self.preset)
        streams: dict[int, bytes] = {}

        def size_bits(level: int) -> int:
            stream = _encode(image, _MAX_QP - level, self.preset)
            if stream is None:
                return _beyond(image, max_bits)
            sets, body = _split(stream)
            if sets != known:
                raise RuntimeError("VVenC wrote parameter sets that the receiver cannot know")
            streams[level] = tag + body
            return 8 * len(streams[level])

        guess = _guess(image, max_bits + 8 * len(known))
        level = best_level(size_bits, _LEVELS, max_bits, guess=guess, slope=_SLOPE)
        data = streams[level]
        gain = weighted_gain(image, self.decode([data], height, width), w)
        return Bitstream((Packet(data, gain),), {"qp": _MAX_QP - level, "preset": self.preset})

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        (data,) = packets
        if data is None:
            return grey(height, width)
        if not data or data[0] >= len(_PRESETS):
            raise DecodeError(f"not a VVC packet: its first byte must be below {len(_PRESETS)}")
        rows, columns = _padded(height, width)
        stream = _known(rows, columns, _PRESETS[data[0]]) + _START + data[1:]
        picture = ffmpeg.decode(
            stream, ["-f", "vvc"], "rgb24", rows, columns, scale=_COLOURS.format("in")
        )
        return np.frombuffer(picture, np.uint8).reshape(rows, columns, 3)[:height, :width]


def _guess(image: Image, max_bits: int) -> int:
    """Where a slow search should begin: the answer for the fastest preset."""

    def size_bits(level: int) -> int:
        stream = _encode(image, _MAX_QP - level, _PRESETS[0])
        return _beyond(image, max_bits) if stream is None else 8 * len(stream)

    budget = round(max_bits * _QUICK_EXCESS)
    try:
        return best_level(size_bits, _LEVELS, budget, guess=26, slope=_SLOPE, tolerance=0.1)
    except BudgetTooSmallError:
        return _LEVELS[0]


def _encode(image: Image, qp: int, preset: str) -> bytes | None:
    """Encode one picture; None where it takes more than a byte per pixel.

    FFmpeg gives VVenC a buffer of that size, and fails where it overflows.
    """
    height, width = image.shape[:2]
    rows, columns = _padded(height, width)
    padding = ((0, rows - height), (0, columns - width), (0, 0))
    picture = np.pad(image, padding, mode="edge").tobytes()
    convert = f"scale={_COLOURS.format('out')},format=yuv420p10le"
    encoder = ["-c:v", "libvvenc", "-preset", preset, "-qp", str(qp), "-qpa", "0", "-f", "vvc"]
    try:
        return ffmpeg.encode(picture, "rgb24", rows, columns, ["-vf", convert, *encoder])
    except FfmpegError:
        if qp == _MAX_QP:
            raise
        return None


def _beyond(image: Image, max_bits: int) -> int:
    """Stand in for the size of a stream that is too large to be written, bits."""
    return 2 * max(max_bits, 8 * image[..., 0].size)


@functools.lru_cache(maxsize=64)
def _known(rows: int, columns: int, preset: str) -> bytes:
    """Parameter sets of every picture of this size, with start codes."""
    stream = _encode(grey(rows, columns), _MAX_QP, preset)
    assert stream is not None
    return _split(stream)[0]


def _split(stream: bytes) -> tuple[bytes, bytes]:
    """Part a stream behind its parameter sets; drop the start code that follows."""
    for start in re.finditer(b"\x00?\x00\x00\x01", stream):
        if stream[start.end() + 1] >> 3 not in _PARAMETER_SETS:
            return stream[: start.start()], stream[start.end() :]
    raise RuntimeError("VVenC wrote no picture")


def _padded(height: int, width: int) -> tuple[int, int]:
    rows, columns = (max(_MIN_SIDE, -(-side // _STEP) * _STEP) for side in (height, width))
    return rows, columns
