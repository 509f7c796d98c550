"""The choice of the position of a close-up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def heaviest(weights: NDArray[Any], tall: int, wide: int) -> tuple[int, int]:
    """Return the upper left corner of the rectangle with the largest total weight.

    Parameters
    ----------
    weights
        (H, W), the weight of each pixel.
    tall, wide
        Height and width of the rectangle in pixels, at most H and W.

    Examples
    --------
    >>> weights = np.zeros((9, 9))
    >>> weights[5, 2] = 1
    >>> top, left = heaviest(weights, 3, 3)
    >>> (top <= 5 < top + 3, left <= 2 < left + 3)
    (True, True)
    """
    total = np.pad(weights, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    sums = total[tall:, wide:] - total[:-tall, wide:] - total[tall:, :-wide] + total[:-tall, :-wide]
    top, left = np.unravel_index(sums.argmax(), sums.shape)
    return int(top), int(left)
