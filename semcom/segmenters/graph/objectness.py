"""How likely the regions of the tree are to be the object that a person means.

Every region has a few features; their weighted sum is the logarithm of an unnormalised probability
(a softmax over the regions). The weights were chosen so that the expected IoU of a region that is
drawn by these probabilities is as large as possible on pictures with outlines: 20 photos, and 36
where an object was pasted before another background in colours close to it
(``python -m experiments.training.objectness`` makes such a fit). To rank regions by
features goes back to J. Carreira and C. Sminchisescu, "CPMC: automatic object segmentation using
constrained parametric min-cuts", IEEE TPAMI 34(7), 2012, doi:10.1109/TPAMI.2011.231.
"""

from __future__ import annotations

import numpy as np

from semcom.segmenters.graph.focus import detail
from semcom.segmenters.graph.saliency import central
from semcom.segmenters.graph.superpixels import Floats, Superpixels
from semcom.segmenters.graph.tree import Tree
from semcom.types import Image, Region

WEIGHTS = {
    "outline": (1.00, 1.40),
    "height": (0.60, 0.36),
    "parent": (1.45, 1.06),
    "frame": (-1.37, -1.04),
    "size": (1.11, 0.27),
    "size2": (-0.17, -0.095),
    "salient": (3.7, 0.36),
    "central": (5.0, 6.1),
    "focus": (1.65, -0.11),
    "compact": (-3.26, -1.92),
    "texture": (1.1, 0.49),
    "away": (0.0, -2.1),
}
"""Weight of every feature: without prompts, and for the regions around a point."""
LEAST, MOST = 0.006, 0.8
"""Shares of the frame between which a region may be an object."""
NOISE = 0.5
"""Detail in grey levels that is taken for noise."""


def describe(image: Image, parts: Superpixels, tree: Tree, salient: Floats) -> dict[str, Floats]:
    """Compute the features of every node, shape (nodes,) each.

    ``salient`` (n,) is the saliency of the superpixels, 0 to 1.

    ``outline``, ``height`` and ``parent`` are logarithms of dissimilarities: across the outline,
    between the two children, and between the region and what it merges with next. ``frame`` is the
    length on the frame, and ``compact`` the logarithm of the perimeter, both in square roots of the
    area. ``size`` is the logarithm of the share of the frame, and ``size2`` its square.
    ``salient`` and ``central`` are means over the region. ``focus`` is the logarithm of its
    sharpness over that of the rest, and ``texture`` that of its fine detail.
    """
    area = tree.collect(parts.area)
    total = parts.area.sum()
    fine, coarse = (tree.collect(band * parts.area) for band in detail(image, parts))
    above = np.where(tree.parent >= 0, tree.height[tree.parent], 60.0)
    frame = tree.collect(parts.frame)
    size = np.log(area / total)
    return {
        "outline": np.log1p(tree.outline),
        "height": np.log1p(tree.height),
        "parent": np.log1p(above),
        "frame": frame / np.sqrt(area),
        "size": size,
        "size2": size**2,
        "salient": tree.collect(parts.area * salient) / area,
        "central": tree.collect(parts.area * central(parts)) / area,
        "focus": _sharpness(fine, coarse, area)
        - _sharpness(fine[-1] - fine, coarse[-1] - coarse, total - area),
        "compact": np.log(tree.perimeter + frame + 1) - 0.5 * size - 0.5 * np.log(total),
        "texture": np.log(fine / area + 0.5),
    }


def _sharpness(fine: Floats, coarse: Floats, area: Floats) -> Floats:
    ratio = np.maximum(fine, 0) / (np.maximum(coarse, 0) + NOISE * np.maximum(area, 1))
    return np.asarray(np.log(ratio + 0.05))


def distance(parts: Superpixels, tree: Tree, y: float, x: float) -> Floats:
    """Return the distances of a point from the centres of all nodes, in their spreads; (nodes,).

    ``y`` and ``x`` are fractions of the long side.
    """
    area = tree.collect(parts.area)[:, None]
    centre = tree.collect(parts.area[:, None] * parts.centre) / area
    square = tree.collect(parts.area[:, None] * parts.centre**2) / area
    spread = np.maximum(square - centre**2, 0).sum(axis=1)
    return np.asarray(np.hypot(*(centre - (y, x)).T) / np.sqrt(spread + 1e-4))


def probability(features: dict[str, Floats], allowed: Region, *, point: bool) -> Floats:
    """Return the probability of every node to be the object, 0 where not ``allowed``; (nodes,)."""
    total = sum(WEIGHTS[name][point] * value for name, value in features.items())
    share = np.exp(features["size"])
    inside = allowed & (share >= LEAST) & (share <= MOST)
    inside = inside if inside.any() else allowed
    score = np.where(inside, total, -np.inf)
    weight = np.exp(score - score.max())
    return np.asarray(weight / weight.sum())
