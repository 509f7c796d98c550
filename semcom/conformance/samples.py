"""The pictures for checks of codecs; all come with semcom's dependencies."""

from __future__ import annotations

import functools

import numpy as np

from semcom.types import Image, Map, Region


@functools.cache
def large_photo() -> Image:
    """Return a photo of 512x512 from scikit-image: an astronaut with a flag and a shuttle."""
    import skimage.data  # slow, and not needed to list the checks

    image: Image = skimage.data.astronaut()  # type: ignore[no-untyped-call, unused-ignore]
    return image


@functools.cache
def photo() -> Image:
    """Return a photo of 160x240: her face, surrounded by much texture."""
    return np.ascontiguousarray(large_photo()[30:190, 100:340])


def crop(top: int, left: int, height: int, width: int) -> Image:
    """Cut a part out of the photo."""
    return np.ascontiguousarray(photo()[top : top + height, left : left + width])


def region() -> Region:
    """Return a region of a tenth of the photo, not aligned with the grid of blocks."""
    inside = np.zeros(photo().shape[:2], dtype=bool)
    inside[30:110, 90:138] = True
    return inside


def made(content: str, height: int, width: int) -> Image:
    """Make a picture of content ``"flat"``, ``"noise"`` or ``"grey"`` (noise without colour)."""
    image = np.full((height, width, 3), 77, dtype=np.uint8)
    rng = np.random.default_rng(0)
    if content == "noise":
        image[:] = rng.integers(0, 256, image.shape, dtype=np.uint8)
    elif content == "grey":
        image[:] = rng.integers(0, 256, (height, width, 1), dtype=np.uint8)
    return image


def flat_map(image: Image) -> Map:
    """Return a map in which all pixels are equally important."""
    return np.ones(image.shape[:2], dtype=np.float32)
