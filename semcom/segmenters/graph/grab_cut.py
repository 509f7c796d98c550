"""Figure and ground, pixel by pixel: colour models that alternate with a minimum cut.

GrabCut (C. Rother et al., ACM TOG 23(3), 2004, doi:10.1145/1015706.1015720) minimises the energy::

    Σ_i -log p(c_i | x_i) - τ·log p(x_i | place_i)  +  λ·Σ_ij [x_i ≠ x_j]·exp(-|c_i - c_j|² / 2σ²)

over the labels x (1 figure, 0 ground), where c_i is the appearance of pixel i, and σ² the mean
square of c_i - c_j over neighbours. Here the colour models p(c | x) are smoothed histograms instead
of Gaussian mixtures, which need no random start, and a prior of place is added.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow
from skimage.color import rgb2lab

from semcom.segmenters.graph.superpixels import Floats, Ints, appearance
from semcom.types import Image, Region

BIN = 5.0
"""Width of the histograms' bins, CIELAB units."""
KERNEL = 0.8
"""Standard deviation of the histograms' smoothing, in bins."""
LIKELIHOOD_FLOOR = 3e-3
"""Least density of a colour, as a share of the mean."""
MOST_EVIDENCE = 3.0
"""Bound of the log-likelihood ratio of one pixel."""
PLACE_TRUST = 1.0
"""τ, the weight of the prior of place relative to the colour models."""
PLACE_FLOOR = 0.02
"""Smallest distance of the prior of place from certainty."""
SMOOTHNESS = 20.0
"""λ, the cost of a border between two pixels of equal appearance, in units of log-likelihood."""
ROUNDS = 4
"""Number of alternations between colour models and cut."""
SETTLED = 1e-3
"""Share of pixels below which changes no longer matter."""


def grab_cut(image: Image, place: Floats, fixed: NDArray[np.int8]) -> Region:
    """Separate figure and ground.

    Parameters
    ----------
    image
        (h, w, 3) uint8, at the working size.
    place
        First guess of the probability of figure, 0 to 1, shape (h, w).
    fixed
        1 where figure is certain, -1 where ground is, 0 elsewhere; shape (h, w).

    Returns
    -------
    bool array (h, w)
        The figure; it may be empty, or the whole picture.

    Examples
    --------
    >>> image = np.full((32, 32, 3), 40, dtype=np.uint8)
    >>> image[8:24, 8:24] = (220, 60, 60)
    >>> place = np.full((32, 32), 0.2)
    >>> place[10:20, 10:20] = 0.8
    >>> int(grab_cut(image, place, np.zeros((32, 32), dtype=np.int8)).sum())  # 16 by 16
    256
    """
    colour = appearance(np.asarray(rgb2lab(image), dtype=np.float64))
    code, shape = quantise(colour)
    pairs, price = borders(colour)
    belief = np.clip(place.ravel(), PLACE_FLOOR, 1 - PLACE_FLOOR)
    prior = PLACE_TRUST * np.log(belief / (1 - belief))
    hold = fixed.ravel()
    figure = np.where(hold == 0, place.ravel(), hold > 0)
    for _ in range(ROUNDS):
        if not 0 < figure.sum() < figure.size:
            break
        unary = evidence(code, shape, figure) + prior
        new = min_cut(np.where(hold == 0, unary, 1e3 * hold), pairs, price)
        changed = float(np.abs(new - figure).mean())
        figure = new
        if changed < SETTLED:
            break
    return np.asarray(figure > 0.5).reshape(place.shape)


def quantise(colour: Floats) -> tuple[Ints, tuple[int, ...]]:
    """Number the histogram bin of every pixel of ``colour`` (h, w, c): (h·w,), and the bins."""
    flat = colour.reshape(-1, colour.shape[-1])
    at = ((flat - flat.min(axis=0)) / BIN).astype(np.int64)
    shape = tuple(int(size) for size in at.max(axis=0) + 1)
    return np.asarray(np.ravel_multi_index(tuple(at.T), shape), dtype=np.int64), shape


def evidence(code: Ints, shape: tuple[int, ...], figure: Floats) -> Floats:
    """Return the log-likelihood ratio of figure and ground for every pixel's colour, (n,).

    ``code`` (n,) numbers the bins of a histogram of this shape; ``figure`` (n,) is 0 to 1.
    """
    densities = []
    for weight in (figure, 1 - figure):
        count = np.bincount(code, weight, minlength=int(np.prod(shape))).reshape(shape)
        smooth = ndimage.gaussian_filter(count, KERNEL, mode="constant", truncate=2.5)
        densities.append(smooth.ravel()[code] / weight.sum())
    inside, outside = densities
    floor = LIKELIHOOD_FLOOR * np.maximum(inside, outside).mean()
    ratio = np.log((inside + floor) / (outside + floor))
    return np.asarray(np.clip(ratio, -MOST_EVIDENCE, MOST_EVIDENCE))


def borders(colour: Floats) -> tuple[Ints, Floats]:
    """List the neighbours among the pixels of ``colour`` (h, w, c).

    Returns
    -------
    pairs, price
        Numbers of the pixels, shape (2, m), and the cost of a border between them, (m,).
    """
    number = np.arange(colour.shape[0] * colour.shape[1]).reshape(colour.shape[:2])
    sides: list[tuple[Any, Any]] = [(np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])]
    pairs = np.concatenate([[number[a].ravel(), number[b].ravel()] for a, b in sides], axis=1)
    apart = np.concatenate(
        [np.square(colour[a] - colour[b]).sum(axis=-1).ravel() for a, b in sides]
    )
    spread = max(float(apart.mean()), 1e-6) if apart.size else 1.0
    return pairs, np.asarray(SMOOTHNESS * np.exp(-apart / (2 * spread)))


def min_cut(unary: Floats, pairs: Ints, price: Floats) -> Floats:
    """Choose the figure (n,), 0 or 1, of least border price minus the ``unary`` (n,) it gains.

    ``pairs`` (2, m) are the neighbours, and ``price`` (m,) is that of separating them.
    """
    n = len(unary)
    i, j = pairs
    # maximum_flow uses 32-bit integers.
    scale = 1e6 / max(float(np.abs(unary).max()), float(price.max(initial=0)), 1e-9)
    source, sink = n, n + 1
    nodes = np.arange(n)
    tails = np.concatenate([i, j, np.full(n, source), nodes])
    heads = np.concatenate([j, i, nodes, np.full(n, sink)])
    weights = np.concatenate([price, price, np.maximum(unary, 0), np.maximum(-unary, 0)])
    capacity = csr_array(
        coo_array(((weights * scale).astype(np.int32), (tails, heads)), shape=(n + 2, n + 2))
    )
    left = capacity - maximum_flow(capacity, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    figure = np.zeros(n + 2)
    figure[reached] = 1
    return figure[:n]
