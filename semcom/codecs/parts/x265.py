"""Encoding with x265 and decoding with FFmpeg through PyAV, one intra picture at a time.

Pictures are three planes at 10 bit of the same size (4:4:4), made by
:mod:`semcom.codecs.parts.colour`.

The stream leaves out what the receiver can know. The parameter sets depend only on the size of the
picture, so both sides make them (:func:`parameter_sets`); the start code and the unit header of the
slice are constant. x265 is GPL; it comes with PyAV's wheels and runs as part of FFmpeg.

Tuned for MS-SSIM, x265 takes the quantiser steps of :mod:`semcom.codecs.quantiser.perception`. They
are part of the parameter sets, so that they cost nothing.

The settings of x265 also follow from the size (:func:`settings`). Pictures of more than 2
megapixels are coded in wavefronts on all cores. Those of more than 4 megapixels have no coding
units below 16x16, fewer splits of transforms, fewer trials of prediction and no rate-distortion
optimised quantisation (RDOQ). This saves most of the time and costs some tenths of a decibel.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.codec.context import Flags
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from semcom.cache import recall, version
from semcom.codecs.base import DecodeError
from semcom.codecs.parts.colour import Planes
from semcom.codecs.quantiser.perception import STEPS_FILE, Tune
from semcom.large import is_large, num_threads
from semcom.sizes import block_means
from semcom.types import Map

BLOCK = 32
"""Side in pixels of a block with its own quality (a quantisation group).

