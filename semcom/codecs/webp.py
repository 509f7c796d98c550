"""Lossy WebP (RFC 9649; its picture is a VP8 key frame, RFC 6386), the web's reference codec.

The importance map ``w`` cannot steer it. The container, the frame's start code and its size follow
from the size of the picture, so the receiver rebuilds them. A packet consists of the frame's tag
(3 bytes) and its partitions. WebP is 4:2:0, which limits the quality of colours.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from semcom.codecs.base import DecodeError, check_sides, grey, only_packet
from semcom.codecs.parts.one_quality import (
    Search,
    encode_at_best_quality,
    read_picture,
    write_picture,
)
from semcom.types import Bitstream, Image, Map

_SEARCH = Search(range(101), guess=50, slope=0.02)
_MAX_SIDE = 16383
_TAG_BYTES = 3


class Webp:
    """Lossy WebP at the encoder's highest effort, in one packet."""

    steerable = False

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the highest quality (0 to 100) that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        check_sides("webp", height, width, _MAX_SIDE)
        write = functools.partial(_compress, image)
        return encode_at_best_quality(self, image, w, max_bits, write=write, search=_SEARCH)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        data = only_packet("webp", packets)
        if data is None:
            return grey(height, width)
        check_sides("webp", height, width, _MAX_SIDE, DecodeError)
        frame = data[:_TAG_BYTES] + _frame_size(height, width) + data[_TAG_BYTES:]
        return read_picture(_file_header(len(frame)) + frame, height, width, "WebP frame")


def _compress(image: Image, quality: int) -> bytes:
    """Return the VP8 frame without its start code and size."""
    file = write_picture(image, "WEBP", quality=quality, method=6)
    length = int.from_bytes(file[16:20], "little")
    header, frame = file[:20], file[20 : 20 + length]
    known = _frame_size(*image.shape[:2])
    end = _TAG_BYTES + len(known)
    if header != _file_header(length) or frame[_TAG_BYTES:end] != known:
        raise RuntimeError("libwebp wrote a header that the receiver cannot know")
    return frame[:_TAG_BYTES] + frame[end:]


def _file_header(length: int) -> bytes:
    """Return the RIFF header of a file with one VP8 chunk, which is padded to an even length."""
    return (
        b"RIFF"
        + (12 + length + length % 2).to_bytes(4, "little")
        + b"WEBPVP8 "
        + length.to_bytes(4, "little")
    )


def _frame_size(height: int, width: int) -> bytes:
    """Return the start code and the size fields of a key frame (RFC 6386, section 9.1)."""
    return b"\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little")
