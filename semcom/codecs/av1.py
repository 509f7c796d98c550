"""AV1 intra through libaom, 4:4:4 at 10 bit in a colour space for PSNR; close to the best known.

The importance map ``w`` cannot steer it. Everything before the frame's payload (AV1 specification,
5.3) follows from the size and the encoder's speed, so the receiver rebuilds it. A packet consists
of a byte with the speed, a byte with a scale, and that payload. Encoder and decoder (dav1d) run in
a process of their own, :mod:`semcom.codecs.parts.ffmpeg`.

A step of libaom's quality changes the size by 4 to 10 %. For sizes between two steps, the planes
are scaled down before coding, which has the effect of an intermediate quantiser.

With ``tune=ssim``, libaom makes the picture better where it varies little, since strong texture
hides an error: its own ``tune=ssim`` weighs bits against error for each block by the variance
there, and its *Variance Boost* (``deltaq-mode=6``) lowers the quantiser. The receiver need not know
it, because the payload has the quantiser of each block.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from semcom.codecs.base import (
    DecodeError,
    grey,
    only_packet,
    weighted_gain,
)
from semcom.codecs.parts import ffmpeg, obu
from semcom.codecs.parts.colour import Planes, from_planes, to_planes
from semcom.codecs.parts.ffmpeg import FfmpegError
from semcom.codecs.parts.rate_control import best_level, guess_level
from semcom.codecs.quantiser.perception import Tune, check_tune
from semcom.errors import InputError
from semcom.types import Bitstream, Image, Map, Packet

_MAX_CRF = 63
_FINE = 8  # levels per CRF
_LEVELS = range((_MAX_CRF - 1) * _FINE + 1)  # CRF 63 to 1; 0 would be another, lossless mode
# Range of the scaling: at least the ratio between the quantisers of neighbouring CRFs.
_SPANS = np.interp(range(_MAX_CRF + 1), [1, 4, 8, 16, 50, 63], [0.33, 0.17, 0.11, 0.07, 0.07, 0.13])
_SCALE_STEPS = 512  # a byte s stands for the factor 1 - s/512
_SPEEDS = range(9)
_PARAMETERS: dict[Tune, str] = {"psnr": "", "ssim": "tune=ssim:deltaq-mode=6"}
_HEAD_BYTES = 2
_PEAK, _MIDDLE = 1023, 512  # largest value of the planes; middle of the chroma planes
_SLOPE = 0.06  # typical growth of ln(size) for one CRF less
_QUICK, _QUICK_EXCESS = 8, 1.06  # a speed for guesses, and its typical size against speed 2


class Av1:
    """AV1 coding by libaom's all-intra mode, in one packet.

    Parameters
    ----------
    cpu_used
        Speed of libaom, 0 (best compression) to 8 (fastest).
    tune
        ``psnr``, or ``ssim`` for a better SSIM over several scales (MS-SSIM) at the price of PSNR.
    """

    steerable = False

    def __init__(self, *, cpu_used: int = 2, tune: Tune = "psnr") -> None:
        if cpu_used not in _SPEEDS:
            raise InputError(f"av1: cpu_used must be 0 to 8, got {cpu_used}")
        check_tune("av1", tune)
        self.cpu_used, self._tune = cpu_used, tune

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest CRF that fits, in fractions of one; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        planes, parameters = to_planes(image), _PARAMETERS[self._tune]
        frames: dict[int, bytes] = {}

        def size_bits(level: int) -> int:
            steps, coarser = -(-level // _FINE), -level % _FINE
            crf = _MAX_CRF - steps
            head = bytes([self.cpu_used, round(_SCALE_STEPS * _SPANS[crf] * coarser / _FINE)])
            scaled = _scale(planes, _factor(head))
            known, payload = encode_planes(scaled, crf, self.cpu_used, parameters)
            if known != _known(height, width, self.cpu_used):
                raise RuntimeError("libaom wrote headers that the receiver cannot know")
            frames[level] = head + payload
            return 8 * len(frames[level])

        guess, slope = _guess(planes, max_bits, parameters), _SLOPE / _FINE
        level = best_level(size_bits, _LEVELS, max_bits, guess=guess, slope=slope)
        data = frames[level]
        gain = weighted_gain(image, self.decode([data], height, width), w)
        info: dict[str, float | str] = {"crf": _MAX_CRF - level / _FINE}
        if self._tune != "psnr":
            info["tune"] = self._tune
        return Bitstream((Packet(data, gain),), info)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        data = only_packet("av1", packets)
        if data is None:
            return grey(height, width)
        head, payload = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
        if len(head) < _HEAD_BYTES or head[0] not in _SPEEDS:
            raise DecodeError("not an AV1 packet: it must begin with a speed, 0 to 8, and a scale")
        try:
            stream = _known(height, width, head[0]) + obu.frame(payload)
        except FfmpegError as error:
            raise DecodeError(str(error)) from None
        return from_planes(_scale(decode_planes(stream, height, width), 1 / _factor(head)))


def _guess(planes: Planes, max_bits: int, parameters: str) -> int:
    """Return the level at which the search should begin, found with a fast encoder."""

    def size_bits(step: int) -> int:
        return 8 * len(encode_planes(planes, _MAX_CRF - step, _QUICK, parameters)[1])

    search = functools.partial(guess_level, levels=range(_MAX_CRF), slope=_SLOPE)
    return _FINE * search(size_bits, max_bits * _QUICK_EXCESS, guess=25, tolerance=0.06)


def _factor(head: bytes) -> float:
    return 1 - head[1] / _SCALE_STEPS


def _scale(planes: Planes, factor: float) -> Planes:
    """Scale luma relative to black, and chroma relative to its middle value."""
    zero = np.array([0, _MIDDLE, _MIDDLE], dtype=np.float32).reshape(3, 1, 1)
    scaled: Planes = np.clip(np.rint((planes - zero) * factor + zero), 0, _PEAK).astype(np.uint16)
    return scaled


def encode_planes(
    planes: Planes, crf: int, cpu_used: int, parameters: str = "", *, limited: bool = False
) -> tuple[bytes, bytes]:
    """Encode one picture; return the headers before the frame, and the frame's payload.

    Parameters
    ----------
    planes
        See :mod:`semcom.codecs.parts.colour`.
    crf
        Constant quality of libaom, 1 (best) to 63.
    cpu_used
        See :class:`Av1`.
    parameters
        Further parameters of libaom, ``name=value`` with colons between them.
    limited
        See :func:`semcom.codecs.parts.ffmpeg.encode`.
    """
    options = {
        "c:v": "libaom-av1",
        "usage": "allintra",
        "still-picture": "1",
        "cpu-used": str(cpu_used),
        "crf": str(crf),
        "b:v": "0",
        **({"aom-params": parameters} if parameters else {}),
        "f": "obu",
    }
    output = [word for name, value in options.items() for word in (f"-{name}", value)]
    picture, (height, width) = planes.astype("<u2").tobytes(), planes.shape[1:]
    stream = ffmpeg.encode(picture, "yuv444p10le", height, width, output, limited=limited)
    return obu.split(stream)


def decode_planes(stream: bytes, height: int, width: int) -> Planes:
    """Decode one picture from its headers and its frame (:func:`semcom.codecs.parts.obu.frame`)."""
    source = ["-f", "obu", "-c:v", "libdav1d"]
    picture = ffmpeg.decode(stream, source, "yuv444p10le", height, width)
    return np.frombuffer(picture, "<u2").reshape(3, height, width)


@functools.lru_cache(maxsize=64)
def _known(height: int, width: int, cpu_used: int) -> bytes:
    """Return the temporal delimiter and sequence header, which all pictures of this size share."""
    return encode_planes(to_planes(grey(height, width)), _MAX_CRF, cpu_used, limited=True)[0]
