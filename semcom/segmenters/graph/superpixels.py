"""Superpixels, their adjacency, and the tree of their mergers.

Superpixels are SLIC's in CIELAB (R. Achanta et al., IEEE TPAMI 34(11), 2012,
doi:10.1109/TPAMI.2012.120). Neighbours are merged greedily, the cheapest pair first. The cost of a
pair consists of the difference of its mean colours and textures and the edge between them, weighted
by size as in Ward's method, so that small regions are absorbed early (P. Arbeláez et al., IEEE
TPAMI 33(5), 2011, doi:10.1109/TPAMI.2010.161, merge in the same way along their contour map).
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from operator import mul

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.segmentation import slic

from semcom.types import Image

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TEXTURE_WEIGHT = 1.5
"""Weight of a unit of local contrast relative to a unit of CIELAB."""
CHROMA_WEIGHT = 1.3
"""Weight of a* and b* relative to L*: shading changes lightness more than hue."""
FLAT = 2.0
"""Difference in CIELAB units below which a picture's superpixels contain no figure."""
COMPACTNESS = 8.0
"""Weight of distance in the picture relative to distance in CIELAB."""
EDGE_WEIGHT = 2.0
"""Weight of the gradient along a border relative to the difference of the mean colours."""
SIZE_EXPONENT = 0.35
"""Preference for merging small regions first; 0.5 would be Ward's criterion."""


@dataclass(frozen=True, eq=False)
class Superpixels:
    """An image as n superpixels and the m borders between them."""

    labels: Ints
    """Shape (h, w), values 0 to n-1."""
    area: Floats
    """Number of pixels, shape (n,)."""
    look: Floats
    """Mean appearance: weighted L*, a*, b* and local contrast, shape (n, 4)."""
    centre: Floats
    """Mean y and x as fractions of the long side, shape (n, 2)."""
    frame: Floats
    """Number of pixels on the image's frame, shape (n,)."""
    pairs: Ints
    """Neighbours i < j, shape (m, 2)."""
    length: Floats
    """Length in pixels of the border between them, shape (m,)."""
    edge: Floats
    """Mean strength of the edge along the border in CIELAB units, shape (m,)."""

    def __len__(self) -> int:
        return len(self.area)

    @property
    def flat(self) -> bool:
        """Whether the superpixels differ so little that there is no figure."""
        return len(self) < 2 or bool(np.ptp(self.look, axis=0).max() < FLAT)


