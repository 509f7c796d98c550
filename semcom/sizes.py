"""Resizing of images, masks and prompts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage

from semcom.errors import InputError
from semcom.images import MIN_SIDE
from semcom.large import is_large
from semcom.types import Image, Mask, Prompts

Size = tuple[int, int]
"""Height and width."""
SEGMENTED = 1_000_000
"""Number of pixels to which a large picture is shrunk for our segmenters."""


def size_of(image: Image) -> Size:
    """Return the height and width of an image (H, W, 3)."""
    height, width = image.shape[:2]
    return height, width


def block_means(values: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Return the mean of each square block of (H, W), (⌈H/side⌉, ⌈W/side⌉).

    Blocks that reach beyond the edge are filled up with the values at the edge.

    Examples
    --------
    >>> block_means(np.arange(6.0).reshape(2, 3), 2)
    array([[2. , 3.5]])
    """
    height, width = values.shape
    padded = np.pad(
        values.astype(np.float64), ((0, -height % side), (0, -width % side)), mode="edge"
    )
    blocks = padded.reshape(padded.shape[0] // side, side, -1, side)
    return np.asarray(blocks.mean(axis=(1, 3)))


def shrink(image: Image, max_side: int) -> Image:
    """Shrink an image (H, W, 3) so that its longer side has at most ``max_side`` pixels.

    Raises
    ------
    ValueError
        If the shorter side would have fewer than 16 pixels.

    Examples
    --------
    >>> shrink(np.zeros((512, 768, 3), dtype=np.uint8), 384).shape
    (256, 384, 3)
    """
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = round(scale * height), round(scale * width)
    if min(size) < MIN_SIDE:
        raise InputError(
            f"{width}x{height} shrunk to {size[1]}x{size[0]} is smaller than {MIN_SIDE}x{MIN_SIDE}"
        )
    return resized(image, size)


def shrink_large(image: Image) -> Image:
    """Shrink an image of more than 2 megapixels to 1 megapixel; return smaller ones unchanged."""
    height, width = image.shape[:2]
    if not is_large(height, width):
        return image
    scale = math.sqrt(SEGMENTED / (height * width))
    return resized(image, (max(1, int(scale * height)), max(1, int(scale * width))))


def resized(image: Image, size: Size) -> Image:
    """Resample an image to a height and width."""
    picture = PilImage.fromarray(image).resize(size[::-1], PilImage.Resampling.LANCZOS)
    return np.asarray(picture)


def resized_mask(mask: Mask, size: Size) -> Mask:
    """Resample a mask; a pixel belongs to it if at least half of the pixel is covered.

    Between the pixels of a mask that is enlarged, coverage is interpolated linearly.
    """
    picture = PilImage.fromarray(np.where(mask.pixels, np.uint8(255), np.uint8(0)))
    shrunk = size[0] < mask.pixels.shape[0] or size[1] < mask.pixels.shape[1]
    how = PilImage.Resampling.BOX if shrunk else PilImage.Resampling.BILINEAR
    soft = np.asarray(picture.resize(size[::-1], how))
    return Mask(soft >= 128, mask.score, mask.label)


def scaled(prompts: Prompts, old: Size, new: Size) -> Prompts:
    """Convert prompts for an image of one size to the same image at another size.

    Rounding leaves none of them outside of the image.

    Examples
    --------
    >>> scaled(Prompts(points=((320, 200),)), old=(480, 640), new=(240, 320)).points
    ((160.0, 100.0),)
    """
    (height, width), (rows, columns) = old, new

    def across(x: float, most: float) -> float:
        return min(x * columns / width, most)

    def down(y: float, most: float) -> float:
        return min(y * rows / height, most)

    right, bottom = math.nextafter(columns, 0), math.nextafter(rows, 0)
    points = tuple((across(x, right), down(y, bottom)) for x, y in prompts.points)
    boxes = tuple(
        (across(x0, right), down(y0, bottom), across(x1, columns), down(y1, rows))
        for x0, y0, x1, y1 in prompts.boxes
    )
    return Prompts(points, boxes, prompts.text)