With smaller blocks, a coding unit that holds several of them gets the mean of their QPs, which
degrades the edge of the region.
"""
MAX_QP = 51
Offsets = NDArray[np.int64]
"""QP offsets of the blocks, (ceil(H/32), ceil(W/32)); a negative offset means better quality."""
Preset = Literal["ultrafast", "slow"]
Size = tuple[int, int]
"""Height and width."""

_MAX_OFFSET = 24  # QP; reached at w = 2^±8
FAST = 4_000_000  # pixels; above this, time matters more than the last per cent of bits
_FASTER: dict[Preset, str] = {
    "slow": "min-cu-size=16:tu-intra-depth=3:rd=3:fast-intra=1:rdoq-level=0",
    # For guesses only, never sent. Of blocks larger than 16, the map of FFmpeg would be misread.
    "ultrafast": "min-cu-size=16:tu-intra-depth=1:rd=1",
}
# With RDOQ, quick sizes differ from slow ones by 4 % instead of 28 %: it is what removes noise.
_LIKE_SLOW: dict[Preset, str] = {"slow": "", "ultrafast": ":rdoq-level=2"}
_START = b"\x00\x00\x00\x01"
_SLICE_HEADER = b"\x28\x01"  # NAL unit header of an IDR_N_LP slice (ITU-T H.265, 7.3.1.2)
_FORMAT = "yuv444p10le"
_QOFFSET_RANGE = 63  # addroi's qoffset of 1.0 in QP: 51 + 6·(10 bit - 8)
# Regions would silently be ignored with aq-strength=0, or with qp= instead of crf=.
_PARAMETERS = (
    "keyint=1:info=0:psy-rd=0:psy-rdoq=0:rd=6:tu-intra-depth=4:frame-threads=1:"
    f"aq-mode=1:aq-strength=0.001:qg-size={BLOCK}:log-level=none"
)


def offsets_of(w: Map) -> Offsets:
    """Return ``ΔQP = -3·log2`` of the mean weight of each block."""
    delta = -3 * np.log2(np.maximum(block_means(w, BLOCK), 1e-6))
    offsets: Offsets = np.clip(np.rint(delta), -_MAX_OFFSET, _MAX_OFFSET).astype(np.int64)
    return offsets


def settings(height: int, width: int, preset: Preset = "slow") -> str:
    """Return the settings of x265 that differ from those of a small picture; empty for one."""
    wavefronts = ["wpp=1"] if is_large(height, width) else []
    return ":".join(wavefronts + [_FASTER[preset]] * (height * width > FAST))


def encode(
    planes: Planes,
    offsets: Offsets,
    qp: int,
    preset: Preset,
    *,
    as_of: Size | None = None,
    tune: Tune = "psnr",
) -> bytes:
    """Encode one picture.

    Parameters
    ----------
    planes
        (3, H, W), 0 to 1023, any size.
    offsets
        QP offset of every block.
    qp
        Base QP, 0 (best) to 51; the offset QP is clipped to that range by x265.
    preset
        Effort of x265.
    as_of
        Encode with the settings for a picture of this size, to learn what they do; no receiver can
        decode the result.
    tune
        What the quantiser steps are made for.

    Returns
    -------
    bytes
        The slice without start code, unit header and parameter sets.

    Examples
    --------
    >>> planes = np.full((3, 64, 64), 512, dtype=np.uint16)
    >>> body = encode(planes, np.zeros((2, 2), dtype=np.int64), 20, "slow")
    >>> decode(body, 64, 64).shape
    (3, 64, 64)
    """
    libraries = version("av"), sorted(av.library_versions.items())
    height, width = planes.shape[1:]
    how = settings(*(as_of or (height, width)), preset)
    stream = recall(
        lambda: _encode_frame(_to_frame(planes), offsets, qp, preset, how, tune),
        *("x265", libraries, planes, offsets, qp, preset, how, _steps(tune)),
    )
    parameters, body = _split(stream)
    trial = preset == "ultrafast" or as_of is not None
    if parameters != parameter_sets(height, width, tune) and not trial:
        raise RuntimeError("x265 wrote parameter sets that the receiver cannot know")
    return body


def decode(body: bytes, height: int, width: int, tune: Tune = "psnr") -> Planes:
    """Decode a slice written by :func:`encode` for a picture of this size.

    Raises
    ------
    DecodeError
        If the bytes are not such a picture.
    """
    context = av.CodecContext.create("hevc", "r")
    context.thread_count = 1
    padded = _padded_size(height), _padded_size(width)
    # After a start code, damaged bytes may announce another size.
    context.options = {"max_pixels": str((padded[0] + 64) * (padded[1] + 64))}
    try:
        stream = parameter_sets(height, width, tune) + _START + _SLICE_HEADER + body
        frames = [*context.decode(av.Packet(stream)), *context.decode(None)]
    except FFmpegError as error:
        raise DecodeError(f"damaged HEVC slice: {error.strerror}") from None
    if len(frames) != 1 or (frames[0].height, frames[0].width) != padded:
        raise DecodeError("damaged HEVC slice: no picture of the expected size")
    if frames[0].format.name != _FORMAT:
        raise DecodeError(f"HEVC slice gave pixel format {frames[0].format.name}")
    return _from_frame(frames[0])[:, :height, :width]


@functools.lru_cache(maxsize=64)
def parameter_sets(height: int, width: int, tune: Tune = "psnr") -> bytes:
    """Return VPS, SPS and PPS, with start codes, which all pictures of a size and tune share.

    x265 writes them when it is opened, so that no picture has to be encoded for them.
    """
    how = settings(height, width)
    context = _encoder(_padded_size(height), _padded_size(width), MAX_QP, "slow", how, tune)
    context.flags |= Flags.global_header
    context.open()
    return bytes(context.extradata or b"")


def _split(stream: bytes) -> tuple[bytes, bytes]:
    """Split a stream into the parameter sets and the body of its only slice."""
    units = re.split(b"\x00?\x00\x00\x01", stream)[1:]
    *parameters, picture = units
    if len(parameters) != 3 or picture[:2] != _SLICE_HEADER:
        raise RuntimeError(f"x265 wrote units {[unit[:2].hex() for unit in units]}")
    return b"".join(_START + unit for unit in parameters), picture[2:]


@functools.cache
def _steps(tune: Tune) -> bytes:
    """Return the file of quantiser steps; nothing if they are all equal."""
    return STEPS_FILE.read_bytes() if tune == "ssim" else b""


def _encoder(
    height: int, width: int, crf: int, preset: Preset, how: str, tune: Tune
) -> VideoCodecContext:
    context = av.CodecContext.create("libx265", "w")
    context.width, context.height, context.pix_fmt = width, height, _FORMAT
    context.time_base = Fraction(1, 25)
    # The picture must hold one whole coding tree unit: 64 pixels, or 32 for a smaller picture.
    unit = 64 if min(width, height) >= 64 else 32
    # Wavefronts need a pool; its number of threads does not change the stream.
    threads = f"pools={num_threads()}:{how}" if how else f"pools=none{_LIKE_SLOW[preset]}"
    path = re.sub(r"([\\:'])", r"\\\1", str(STEPS_FILE))  # escaped for FFmpeg
    steps = f":scaling-list={path}" if tune == "ssim" else ""
    context.options = {
        "preset": preset,
        "crf": str(crf),
        "x265-params": f"{_PARAMETERS}:ctu={unit}:{threads}{steps}",
    }
    return context


def _encode_frame(
    frame: VideoFrame, offsets: Offsets, qp: int, preset: Preset, how: str, tune: Tune
) -> bytes:
    base = int(np.bincount(offsets.ravel() - offsets.min()).argmax() + offsets.min())
    # The most common offset becomes part of the base QP, so that fewer rectangles are needed.
    crf = min(max(qp + base, 0), MAX_QP)
    context = _encoder(frame.height, frame.width, crf, preset, how, tune)
    steered = _with_regions(frame, offsets + (qp - crf))
    return b"".join(bytes(packet) for packet in [*context.encode(steered), *context.encode(None)])


def _with_regions(frame: VideoFrame, offsets: Offsets) -> VideoFrame:
    """Attach QP offsets to a frame through FFmpeg's ``addroi`` filter."""
    rectangles = list(_rectangles(offsets))
    if not rectangles:
        return frame
    graph = av.filter.Graph()
    last = graph.add(
        "buffer",
        video_size=f"{frame.width}x{frame.height}",
        pix_fmt=_FORMAT,
        time_base="1/25",
    )
    for top, left, rows, columns, offset in rectangles:
        where = f"x={BLOCK * left}:y={BLOCK * top}:w={BLOCK * columns}:h={BLOCK * rows}"
        region = graph.add("addroi", f"{where}:qoffset={offset / _QOFFSET_RANGE:.6f}")
        last.link_to(region)
        last = region
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    graph.push(frame)
    steered = graph.pull()
    assert isinstance(steered, VideoFrame)
    return steered


