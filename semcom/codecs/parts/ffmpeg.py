"""Running the ``ffmpeg`` program that comes with imageio-ffmpeg, over pipes.

It has encoders that PyAV's libraries lack. A separate process can be stopped, which is necessary
for decoders that hang on damaged bytes. The program is GPL-licensed; it is run and not linked.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg

from semcom.cache import recall, version
from semcom.codecs.base import DecodeError
from semcom.errors import InputError

_LEAST_LIMIT_S = 10.0
_ENCODED_PER_S = 100_000  # pixels; a sixth of libaom's lowest speed, for a grey picture
_DECODED_PER_S = 500_000  # pixels; a tenth of the decoders' speed
_BLOCK = 128  # pixels; narrower pictures take as much time and memory as those of this width
_BYTES_PER_PIXEL = {"yuv444p10le": 6}

Arguments = Sequence[str]


class FfmpegError(InputError):
    """The program refused the picture, failed or took too long."""


def encode(
    picture: bytes,
    pixels: str,
    height: int,
    width: int,
    output: Arguments,
    *,
    limited: bool = False,
) -> bytes:
    """Encode one raw picture on one thread; :mod:`semcom.cache` stores the result.

    Parameters
    ----------
    picture
        The picture's bytes.
    pixels
        Their pixel format.
    output
        Encoder, options and container.
    limited
        Whether to limit the time. A receiver must, since it encodes a picture of the size that it
        was told.

    Raises
    ------
    FfmpegError
        The encoder failed.
    """
    limit_s = _limit_s(height, width, _ENCODED_PER_S) if limited else None
    raw = ["-f", "rawvideo", "-pix_fmt", pixels, "-video_size", f"{width}x{height}", "-i", "pipe:0"]
    arguments = (*raw, "-frames:v", "1", "-threads", "1", *output)
    try:
        return recall(
            lambda: _run(arguments, picture, limit_s=limit_s), _build(), arguments, picture
        )
    except FfmpegError as error:
        raise FfmpegError(f"a picture of {width}x{height} cannot be encoded: {error}") from None


def decode(
    stream: bytes, source: Arguments, pixels: str, height: int, width: int, *, scale: str = ""
) -> bytes:
    """Decode one picture of known size on one thread, within a time limit.

    Parameters
    ----------
    stream
        The bytes of the stream.
    source
        Container and decoder.
    pixels
        Pixel format of the result.
    scale
        Options of the conversion to it.

    Raises
    ------
    DecodeError
        There is no such picture in the stream, or the decoder took too long.
    """
    limits = ["-threads", "1", "-max_pixels", str(_area(height, width))]
    convert = ["-vf", f"scale={scale}"] if scale else []
    raw = [*convert, "-frames:v", "1", "-pix_fmt", pixels, "-f", "rawvideo"]
    limit_s = _limit_s(height, width, _DECODED_PER_S)
    try:
        picture = _run([*limits, *source, "-i", "pipe:0", *raw], stream, limit_s=limit_s)
    except FfmpegError as error:
        raise DecodeError(f"damaged stream: {error}") from None
    if len(picture) != height * width * _BYTES_PER_PIXEL[pixels]:
        raise DecodeError("damaged stream: no picture of the expected size")
    return picture


def _area(height: int, width: int) -> int:
    """Return the pixels of a picture, including the blocks that exceed its edges."""
    return (height + _BLOCK) * (width + _BLOCK)


def _limit_s(height: int, width: int, pixels_per_s: float) -> float:
    return _LEAST_LIMIT_S + _area(height, width) / pixels_per_s


def _run(arguments: Arguments, data: bytes, *, limit_s: float | None) -> bytes:
    command = [_program(), "-hide_banner", "-loglevel", "error", *arguments, "pipe:1"]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=limit_s)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise FfmpegError(f"ffmpeg was stopped after {limit_s:.0f} s") from None
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise FfmpegError(f"ffmpeg failed: {message[0]}")
    return done.stdout


@functools.cache
def _program() -> str:
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def _build() -> tuple[str, int, int]:
    """Identify this program: package, size in bytes and time of modification."""
    file = Path(shutil.which(_program()) or _program()).stat()
    return version("imageio-ffmpeg"), file.st_size, file.st_mtime_ns
