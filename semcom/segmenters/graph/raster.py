"""From a picture to its working size, and from masks back to full size with clean borders.

Borders are fitted to the full picture by a guided filter: K. He et al., "Guided image filtering",
IEEE TPAMI 35(6), 2013, doi:10.1109/TPAMI.2012.213.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy import ndimage

from semcom.types import Image, Region

MAX_ENLARGEMENT = 4
GUIDE_NOISE = 4e-4
"""Variance of the guide (range 0 to 1) below which an edge is noise."""


def resize(image: Image, long_side: int) -> Image:
    """Resize ``image`` to this long side; small ones are enlarged by at most a factor of 4."""
    height, width = image.shape[:2]
    scale = min(long_side / max(height, width), MAX_ENLARGEMENT)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    method = PillowImage.Resampling.BOX if scale < 1 else PillowImage.Resampling.BICUBIC
    return np.asarray(PillowImage.fromarray(image).resize(size, method))


def nearest(
    shape: tuple[int, ...], full: tuple[int, ...], here: tuple[float, float]
) -> tuple[int, int]:
    """Return the row and column at the size ``shape`` of a pixel (x, y) at the ``full`` size."""
    return int(here[1] * shape[0] / full[0]), int(here[0] * shape[1] / full[1])


def enlarge(mask: Region, image: Image) -> Region:
    """Enlarge ``mask`` (h, w) to the size of ``image`` (H, W, 3), with borders at its edges."""
    height, width = image.shape[:2]
    result = np.zeros((height, width), dtype=bool)
    if not mask.any():
        return result
    radius = max(1, round(2 * max(height / mask.shape[0], width / mask.shape[1])))
    soft = ndimage.gaussian_filter(mask.astype(np.float32), 0.7)
    down = _interpolation(mask.shape[0], height)
    across = _interpolation(mask.shape[1], width)
    soft = down @ soft @ across.T
    near = tuple(  # the filter has no effect far from the mask
        slice(max(int(hit[0]) - 3 * radius, 0), int(hit[-1]) + 3 * radius + 1)
        for hit in (np.flatnonzero(soft.max(axis=axis) > 0.01) for axis in (1, 0))
    )
    guide = image[near].astype(np.float32).mean(axis=2) / 255
    result[near] = tidy(_guided(guide, soft[near], radius) > 0.5)
    return result


def _interpolation(size: int, new_size: int) -> NDArray[np.float32]:
    """Return the matrix of linear interpolation between pixel centres, (new_size, size)."""
    at = np.clip((np.arange(new_size) + 0.5) * size / new_size - 0.5, 0, size - 1)
    low = np.minimum(at.astype(np.int64), max(size - 2, 0))
    matrix = np.zeros((new_size, size), dtype=np.float32)
    rows = np.arange(new_size)
    matrix[rows, low] = 1 - (at - low)
    matrix[rows, np.minimum(low + 1, size - 1)] += at - low
    return matrix


def _guided(
    guide: NDArray[np.float32], values: NDArray[np.float32], radius: int
) -> NDArray[np.float32]:
    def box(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(ndimage.uniform_filter(x, 2 * radius + 1, mode="nearest"))

    mean_guide, mean_values = box(guide), box(values)
    variance = box(guide * guide) - mean_guide**2
    slope = (box(guide * values) - mean_guide * mean_values) / (variance + GUIDE_NOISE)
    offset = mean_values - slope * mean_guide
    return np.asarray(box(slope) * guide + box(offset))


def tidy(mask: Region, share: float = 0.05) -> Region:
    """Remove specks and fill holes smaller than ``share`` of the mask's largest part."""
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(parts.ravel())
    least = share * sizes[1:].max()
    keep = sizes >= least
    keep[0] = False
    mask = keep[parts]
    holes, _ = ndimage.label(~mask)
    small = np.bincount(holes.ravel()) < least
    small[0] = False
    return np.asarray(mask | small[holes])