def _rectangles(offsets: Offsets) -> Iterator[tuple[int, int, int, int, int]]:
    """Cover the blocks of non-zero offset by disjoint (top, left, rows, columns, offset)."""
    left_over = offsets != 0
    for top, left in zip(*np.nonzero(left_over), strict=True):
        if not left_over[top, left]:
            continue
        same = (offsets == offsets[top, left]) & left_over
        columns = _run(same[top, left:])
        rows = _run(same[top:, left : left + columns].all(axis=1))
        left_over[top : top + rows, left : left + columns] = False
        yield int(top), int(left), rows, columns, int(offsets[top, left])


def _run(flags: NDArray[np.bool_]) -> int:
    """Count the leading True values."""
    return int(len(flags) if flags.all() else np.argmin(flags))


def _padded_size(length: int) -> int:
    """Round up to a multiple of the smallest block, 8, and at least one 32-pixel coding unit."""
    return max(32, -(-length // 8) * 8)


def _to_frame(planes: Planes) -> VideoFrame:
    _, height, width = planes.shape
    rows, columns = _padded_size(height), _padded_size(width)
    padding = ((0, rows - height), (0, columns - width))
    frame = VideoFrame(columns, rows, _FORMAT)
    for plane, values in zip(frame.planes, planes, strict=True):
        lines = np.zeros((rows, plane.line_size // 2), dtype="<u2")
        lines[:, :columns] = np.pad(values, padding, mode="edge")
        plane.update(lines.tobytes())
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    return frame


def _from_frame(frame: VideoFrame) -> Planes:
    planes = [
        np.frombuffer(memoryview(plane), dtype="<u2").reshape(plane.height, -1)[:, : plane.width]
        for plane in frame.planes
    ]
    return np.stack(planes)
