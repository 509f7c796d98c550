"""Common part of codecs with one quality for the whole picture: JPEG, WebP and AVIF."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as PilImage

from semcom.codecs.base import DecodeError, DigitalCodec, weighted_gain
from semcom.codecs.parts.rate_control import best_level
from semcom.types import Bitstream, Image, Map, Packet


class Search(NamedTuple):
    """Parameters of the search; see :func:`semcom.codecs.parts.rate_control.best_level`."""

    qualities: range
    guess: int
    slope: float
    """Typical growth of ln(size) per step in quality."""


def encode_at_best_quality(
    codec: DigitalCodec,
    image: Image,
    w: Map,
    max_bits: int,
    *,
    write: Callable[[int], bytes],
    search: Search,
) -> Bitstream:
    """Encode into one packet at the highest quality that fits.

    Parameters
    ----------
    codec
        Codec that decodes the packet, to compute the gain of the packet.
    image, w, max_bits
        See :class:`semcom.codecs.base.DigitalCodec`.
    write
        Returns the packet for a quality.
    search
        Qualities to choose from.
    """
    packets: dict[int, bytes] = {}

    def size_bits(quality: int) -> int:
        packets[quality] = write(quality)
        return 8 * len(packets[quality])

    quality = best_level(
        size_bits, search.qualities, max_bits, guess=search.guess, slope=search.slope
    )
    data = packets[quality]
    gain = weighted_gain(image, codec.decode([data], *image.shape[:2]), w)
    return Bitstream((Packet(data, gain),), {"quality": quality})


def write_picture(image: Image, kind: str, **options: Any) -> bytes:
    """Return a picture file in a format of Pillow's."""
    buffer = io.BytesIO()
    PilImage.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def read_picture(file: bytes, height: int, width: int, what: str) -> Image:
    """Read a picture file; raise :class:`DecodeError` if it is damaged or has another size."""
    try:
        with PilImage.open(io.BytesIO(file)) as picture:
            decoded: Image = np.asarray(picture.convert("RGB"))
    except (OSError, RuntimeError) as error:
        raise DecodeError(f"damaged {what}: {error}") from None
    if decoded.shape != (height, width, 3):
        raise DecodeError(f"{what} gave shape {decoded.shape}")
    return decoded