def superpixels(image: Image, number: int) -> Superpixels:
    """Divide ``image`` (h, w, 3) uint8 into about ``number`` superpixels."""
    height, width = image.shape[:2]
    lab = np.asarray(rgb2lab(image), dtype=np.float64)
    number = int(np.clip(height * width // 16, 4, number))
    # slic scales its input to the range 0 to 1, but the compactness is in CIELAB units.
    compactness = COMPACTNESS / max(float(np.ptp(lab)), 1.0)
    labels = np.asarray(
        slic(lab, number, compactness, convert2lab=False, start_label=0), dtype=np.int64
    )
    area = np.bincount(labels.ravel()).astype(np.float64)
    smooth = ndimage.gaussian_filter(lab, (1, 1, 0))
    contrast = ndimage.gaussian_filter(
        np.abs(lab[..., 0] - ndimage.gaussian_filter(lab[..., 0], 2)), 2
    )
    weights = (1.0, CHROMA_WEIGHT, CHROMA_WEIGHT)
    channels = [smooth[..., k] * weights[k] for k in range(3)] + [TEXTURE_WEIGHT * contrast]
    rows, columns = np.indices(labels.shape)
    long_side = max(height, width)
    frame = np.zeros(labels.shape)
    frame[[0, -1]] = 1
    frame[:, [0, -1]] = 1
    pairs, length, edge = borders(labels, smooth)
    return Superpixels(
        labels=labels,
        area=area,
        look=np.stack([_mean(labels, channel, area) for channel in channels], axis=1),
        centre=np.stack([_mean(labels, c / long_side, area) for c in (rows, columns)], axis=1),
        frame=np.bincount(labels.ravel(), frame.ravel()).astype(np.float64),
        pairs=pairs,
        length=length,
        edge=edge,
    )


def _mean(labels: Ints, values: Floats, area: Floats) -> Floats:
    return np.asarray(np.bincount(labels.ravel(), values.ravel()) / area)


def borders(labels: Ints, smooth: Floats) -> tuple[Ints, Floats, Floats]:
    """List the borders between superpixels: the pair, the length and the strength."""
    gradient = np.zeros(labels.shape)
    for axis in (0, 1):
        slope = ndimage.correlate1d(smooth, [-0.5, 0, 0.5], axis=axis)
        gradient += np.square(slope).sum(axis=-1)
    gradient = np.sqrt(gradient)
    n = int(labels.max()) + 1
    codes, strengths = [], []
    for one, two in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        differ = labels[one] != labels[two]
        a, b = labels[one][differ], labels[two][differ]
        codes.append(np.minimum(a, b) * n + np.maximum(a, b))
        strengths.append(np.maximum(gradient[one][differ], gradient[two][differ]))
    code, inverse = np.unique(np.concatenate(codes), return_inverse=True)
    length = np.bincount(inverse, minlength=len(code)).astype(np.float64)
    total = np.bincount(inverse, np.concatenate(strengths), minlength=len(code))
    pairs = np.stack([code // n, code % n], axis=1)
    return pairs, length, total / np.maximum(length, 1)


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree of regions: nodes 0 to n-1 are the superpixels, the others their mergers."""

    parent: Ints
    """The node that a node was merged into, -1 for a root; shape (nodes,)."""
    children: Ints
    """The two nodes that form it, shape (nodes - n, 2)."""
    height: Floats
    """Dissimilarity of the children when they merged; 0 for superpixels; shape (nodes,)."""
    perimeter: Floats
    """Length of the border to other regions in pixels, without the frame; shape (nodes,)."""
    outline: Floats
    """Mean dissimilarity across that border; shape (nodes,)."""

    def collect(self, leaves: Floats) -> Floats:
        """Sum ``leaves`` (n, …) over the superpixels of every node."""
        total: Floats = np.concatenate([leaves, np.zeros((len(self.children), *leaves.shape[1:]))])
        for k, (a, b) in enumerate(self.children, start=len(leaves)):
            total[k] = total[a] + total[b]
        return total

    def members(self, node: int) -> Ints:
        """List the superpixels of ``node``."""
        n = len(self.parent) - len(self.children)
        stack, found = [node], []
        while stack:
            k = stack.pop()
            if k < n:
                found.append(k)
            else:
                stack.extend(int(c) for c in self.children[k - n])
        return np.array(sorted(found), dtype=np.int64)


class _Regions:
    """The regions during merging; a merged region keeps its number and its data."""

    def __init__(self, parts: Superpixels) -> None:
        self.look = list(parts.look)
        self.area = parts.area.tolist()
        self.parent = [-1] * len(parts)
        self.borders: list[dict[int, tuple[float, float]]] = [{} for _ in range(len(parts))]
        for (i, j), length, edge in zip(
            parts.pairs.tolist(), parts.length.tolist(), parts.edge.tolist(), strict=True
        ):
            self.borders[i][j] = self.borders[j][i] = (length, length * edge)

    def difference(self, i: int, j: int) -> float:
        """Return the dissimilarity of two neighbours in CIELAB units."""
        length, edges = self.borders[i][j]
        delta = self.look[i] - self.look[j]
        return math.sqrt(delta @ delta) + EDGE_WEIGHT * edges / length

    def cost(self, i: int, j: int) -> tuple[float, int, int]:
        """Return the cost of the merger; the numbers decide between equal costs."""
        ward = self.area[i] * self.area[j] / (self.area[i] + self.area[j])
        return self.difference(i, j) * ward**SIZE_EXPONENT, i, j

    def contour(self, i: int) -> tuple[float, float]:
        """Return the length of the border of ``i`` and the mean dissimilarity across it."""
        lengths = [length for length, _ in self.borders[i].values()]
        total = sum(lengths)
        across = [self.difference(i, j) for j in self.borders[i]]
        return total, sum(map(mul, lengths, across)) / total if total else 0.0

    def join(self, i: int, j: int) -> int:
        """Merge two neighbours; return the number of the new region."""
        k = len(self.parent)
        self.parent.append(-1)
        self.parent[i] = self.parent[j] = k
        self.area.append(self.area[i] + self.area[j])
        self.look.append((self.look[i] * self.area[i] + self.look[j] * self.area[j]) / self.area[k])
        joined: dict[int, tuple[float, float]] = {}
        for region in (i, j):
            for other, (length, edges) in self.borders[region].items():
                if other not in (i, j):
                    old = joined.get(other, (0.0, 0.0))
                    joined[other] = (old[0] + length, old[1] + edges)
                    del self.borders[other][region]
        self.borders.append(joined)
        for other, border in joined.items():
            self.borders[other][k] = border
        return k


def merge(parts: Superpixels) -> Tree:
    """Merge neighbours, the cheapest pair first, until one region is left."""
    regions = _Regions(parts)
    queue = [regions.cost(i, j) for i, j in parts.pairs.tolist()]
    heapq.heapify(queue)
    height = [0.0] * len(parts)
    contour = [regions.contour(i) for i in range(len(parts))]
    children = []
    while queue:
        _, i, j = heapq.heappop(queue)
        if regions.parent[i] >= 0 or regions.parent[j] >= 0:
            continue
        height.append(regions.difference(i, j))
        children.append((i, j))
        k = regions.join(i, j)
        contour.append(regions.contour(k))
        for other in regions.borders[k]:
            heapq.heappush(queue, regions.cost(other, k))
    perimeter, outline = np.array(contour).T
    return Tree(
        parent=np.array(regions.parent, dtype=np.int64),
        children=np.array(children, dtype=np.int64).reshape(-1, 2),
        height=np.array(height),
        perimeter=perimeter,
        outline=outline,
    )
