"""VVC intra (ITU-T H.266) through VVenC, 4:2:0 at 10 bit: the upper bound of practical coding.

The importance map ``w`` cannot steer it, because VVenC takes no map of qualities. The parameter
sets follow from the size and the preset, so the receiver rebuilds them. A packet consists of one
byte with the preset, the filter parameters and the slice. Encoder and decoder run in a process of
their own, :mod:`semcom.codecs.parts.ffmpeg`, because this decoder has hung on damaged bytes.

Pictures use the colour space of :mod:`semcom.codecs.parts.colour`, which has orthogonal axes.
Chroma gets a lower QP, because it is subsampled by two in each direction.

One QP changes the size by 9 %. Sizes between two QPs are reached through the encoder's Lagrange
multiplier, which weighs bits against error in its decisions, in steps below 1 %. The receiver need
not know it.

With ``tune=ssim``, the sender lowers the fine frequencies, at which MS-SSIM sees little of an
error, and the receiver raises them again (:mod:`semcom.codecs.quantiser.noise_shaping`); 8 is added
to the first byte. VVenC's own perceptual mode (``qpa``) lowers MS-SSIM on some photos.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np

from semcom.codecs.base import (
    DecodeError,
    check_sides,
    grey,
    only_packet,
    weighted_gain,
)
from semcom.codecs.parts import ffmpeg
from semcom.codecs.parts.colour import Planes, from_planes, to_planes
from semcom.codecs.parts.ffmpeg import FfmpegError
from semcom.codecs.parts.rate_control import best_level, guess_level
from semcom.codecs.quantiser.noise_shaping import POWER, shaped
from semcom.codecs.quantiser.perception import Tune, check_tune
from semcom.errors import InputError
from semcom.types import Bitstream, Image, Map, Packet

_PRESETS = ("faster", "fast", "medium", "slow", "slower")
_TUNED = 8  # added to the number of the preset
_MAX_QP = 63
_FINE = 16  # levels per QP
_LEVELS = range((_MAX_QP + 1) * _FINE)
_MULTIPLIERS = 1.26 * 0.63 ** (np.arange(_FINE) / _FINE)  # factors of the Lagrange multiplier
_SLOPE = 0.1  # typical growth of ln(size) for one QP less
_QUICK_EXCESS = 1.12  # typical size of a stream at the fastest preset against medium
_MIN_SIDE, _STEP = 32, 8  # pixels; VVenC accepts 16, but encode_planes says why that is too small
_MAX_SIDE = 25_328  # pixels: √(8·MaxLumaPs) of level 6.3 (H.266, A.4.1), in such steps
_START = b"\x00\x00\x00\x01"
_PARAMETER_SETS = (15, 16, 20)  # unit types of SPS, PPS and access unit delimiter
_FULL = "yuv444p10le"
_RESAMPLE = "flags=lanczos+accurate_rnd+full_chroma_int"  # for chroma in both directions
_CHROMA = ":".join(f"{c}QpOffset{tree}=-3" for c in ("Cb", "Cr") for tree in ("", "DualTree"))


class Vvc:
    """VVC coding by VVenC, in one packet.

    Parameters
    ----------
    preset
        Effort of VVenC: faster, fast, medium, slow or slower.
    tune
        ``psnr``, or ``ssim`` for a better SSIM over several scales (MS-SSIM) at the price of PSNR.
    """

    steerable = False

    def __init__(self, *, preset: str = "medium", tune: Tune = "psnr") -> None:
        if preset not in _PRESETS:
            raise InputError(f"vvc: unknown preset {preset!r}; choices: {', '.join(_PRESETS)}")
        check_tune("vvc", tune)
        self.preset, self._tune = preset, tune

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest QP that fits, in fractions of one; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        check_sides("vvc", height, width, _MAX_SIDE)
        planes, tag = _planes(image), _PRESETS.index(self.preset)
        if self._tune == "ssim":
            planes, tag = shaped(planes), tag + _TUNED
        known = _known(*_padded(height, width), self.preset)
        streams: dict[int, bytes] = {}

        def size_bits(level: int) -> int:
            stream = encode_planes(planes, level, self.preset)
            if stream is None:
                return _beyond(planes, max_bits)
            sets, body = split(stream)
            if sets != known:
                raise RuntimeError("VVenC wrote parameter sets that the receiver cannot know")
            streams[level] = bytes([tag]) + body
            return 8 * len(streams[level])

        guess, slope = _guess(planes, max_bits + 8 * len(known)), _SLOPE / _FINE
        level = best_level(size_bits, _LEVELS, max_bits, guess=guess, slope=slope)
        data = streams[level]
        gain = weighted_gain(image, self.decode([data], height, width), w)
        info: dict[str, float | str] = {"qp": _MAX_QP - level / _FINE, "preset": self.preset}
        if self._tune != "psnr":
            info["tune"] = self._tune
        return Bitstream((Packet(data, gain),), info)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        data = only_packet("vvc", packets)
        if data is None:
            return grey(height, width)
        if not data or (preset := data[0] & ~_TUNED) >= len(_PRESETS):
            raise DecodeError("not a VVC packet: it must begin with the number of a preset")
        check_sides("vvc", height, width, _MAX_SIDE, DecodeError)
        rows, columns = _padded(height, width)
        try:
            stream = _known(rows, columns, _PRESETS[preset]) + _START + data[1:]
        except FfmpegError as error:
            raise DecodeError(str(error)) from None
        planes = decode_planes(stream, rows, columns)
        if data[0] & _TUNED:
            planes = shaped(planes, -POWER)
        return from_planes(planes[:, :height, :width])


def _guess(planes: Planes, max_bits: int) -> int:
    """Return the level at which the search should begin, found with the fastest preset."""

    def size_bits(step: int) -> int:
        stream = encode_planes(planes, step * _FINE, _PRESETS[0])
        return _beyond(planes, max_bits) if stream is None else 8 * len(stream)

    search = functools.partial(guess_level, levels=range(_MAX_QP + 1), slope=_SLOPE)
    return _FINE * search(size_bits, max_bits * _QUICK_EXCESS, guess=35, tolerance=0.1)


def _planes(image: Image) -> Planes:
    """Convert an image to planes, padded to a size that VVenC accepts."""
    height, width = image.shape[:2]
    rows, columns = _padded(height, width)
    return np.pad(to_planes(image), ((0, 0), (0, rows - height), (0, columns - width)), mode="edge")


def encode_planes(
    planes: Planes, level: int, preset: str, parameters: str = "", *, limited: bool = False
) -> bytes | None:
    """Encode one picture; return None if it takes more than a byte per pixel.

    FFmpeg gives VVenC a buffer of one byte per pixel, and fails if it overflows.

    Parameters
    ----------
    planes
        See :mod:`semcom.codecs.parts.colour`; their sides are multiples of 8, at least 32.
    level
        Quality in sixteenths of a QP: 0 for QP 63 to 1023.
    preset
        See :class:`Vvc`.
    parameters
        Further parameters of VVenC, each ``:Name=value``.
    limited
        See :func:`semcom.codecs.parts.ffmpeg.encode`.
    """
    steps, fine = divmod(level, _FINE)
    options = {
        "vf": f"scale={_RESAMPLE},format=yuv420p10le",
        "c:v": "libvvenc",
        "preset": preset,
        "qp": str(_MAX_QP - steps),
        "qpa": "0",
        "vvenc-params": f"{_CHROMA}:LambdaModifierI={_MULTIPLIERS[fine]:.4f}{parameters}",
        "f": "vvc",
    }
    output = [word for name, value in options.items() for word in (f"-{name}", value)]
    picture, (rows, columns) = planes.astype("<u2").tobytes(), planes.shape[1:]
    try:
        return ffmpeg.encode(picture, _FULL, rows, columns, output, limited=limited)
    except FfmpegError:
        if steps == 0:
            raise
        return None


def decode_planes(stream: bytes, rows: int, columns: int) -> Planes:
    """Decode one picture of a known size."""
    picture = ffmpeg.decode(stream, ["-f", "vvc"], _FULL, rows, columns, scale=_RESAMPLE)
    return np.frombuffer(picture, "<u2").reshape(3, rows, columns)


def _beyond(planes: Planes, max_bits: int) -> int:
    """Return a stand-in for the size in bits of a stream that is too large to be written."""
    return 2 * max(max_bits, 8 * planes.size // len(planes))


@functools.lru_cache(maxsize=64)
def _known(rows: int, columns: int, preset: str) -> bytes:
    """Return the parameter sets, with start codes, which all pictures of this size share."""
    stream = encode_planes(to_planes(grey(rows, columns)), _LEVELS[0], preset, limited=True)
    assert stream is not None
    return split(stream)[0]


def level_of(qp: int) -> int:
    """Return the level of a QP, 0 to 63."""
    return (_MAX_QP - qp) * _FINE


def split(stream: bytes) -> tuple[bytes, bytes]:
    """Split a stream after its parameter sets, and drop the start code that follows."""
    for start in re.finditer(b"\x00?\x00\x00\x01", stream):
        if stream[start.end() + 1] >> 3 not in _PARAMETER_SETS:
            return stream[: start.start()], stream[start.end() :]
    raise RuntimeError("VVenC wrote no picture")


def _padded(height: int, width: int) -> tuple[int, int]:
    rows, columns = (max(_MIN_SIDE, -(-side // _STEP) * _STEP) for side in (height, width))
    return rows, columns
