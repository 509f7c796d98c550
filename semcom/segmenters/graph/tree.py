"""The tree of regions that superpixels merge into.

Neighbours are merged greedily, the cheapest pair first. The cost of a pair consists of the
difference of its mean colours and textures and the edge between them, weighted by size as in Ward's
method, so that small regions are absorbed early (P. Arbeláez et al., IEEE TPAMI 33(5), 2011,
doi:10.1109/TPAMI.2010.161, merge in the same way along their contour map).
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from operator import mul

import numpy as np
from numpy.typing import NDArray

from semcom.segmenters.graph.superpixels import Floats, Ints, Superpixels

EDGE_WEIGHT = 2.0
"""Weight of the gradient along a border relative to the difference of the mean colours."""
SIZE_EXPONENT = 0.35
"""Preference for merging small regions first; 0.5 would be Ward's criterion."""


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

    def above(self, leaf: int) -> NDArray[np.bool_]:
        """Mark the nodes that contain a superpixel, itself included; shape (nodes,)."""
        found = np.zeros(len(self.parent), dtype=bool)
        while leaf >= 0:
            found[leaf] = True
            leaf = int(self.parent[leaf])
        return found

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
