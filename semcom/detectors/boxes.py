"""Which of a detector's many boxes count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semcom.detectors.base import Found

SAME = 0.7
"""Of two boxes of a higher IoU for one text, the one of lower score is dropped."""


def strongest(
    text: str,
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    *,
    threshold: float,
    height: int,
    width: int,
) -> list[Found]:
    """Choose among the boxes of one text: those above a threshold, without near copies.

    Parameters
    ----------
    text
        What the boxes are to show.
    boxes
        (N, 4) as x0, y0, x1, y1 in pixels; they are cut at the frame.
    scores
        (N,), 0 to 1.
    threshold
        Lowest score.
    height, width
        Size of the image in pixels. Boxes of less than one pixel within it are dropped.

    Examples
    --------
    >>> boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 10], [20, 5, 40, 30], [1, 1, 9, 9]], float)
    >>> scores = np.array([0.6, 0.9, 0.5, 0.1])
    >>> found = strongest("dog", boxes, scores, threshold=0.3, height=20, width=40)
    >>> [(one.score, one.box) for one in found]
    [(0.9, (0.0, 0.0, 9.0, 10.0)), (0.5, (20.0, 5.0, 40.0, 20.0))]
    """
    cut = np.clip(boxes, 0, (width, height, width, height))
    sides = cut[:, 2:] - cut[:, :2]
    usable = (scores >= threshold) & (sides >= 1).all(axis=1)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if usable[i] and all(_iou(cut[i], cut[k]) <= SAME for k in kept):
            kept.append(int(i))
    return [
        Found(text, min(1.0, float(scores[i])), tuple(float(side) for side in cut[i]))  # type: ignore[arg-type]
        for i in kept
    ]


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    common = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(common / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - common))
