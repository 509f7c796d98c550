"""A picture of any codec with one packet, perhaps at a half or a quarter of its size.

With few bits, a small picture that is enlarged is better than a large one. The scale takes one byte
before the codec's packet. :mod:`semcom.codecs.layered` and :mod:`semcom.codecs.scalable` consist of
such pictures; a difference is a picture in which 128 means zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image as PilImage

from semcom.codecs.base import (
    CODECS,
    BudgetTooSmallError,
    DecodeError,
    DigitalCodec,
    codec_id,
    digital,
    weighted_gain,
)
from semcom.errors import InputError
from semcom.types import Image, Map

MIN_SIDE = 16
"""Minimum length in pixels of a reduced picture's shorter side."""
ID_BYTES = 2
_SCALES = (1, 2, 4)


class Scaled(NamedTuple):
    """The bytes of a picture, and its reconstruction at full size."""

    data: bytes
    shown: Image


def encode(
    codec: DigitalCodec, image: Image, w: Map, max_bits: int, scales: Sequence[int] = _SCALES
) -> Scaled:
    """Encode at the best scale in terms of ``w``; raises ``BudgetTooSmallError``."""
    height, width = image.shape[:2]
    found, floors = [], []
    for scale in scales:
        if scale > 1 and min(height, width) < scale * MIN_SIDE:
            break
        small = resize(image, *_reduced(height, width, scale))
        steer = _shrink(w, scale) if codec.steerable else np.ones(small.shape[:2], np.float32)
        try:
            packets = codec.encode(small, steer, max_bits - 8).packets
        except BudgetTooSmallError as error:
            floors.append(error.num_bits + 8)
            continue
        if len(packets) != 1:
            raise InputError(f"the base codec must make one packet, but it made {len(packets)}")
        data = bytes([scale]) + packets[0].data
        found.append(Scaled(data, decode(codec, data, height, width)))
    if not found:
        raise BudgetTooSmallError(min(floors), max_bits)
    return max(found, key=lambda scaled: weighted_gain(image, scaled.shown, w))


def decode(codec: DigitalCodec, data: bytes, height: int, width: int) -> Image:
    """Decode the output of :func:`encode`; raises ``DecodeError``."""
    if not data or data[0] not in _SCALES:
        raise DecodeError(f"a picture's scale must be one of {_SCALES}")
    return resize(codec.decode([data[1:]], *_reduced(height, width, data[0])), height, width)


def codec_of(packet: bytes, containers: Sequence[str]) -> DigitalCodec:
    """Build the codec that a packet's first two bytes name, unless it is itself a container."""
    names = {codec_id(name): name for name in CODECS.names() if name not in containers}
    try:
        return digital(names[packet[:ID_BYTES]])
    except (KeyError, ValueError):
        raise DecodeError(f"a packet of an unknown codec, {packet[:ID_BYTES].hex()}") from None


def resize(image: Image, height: int, width: int) -> Image:
    """Resample bicubically."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(
        PilImage.fromarray(image).resize((width, height), PilImage.Resampling.BICUBIC)
    )


def difference(image: Image, shown: Image) -> Image:
    """Return what has to be added to ``shown``, as a picture in which 128 means zero."""
    pixels: Image = np.clip(image.astype(np.int16) - shown + 128, 0, 255).astype(np.uint8)
    return pixels


def add(shown: Image, lacking: Image) -> Image:
    """Add a difference."""
    total = shown.astype(np.int16) + lacking - 128
    pixels: Image = np.clip(total, 0, 255).astype(np.uint8)
    return pixels


def _reduced(height: int, width: int, scale: int) -> tuple[int, int]:
    return -(-height // scale), -(-width // scale)


def _shrink(w: Map, scale: int) -> Map:
    """Average the map over squares of ``scale`` pixels; the mean is 1."""
    height, width = w.shape
    rows, columns = _reduced(height, width, scale)
    padding = ((0, rows * scale - height), (0, columns * scale - width))
    squares = np.pad(w, padding, mode="edge").reshape(rows, scale, columns, scale)
    means = squares.mean(axis=(1, 3), dtype=np.float64)
    return np.asarray(means / max(means.mean(), 1e-12), dtype=np.float32)
