"""The ranking of masks, and the choice of the important ones.

No saliency model is involved. The priority of a mask is

    score · (1 - exp(-area / 0.01)) · (1 - area) · exp(-d² / (2 · 0.5²))

where ``score`` is the segmenter's confidence, ``area`` the fraction of the frame and ``d`` the
distance of the mask's centroid from the centre in half-diagonals. It favours confident segments,
objects over specks and backgrounds, and the centre over the margin.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semcom.types import Mask

_SPECK = 0.01
"""Fraction of the frame below which a mask counts as a speck."""
_SPREAD = 0.5
"""Standard deviation of the preference for the centre, in half-diagonals."""

_PEERS = 0.5
"""A further mask is important if its priority is at least this share of the first mask's."""
_MOST = 0.3
"""Fraction of the frame that several masks may cover together; if everything is important, nothing
is."""


def priority(mask: Mask) -> float:
    """Return the priority of one mask, in [0, 1], by the formula above.

    Examples
    --------
    >>> centre, corner = np.zeros((2, 60, 60), dtype=bool)
    >>> centre[20:40, 20:40] = corner[:20, :20] = True
    >>> priority(Mask(centre)) > 2 * priority(Mask(corner))
    True
    """
    height, width = mask.pixels.shape
    area = float(mask.pixels.mean())
    if area == 0:
        return 0.0
    along, down = (mask.pixels.sum(axis=axis) for axis in (0, 1))
    row, column = (counts @ np.arange(len(counts)) / counts.sum() for counts in (down, along))
    offset = np.hypot(row - (height - 1) / 2, column - (width - 1) / 2)
    distance = offset / (np.hypot(height, width) / 2)
    size = (1 - np.exp(-area / _SPECK)) * (1 - area)
    return float(mask.score * size * np.exp(-(distance**2) / (2 * _SPREAD**2)))


def rank(masks: Sequence[Mask]) -> list[Mask]:
    """Sort masks by descending priority; masks of equal priority keep their order."""
    return sorted(masks, key=priority, reverse=True)


def choose(masks: Sequence[Mask]) -> list[Mask]:
    """Choose the important ones among ranked masks.

    They are the first, however large it is, and every further one that has at least half its
    priority and adds pixels, unless the union would cover more than 30 % of the frame.
    """
    if not masks:
        return []
    chosen, union = [masks[0]], masks[0].pixels
    least = _PEERS * priority(masks[0])
    for mask in masks[1:]:
        grown = union | mask.pixels
        if priority(mask) >= least and grown.mean() <= _MOST and (grown != union).any():
            chosen.append(mask)
            union = grown
    return chosen
