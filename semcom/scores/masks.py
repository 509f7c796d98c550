"""Scores of masks, for the question how wrong a segmenter is. They need the true mask."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from semcom.images import check_mask
from semcom.segmenters.overlap import iou
from semcom.types import Region

_BETA2 = 0.3  # weight of precision in F-beta, usual for salient objects
_BOUNDARY = 0.008  # tolerance of the boundary as a share of the diagonal, as DAVIS has it


def iou_or_none(mask: Region, truth: Region) -> float | None:
    """Return the intersection over the union, 0 to 1; None if both are empty."""
    return iou(mask, truth) if mask.any() or truth.any() else None


def f_beta(mask: Region, truth: Region) -> float | None:
    """Return F-beta with β² = 0.3 (Achanta et al., CVPR 2009), 0 to 1; None for an empty truth."""
    if not truth.any():
        return None
    hit = np.count_nonzero(mask & truth)
    if not hit:
        return 0.0
    precision, recall = hit / np.count_nonzero(mask), hit / np.count_nonzero(truth)
    return (1 + _BETA2) * precision * recall / (_BETA2 * precision + recall)


def mae(mask: Region, truth: Region) -> float:
    """Return the mean absolute error: the share of pixels that differ."""
    return float(np.mean(mask != truth))


def ber(mask: Region, truth: Region) -> float | None:
    """Return the balanced error rate, 0 to 1: the mean of the error rates of both classes.

    None if the truth is empty or full.
    """
    if truth.all() or not truth.any():
        return None
    return 1 - 0.5 * (float(mask[truth].mean()) + float((~mask[~truth]).mean()))


def boundary_f(mask: Region, truth: Region) -> float | None:
    """Return the F-measure of boundaries, 0 to 1; None if neither mask has a boundary.

    A boundary counts as found within 0.8 % of the diagonal (Perazzi et al., "A benchmark dataset
    and evaluation methodology for video object segmentation", CVPR 2016).
    """
    edges = [np.argwhere(_boundary(one)) for one in (mask, truth)]
    if not any(map(len, edges)):
        return None
    if not all(map(len, edges)):
        return 0.0
    reach = math.ceil(_BOUNDARY * math.hypot(*truth.shape))
    precision, recall = (_share_near(a, b, reach) for a, b in (edges, edges[::-1]))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _share_near(points: NDArray[np.intp], others: NDArray[np.intp], reach: int) -> float:
    """Return the share of points (n, 2) with another one (m, 2) within this many pixels."""
    nearest, _ = KDTree(others).query(points, distance_upper_bound=reach + 0.5)
    return float(np.mean(nearest <= reach))


def mirrored_iou(mask: Region, truth: Region) -> float | None:
    """Return the IoU with the truth mirrored left to right, which ``cue_conflict`` draws.

    Examples
    --------
    >>> left = np.array([[True, True, False, False]])
    >>> mirrored_iou(left, left), mirrored_iou(left[:, ::-1], left)
    (0.0, 1.0)
    """
    return iou_or_none(mask, truth[:, ::-1])


def _boundary(mask: Region) -> Region:
    """Return the pixels that differ from the next one to the right, below, or both."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, both = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    edge = (mask != right) | (mask != below) | (mask != both)
    return np.asarray(edge)


MASK_SCORES = {
    "iou_truth": ("IoU with the true mask", iou_or_none),
    "boundary_f": ("F-measure of boundaries", boundary_f),
    "f_beta": ("F-beta, β² = 0.3", f_beta),
    "mae": ("mean absolute error of the mask", mae),
    "ber": ("balanced error rate of the mask", ber),
    "iou_mirrored": ("IoU with the mirrored true mask", mirrored_iou),
}
"""Description and function of each score against the true mask, by name."""
IOU_CLEAN = "iou_clean"
"""Name of the IoU with the mask that the segmenter finds in the clean picture."""


def mask_scores(
    mask: Region, *, truth: Region | None = None, clean: Region | None = None
) -> dict[str, float | None]:
    """Score a mask against the true one and against that of the clean picture, if they are given.

    All are (H, W) bool of one size; others are refused by an ``InputError``.

    Examples
    --------
    >>> truth = np.zeros((32, 32), bool)
    >>> truth[8:24, 8:24] = True
    >>> mask_scores(truth, truth=truth)["iou_truth"], mask_scores(~truth, clean=truth)
    (1.0, {'iou_clean': 0.0})
    """
    for one in (mask, truth, clean):
        if one is not None:
            check_mask(one, *mask.shape[:2])
    found: dict[str, float | None] = {}
    if truth is not None:
        found |= {name: function(mask, truth) for name, (_, function) in MASK_SCORES.items()}
    if clean is not None:
        found[IOU_CLEAN] = iou_or_none(mask, clean)
    return found
