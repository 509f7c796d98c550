"""The BPG file: a header of about 14 bytes, the reduced parameter set, and HEVC's units.

Written and read here are pictures without alpha, animation or metadata, at 8 bit and in YCbCr.
Source: BPG specification 0.9.5 (``doc/bpg_spec.txt`` of libbpg), section 3.
"""

from __future__ import annotations

import re

import av
import numpy as np
from av.error import FFmpegError

from semcom.codecs.base import DecodeError
from semcom.codecs.bpg.bits import read_variable, variable
from semcom.codecs.bpg.parameter_sets import START, Tools, tools_of
from semcom.codecs.bpg.planes import Plane

_MAGIC = b"BPG\xfb"
_FORMATS = {"420": 1, "444": 3}
_PIXELS = {1: "yuv420p", 3: "yuv444p"}
_BLOCK = 8  # pixels; the smallest coding block of bpgenc's encoders
_UNIT_SIDE = 16
_UNIT = re.compile(b"\x00?\x00\x00\x01")


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Return the size of the coded picture, a multiple of the smallest coding block.

    It is at least the smallest coding tree unit of today's x265, 16 pixels. BPG has no such limit,
    so that libbpg could not read our files of pictures with fewer than 9 pixels on a side.
    """
    rows, columns = (max(-(-side // _BLOCK) * _BLOCK, _UNIT_SIDE) for side in (height, width))
    return rows, columns


def write_file(stream: bytes, height: int, width: int, chroma: str) -> bytes:
    """Return the BPG file of an HEVC stream with parameter sets, as x265 writes it.

    Parameters
    ----------
    stream
        Units with start codes: VPS, SPS, PPS and one slice.
    height, width
        Size of the picture in pixels, without padding.
    chroma
        ``"420"`` or ``"444"``.
    """
    starts = list(_UNIT.finditer(stream))
    sequence = stream[starts[1].end() : starts[2].start()]
    reduced = tools_of(sequence).pack()
    body = variable(len(reduced)) + reduced + stream[starts[2].end() :]
    head = _MAGIC + bytes([_FORMATS[chroma] << 5, 0]) + variable(width) + variable(height)
    return head + variable(len(body)) + body


def read_file(file: bytes, height: int, width: int) -> list[Plane]:
    """Decode a BPG file of this size into Y, Cb and Cr of the padded size.

    Raises
    ------
    DecodeError
        If the bytes are no such file, or are damaged.
    """
    if file[:4] != _MAGIC or len(file) < 6:
        raise DecodeError("not a BPG file")
    chroma_format = file[4] >> 5
    if chroma_format not in _PIXELS or file[4] & 0x1F or file[5]:
        raise DecodeError(
            "only BPG files at 8 bit in YCbCr 4:2:0 or 4:4:4 are supported, without alpha, "
            "animation and metadata"
        )
    columns, place = read_variable(file, 6)
    rows, place = read_variable(file, place)
    if (rows, columns) != (height, width):
        raise DecodeError(f"the BPG file has {columns}x{rows} pixels instead of {width}x{height}")
    length, place = read_variable(file, place)
    if length not in (0, len(file) - place):
        raise DecodeError("the BPG file is cut off, or longer than it says")
    size, place = read_variable(file, place)
    tools = Tools.unpack(file[place : place + size])
    if tools.min_block:
        raise DecodeError("the BPG file has coding blocks of at least 16 pixels")
    sequence = tools.sequence(*padded_size(height, width), chroma_format)
    stream = sequence + START + file[place + size :]
    return _decode(stream, *padded_size(height, width), _PIXELS[chroma_format])


def _decode(stream: bytes, height: int, width: int, pixels: str) -> list[Plane]:
    context = av.CodecContext.create("hevc", "r")
    context.thread_count = 1
    # After a start code, damaged bytes may announce another size.
    context.options = {"max_pixels": str((height + 64) * (width + 64))}
    try:
        frames = [*context.decode(av.Packet(stream)), *context.decode(None)]
    except FFmpegError as error:
        raise DecodeError(f"damaged BPG file: {error.strerror}") from None
    if len(frames) != 1 or (frames[0].height, frames[0].width) != (height, width):
        raise DecodeError("damaged BPG file: no picture of the expected size")
    if frames[0].format.name != pixels:
        raise DecodeError(f"BPG file gave pixel format {frames[0].format.name}")
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)[:, : plane.width]
        for plane in frames[0].planes
    ]
