"""Baseline JPEG (ITU-T T.81), the best-known reference codec.

The importance map ``w`` cannot steer it, because JPEG has one quantisation table per image. With
standard Huffman tables, everything before the entropy-coded scan follows from the size and the
quality. The receiver rebuilds it, so that only one byte with the quality and the scan are sent. The
highest bit of that byte says that the receiver shall restore the picture.
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

_SEARCH = Search(range(1, 101), guess=50, slope=0.02)
_RESTORED = 0x80
_EOI = b"\xff\xd9"
_MAX_SIDE = 65_500  # pixels, libjpeg's JPEG_MAX_DIMENSION


class Jpeg:
    """Baseline sequential JPEG, 4:2:0, with standard tables, in one packet.

    Parameters
    ----------
    restore
        Whether the receiver repairs the picture by :mod:`semcom.codecs.restorer`.

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> w = np.ones((128, 128), dtype=np.float32)
    >>> stream = Jpeg().encode(photo, w, max_bits=20_000)
    >>> stream.num_bits <= 20_000
    True
    >>> Jpeg().decode([packet.data for packet in stream.packets], 128, 128).shape
    (128, 128, 3)
    """

    steerable = False

    def __init__(self, *, restore: bool = False) -> None:
        self._flag = _RESTORED if restore else 0

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the highest quality (1 to 100) that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        check_sides("jpeg", height, width, _MAX_SIDE)

        def write(quality: int) -> bytes:
            packet = packet_of(image, quality)
            return bytes([packet[0] | self._flag]) + packet[1:]

        return encode_at_best_quality(self, image, w, max_bits, write=write, search=_SEARCH)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        data = only_packet("jpeg", packets)
        if data is None:
            return grey(height, width)
        quality = data[0] & ~_RESTORED if data else 0
        if quality not in _SEARCH.qualities:
            raise DecodeError("not a JPEG packet: its first byte must be a quality, 1 to 100")
        check_sides("jpeg", height, width, _MAX_SIDE, DecodeError)
        stream = _header(height, width, quality) + data[1:] + _EOI
        picture = read_picture(stream, height, width, "JPEG scan")
        if not data[0] & _RESTORED:
            return picture
        from semcom.codecs.restorer.restorer import restore  # it loads a network

        return restore("jpeg", picture, quality)


def packet_of(image: Image, quality: int) -> bytes:
    """Return the packet of a picture at a quality."""
    header, scan = _split(_compress(image, quality))
    assert header == _header(*image.shape[:2], quality)
    return bytes([quality]) + scan


def _compress(image: Image, quality: int) -> bytes:
    return write_picture(image, "JPEG", quality=quality, subsampling="4:2:0")


def _split(stream: bytes) -> tuple[bytes, bytes]:
    """Split a JPEG file after its start-of-scan segment, and drop the end marker."""
    start = stream.index(b"\xff\xda")
    end = start + 2 + int.from_bytes(stream[start + 2 : start + 4], "big")
    return stream[:end], stream[end : -len(_EOI)]


@functools.lru_cache(maxsize=256)
def _header(height: int, width: int, quality: int) -> bytes:
    """Return everything before the scan; it depends only on the size and the quality."""
    return _split(_compress(grey(height, width), quality))[0]
