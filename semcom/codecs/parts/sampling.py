"""Sampling of large pictures, to predict the effect of encoder settings quickly.

A sample consists of blocks on a grid, put side by side. Its bits give only a rough estimate of the
bits of the whole picture. But a change of settings changes both by nearly the same factor.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semcom.large import is_large
from semcom.types import Image, Map

Pixels = TypeVar("Pixels", bound=NDArray[np.generic])
_BLOCK = 64
"""Side in pixels of a block, the largest unit of video codecs."""
_ENOUGH = 1_400_000
"""Largest number of pixels of a sample."""


def sample(image: Image, w: Map) -> tuple[Image, Map]:
    """Return at most 1.4 megapixels of a large image (H, W, 3), and their weights.

    An image that is not large, or is narrower than a block, is returned unchanged.

    Examples
    --------
    >>> image = np.zeros((2000, 3000, 3), dtype=np.uint8)
    >>> part, w = sample(image, np.ones((2000, 3000), dtype=np.float32))
    >>> part.shape, w.shape
    ((640, 960, 3), (640, 960))
    """
    rows, columns = (side // _BLOCK for side in w.shape)
    if not is_large(*w.shape) or min(rows, columns) == 0:
        return image, w
    step = math.ceil(math.sqrt(w.size / _ENOUGH))
    return _pick(image, rows, columns, step), _pick(w, rows, columns, step)


def _pick(pixels: Pixels, rows: int, columns: int, step: int) -> Pixels:
    """Put every ``step``-th block of every ``step``-th row of blocks side by side."""
    top, left = (min(step // 2, blocks - 1) for blocks in (rows, columns))
    whole = pixels[: rows * _BLOCK, : columns * _BLOCK]
    blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK, *pixels.shape[2:])
    chosen = blocks[top::step, :, left::step]
    height, width = chosen.shape[0] * _BLOCK, chosen.shape[2] * _BLOCK
    return chosen.reshape(height, width, *pixels.shape[2:])  # type: ignore[return-value]
