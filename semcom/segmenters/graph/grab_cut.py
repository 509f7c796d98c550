"""Figure and ground, pixel by pixel: colour models that alternate with a minimum cut.

GrabCut (C. Rother et al., ACM TOG 23(3), 2004, doi:10.1145/1015706.1015720), with smoothed colour
histograms instead of Gaussian mixtures, and a prior of place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from semcom.segmenters.graph.superpixels import appearance
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

Floats = NDArray[np.float64]
BIN = 5.0
KERNEL = 0.8
PLACE_TRUST = 1.0
SMOOTHNESS = 10.0
FLOOR = 3e-3
CLIP = 3.0
ROUNDS = 5
BETA = 1.0
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def grab_cut(image, place, fixed, rounds=None):
    colour = appearance(rgb2lab(image))
    bins = quantise(colour)
    pairs, price = borders(colour)
    figure = np.where(fixed == 0, place > 0.5 if (place > 0.5).any() else place >= place.max(), fixed > 0)
    soft = np.where(fixed == 0, place, (fixed > 0) * 1.0).ravel()
    logit = np.log(np.clip(place, 0.02, 0.98) / (1 - np.clip(place, 0.02, 0.98))).ravel()
    hold = fixed.ravel()
    for _ in range(rounds or ROUNDS):
        unary = np.clip(likelihood_ratio(bins, soft), -CLIP, CLIP) + PLACE_TRUST * logit
        new = min_cut(np.where(hold == 0, unary, 1e3 * hold), pairs, price)
        if np.array_equal(new, soft):
            break
        soft = new
        if not 0 < new.sum() < new.size:
            break
    return (soft > 0.5).reshape(place.shape)


def quantise(colour):
    flat = colour.reshape(-1, colour.shape[-1])
    at = ((flat - flat.min(axis=0)) / BIN).astype(np.int64)
    shape = at.max(axis=0) + 1
    return np.ravel_multi_index(at.T, shape), tuple(shape)


def likelihood_ratio(bins, figure):
    code, shape = bins
    size = int(np.prod(shape))
    density = []
    for weight in (figure, 1 - figure):
        count = np.bincount(code, weight, minlength=size).reshape(shape)
        smooth = ndimage.gaussian_filter(count, KERNEL, mode="constant", truncate=2.5)
        density.append(smooth.ravel()[code] / max(weight.sum(), 1e-9))
    f, g = density
    floor = FLOOR * np.maximum(f, g).mean()
    return np.log((f + floor) / (g + floor))


def borders(colour):
    h, w = colour.shape[:2]
    number = np.arange(h * w).reshape(h, w)
    one, two, apart, far = [], [], [], []
    for dy, dx in STEPS:
        a = np.s_[: h - dy, max(-dx, 0) : w - max(dx, 0)]
        b = np.s_[dy:, max(dx, 0) : w + min(dx, 0)]
        one.append(number[a].ravel())
        two.append(number[b].ravel())
        apart.append(np.square(colour[a] - colour[b]).sum(axis=-1).ravel())
        far.append(np.full(one[-1].size, np.hypot(dy, dx)))
    apart, far = np.concatenate(apart), np.concatenate(far)
    price = SMOOTHNESS * np.exp(-BETA * apart / max(2 * apart.mean(), 1e-6)) / far
    return (np.concatenate(one), np.concatenate(two)), price


def min_cut(unary, pairs, price):
    n = len(unary)
    i, j = pairs
    scale = 1e6 / max(np.abs(unary).max(), price.max(initial=0), 1e-9)
    nodes, source, sink = np.arange(n), n, n + 1
    tails = np.concatenate([i, j, np.full(n, source), nodes])
    heads = np.concatenate([j, i, nodes, np.full(n, sink)])
    weights = np.concatenate([price, price, np.maximum(unary, 0), np.maximum(-unary, 0)])
    capacity = csr_array(coo_array(((weights * scale).astype(np.int32), (tails, heads)), shape=(n + 2, n + 2)))
    left = capacity - maximum_flow(capacity, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    figure = np.zeros(n + 2)
    figure[reached] = 1
    return figure[:n]
