"""A saliency map on superpixels, without training.

W. Zhu et al., "Saliency optimization from robust background detection", CVPR 2014,
doi:10.1109/CVPR.2014.360. Background is well connected to the image's frame; the figure differs
from the background; a least-squares fit spreads both over similar neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import spsolve
from skimage.filters import threshold_otsu

from semcom.segmenters.graph.superpixels import Floats, Ints, Superpixels

COLOUR_SIGMA = 10.0
"""Distance in CIELAB within which colours count as equal (Zhu et al.)."""
SPACE_SIGMA = 0.25
"""Reach of contrast, as a fraction of the long side (Zhu et al.)."""
CENTRE_SIGMA = 0.7
"""Reach of the prior for figures in the centre, in halves of the sides."""
BACKGROUND_WEIGHT = 5.0
"""Weight of background against figure in the least-squares fit."""


def saliency(parts: Superpixels) -> Floats:
    """Estimate how much each superpixel stands out from the background, 0 to 1, shape (n,)."""
    n = len(parts)
    if parts.flat:
        return np.zeros(n)
    away = np.sqrt(np.square(parts.look[:, None] - parts.look[None]).sum(axis=-1))
    ground = background(parts, away)
    near = np.exp(
        -np.square(parts.centre[:, None] - parts.centre[None]).sum(axis=-1) / (2 * SPACE_SIGMA**2)
    )
    contrast = (away * near * (ground * parts.area)).sum(axis=1)
    contrast = _stretch(contrast) * central(parts)
    i, j = _graph_pairs(parts)
    weight = np.exp(-np.square(away[i, j]) / (2 * COLOUR_SIGMA**2)) + 0.1
    laplacian = _symmetric(-weight, i, j, n)
    laplacian = laplacian + diags_array(-laplacian.sum(axis=1))
    system = laplacian + diags_array(BACKGROUND_WEIGHT * ground + contrast + 1e-6)
    return _stretch(spsolve(system.tocsc(), contrast))


def standing_out(parts: Superpixels, salient: Floats) -> Floats:
    """Turn saliency (n,) into a probability of figure, one half at Otsu's threshold; (n,)."""
    if np.ptp(salient) == 0:
        return np.full(len(parts), 0.5)
    otsu: Any = threshold_otsu  # untyped
    level = float(otsu(salient[parts.labels]))
    return np.asarray(salient / (salient + level + 1e-9))


def central(parts: Superpixels) -> Floats:
    """Rate how close superpixels are to the picture's centre, 0 to 1; shape (n,)."""
    ends = parts.centre.min(axis=0) + parts.centre.max(axis=0)
    offset = (parts.centre - ends / 2) / np.maximum(ends / 2, 1e-9)
    return np.asarray(np.exp(-np.square(offset).sum(axis=1) / (2 * CENTRE_SIGMA**2)))


def background(parts: Superpixels, away: Floats) -> Floats:
    """Estimate the probability (0 to 1) of background from the connection to the frame; (n,)."""
    n = len(parts)
    i, j = _graph_pairs(parts)
    step = away[i, j]
    nearest = np.full(n, np.inf)
    np.minimum.at(nearest, i, step)
    np.minimum.at(nearest, j, step)
    step = np.maximum(step - nearest[np.isfinite(nearest)].mean(), 0) + 1e-6
    # Longer paths do not count, and most pairs on the frame are farther apart than that.
    limit = 3 * COLOUR_SIGMA
    close = step < limit
    steps = _symmetric(step[close], i[close], j[close], n)
    path = dijkstra(steps, directed=False, limit=limit)
    same = np.exp(-np.square(path) / (2 * COLOUR_SIGMA**2))
    # Areas and lengths are measured in mean superpixels, so that the ratio has no unit.
    unit = parts.area.mean()
    span = same @ (parts.area / unit)
    along = same @ (parts.frame / np.sqrt(unit))
    return np.asarray(1 - np.exp(-np.square(along / np.sqrt(span)) / 2))


def _graph_pairs(parts: Superpixels) -> tuple[Ints, Ints]:
    """Pair neighbours, and all superpixels on the frame with each other."""
    ring = np.flatnonzero(parts.frame)
    a, b = np.triu_indices(len(ring), 1)
    code = np.concatenate([parts.pairs @ [len(parts), 1], ring[a] * len(parts) + ring[b]])
    code = np.unique(code)
    return code // len(parts), code % len(parts)


def _symmetric(values: Floats, i: Ints, j: Ints, n: int) -> Any:
    """Build a symmetric sparse matrix (n, n) from its upper triangle."""
    return csr_array(
        coo_array(
            (np.tile(values, 2), (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(n, n)
        )
    )


def _stretch(values: Floats) -> Floats:
    """Scale ``values`` to the range 0 to 1; all zeros if they are equal."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
