"""AVIF (AV1 in an image file, AOMedia's AVIF 1.1) as Pillow writes it, tuned for squared error.

Pictures are 8 bit, 4:4:4. The importance map ``w`` cannot steer it, because libaom takes no map of
qualities for a still picture. The boxes of the file and the sequence header of AV1 follow from the
size, so the receiver rebuilds them; a packet is the payload of the only frame. The codec needs a
Pillow that includes AVIF, as its wheels do from version 11.3 on.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from PIL import features

from semcom.cache import recall, version
from semcom.codecs.base import DecodeError, check_sides, grey, only_packet
from semcom.codecs.parts import obu
from semcom.codecs.parts.one_quality import (
    Search,
    encode_at_best_quality,
    read_picture,
    write_picture,
)
from semcom.types import Bitstream, Image, Map

_SEARCH = Search(range(101), guess=60, slope=0.035)
_MAX_SIDE = 32_768  # pixels, libavif's AVIF_DEFAULT_IMAGE_DIMENSION_LIMIT


class Avif:
    """AVIF at Pillow's default speed, in one packet."""

    steerable = False

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the highest quality (0 to 100) that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        check_sides("avif", height, width, _MAX_SIDE)

        def write(quality: int) -> bytes:
            head, sequence, frame = _split(_compress(image, quality))
            if (head, sequence) != _known(height, width):
                raise RuntimeError("libavif wrote headers that the receiver cannot know")
            return frame

        return encode_at_best_quality(self, image, w, max_bits, write=write, search=_SEARCH)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; see :class:`DigitalCodec`."""
        data = only_packet("avif", packets)
        if data is None:
            return grey(height, width)
        check_sides("avif", height, width, _MAX_SIDE, DecodeError)
        head, sequence = _known(height, width)
        file = _join(head, sequence + obu.frame(data))
        return read_picture(file, height, width, "AVIF frame")


def _compress(image: Image, quality: int) -> bytes:
    def write() -> bytes:
        return write_picture(
            image,
            "AVIF",
            quality=quality,
            subsampling="4:4:4",
            speed=6,
            max_threads=1,
            codec="aom",
            advanced={"tune": "psnr"},
        )

    return recall(write, "avif", version("pillow"), features.version("avif"), quality, image)


@functools.lru_cache(maxsize=64)
def _known(height: int, width: int) -> tuple[bytes, bytes]:
    """Return the boxes and the sequence header, which all files of this size share."""
    return _split(_compress(grey(height, width), 50))[:2]


def _split(file: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a file into its boxes without lengths, the headers of AV1, and the frame's payload."""
    length, media = _length_fields(file)
    stream = file[media + 8 :]
    if int.from_bytes(file[length : length + 4], "big") != len(stream):
        raise RuntimeError("libavif wrote more than one picture")
    head = bytearray(file[: media + 8])
    head[length : length + 4] = head[media : media + 4] = bytes(4)
    return bytes(head), *obu.split(stream)


def _join(head: bytes, stream: bytes) -> bytes:
    """Join boxes and stream, and fill in the lengths."""
    length, media = _length_fields(head)
    file = bytearray(head + stream)
    file[length : length + 4] = len(stream).to_bytes(4, "big")
    file[media : media + 4] = (len(stream) + 8).to_bytes(4, "big")
    return bytes(file)


def _length_fields(file: bytes) -> tuple[int, int]:
    """Return the positions of the picture's length (4 bytes each), in boxes ``iloc`` and ``mdat``.

    ``iloc`` (ISO/IEC 14496-12, 8.11.3) holds the version and the sizes of the fields, and for its
    one item the id, the data reference, the number of extents and the offset; the length follows.
    """
    return file.index(b"iloc") + 22, file.index(b"mdat") - 4
