"""Prompts that are made from a mask, as an annotator would make them."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from semcom.types import Region


def deepest_point(mask: Region) -> tuple[float, float]:
    """Return the pixel (x, y) of ``mask`` (H, W) farthest from its border and the frame.

    Examples
    --------
    >>> mask = np.zeros((9, 9), dtype=bool)
    >>> mask[2:7, 1:6] = True
    >>> deepest_point(mask)
    (3.0, 4.0)
    """
    depth = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), mask.shape)
    return float(x), float(y)


def bounding_box(mask: Region) -> tuple[float, float, float, float]:
    """Return the box (x0, y0, x1, y1) around ``mask`` (H, W); (x1, y1) lies outside of it.

    Examples
    --------
    >>> bounding_box(np.array([[False, False], [False, True]]))
    (1.0, 1.0, 2.0, 2.0)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
