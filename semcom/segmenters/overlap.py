"""The overlap of two masks."""

from __future__ import annotations

import numpy as np

from semcom.types import Region


def iou(a: Region, b: Region) -> float:
    """Return the intersection over the union of two masks of one size, 0 to 1; 0 if both are empty.

    Examples
    --------
    >>> left, top = np.zeros((2, 4, 4), bool)
    >>> left[:, :2], top[:2] = True, True
    >>> round(iou(left, top), 4)  # 4 of 12 pixels
    0.3333
    """
    return np.count_nonzero(a & b) / max(np.count_nonzero(a | b), 1)
