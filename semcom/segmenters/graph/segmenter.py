"""The embedded segmenter: superpixels, saliency and a minimum cut, without weights or a network.

Without prompts, the first mask is the salient figure: a saliency map (background is connected to
the frame) is refined by a minimum cut with colour models. It is followed by the regions of a
merging tree in the order of objectness: regions enclosed by strong edges, salient, and away from
the frame. A picture without contrast gives one mask of the whole image.

A point selects the region of the tree around it with the highest objectness. A box selects the
figure inside it, cut against the surroundings of the box.

The segmenter knows nothing about objects. It misses objects that look like their surroundings, and
objects whose parts differ as much as figure and ground. References are in
:mod:`~semcom.segmenters.graph.superpixels` and :mod:`~semcom.segmenters.graph.figure_ground`.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from semcom.errors import InputError
from semcom.segmenters.graph.figure_ground import cut, saliency, threshold
from semcom.segmenters.graph.raster import enlarge, resize, tidy
from semcom.segmenters.graph.superpixels import Floats, Superpixels, Tree, merge, superpixels
from semcom.segmenters.overlap import iou
from semcom.types import Image, Mask, Prompts, Region

NUM_PARTS = 700
"""Number of superpixels per picture."""
OBJECT_SHARE = 0.03
"""Below this share of the frame, the objectness of a region decreases with its size."""
PART_SHARE = 0.3
"""Parts of the main figure smaller than this share of its largest part are left out."""
BLUR = 0.04
"""Expected error of a first guess, as a fraction of the long side."""
MARGIN = 0.3
"""Width of the examined surroundings of a box, as a fraction of its sides."""
LEAST_FILL = 0.15
"""Smallest share of its box that a figure must fill."""
OVERLAP = 0.6
"""Masks of a higher IoU count as the same."""


_MOST_MASKS = 1000


class Graph:
    """A segmenter that needs no weights.

    Parameters
    ----------
    max_masks
        Maximum number of masks without prompts, 1 to 1000.
    work_size
        Long side in pixels at which the picture is analysed, 32 to 2048.

    Examples
    --------
    A bright square on a dark ground is the first mask:

    >>> import numpy as np
    >>> image = np.full((96, 128, 3), 40, dtype=np.uint8)
    >>> image[30:66, 46:82] = (220, 60, 60)
    >>> square = image[..., 0] > 100
    >>> first = Graph()(image)[0].pixels
    >>> bool(iou(first, square) > 0.8)
    True
    """

    def __init__(self, *, max_masks: int = 16, work_size: int = 400) -> None:
        if not 1 <= max_masks <= _MOST_MASKS:
            raise InputError(f"max_masks must be 1 to {_MOST_MASKS}, got {max_masks}")
        if not 32 <= work_size <= 2048:
            raise InputError(f"work_size must be 32 to 2048, got {work_size}")
        self.max_masks = max_masks
        self.work_size = work_size

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8; the best mask first, or one per prompt.

        Raises
        ------
        ValueError
            Not an image of that shape and type, or a prompt outside it.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise InputError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
        prompts.check(*image.shape[:2])
        boxes = [in_box(image, box, self.work_size) for box in prompts.boxes]
        if boxes and not prompts.points:
            return boxes
        scene = Scene(image, self.work_size)
        if not prompts:
            return everything(scene, self.max_masks)
        return [at_point(scene, x, y) for x, y in prompts.points] + boxes


class Scene:
    """The analysis of a picture: superpixels, saliency, and the tree of regions with objectness."""

    def __init__(self, image: Image, work_size: int) -> None:
        self.image = image
        self.parts = superpixels(resize(image, work_size), NUM_PARTS)
        self.salient = saliency(self.parts)
        self.tree = merge(self.parts)
        self.closed = closedness(self.tree, self.parts.area, self.parts.frame)
        mass = self.parts.area * self.salient
        self.node_salient = self.tree.collect(mass) / self.tree.collect(self.parts.area)

    def region(self, chosen: Floats) -> Region:
        """Draw superpixels with values above 0.5 in ``chosen`` (n,), at the working size."""
        return np.asarray(chosen[self.parts.labels] > 0.5)

    def of_node(self, node: int) -> Floats:
        """Mark the superpixels of a node, shape (n,), 0 or 1."""
        chosen = np.zeros(len(self.parts))
        chosen[self.tree.members(node)] = 1
        return chosen


def closedness(tree: Tree, area: Floats, frame: Floats) -> Floats:
    """Rate every node's contour, 0 to 1: stronger than the edges inside, and off the frame."""
    on_frame = tree.collect(frame)
    contrast = tree.outline / (tree.outline + tree.height + 4.0)
    free = tree.perimeter / np.maximum(tree.perimeter + 2 * on_frame, 1)
    share = tree.collect(area) / area.sum()
    size = 1 - np.exp(-share / OBJECT_SHARE)
    return np.asarray(contrast * free * size * np.clip(2 * (1 - share), 0, 1))


def everything(scene: Scene, max_masks: int) -> list[Mask]:
    """Find the main figure, then the regions of the tree by objectness, best first."""
    whole = Mask(np.ones(scene.image.shape[:2], dtype=bool), score=0.5)
    if scene.parts.flat:
        return [whole]
    rating = scene.closed * (0.2 + 0.8 * scene.node_salient)
    figure = main_figure(scene)
    if not figure.any():
        figure = scene.of_node(int(rating.argmax()))
    found = [(0.5 + 0.5 * standing_out(scene, figure), tidy(scene.region(figure), PART_SHARE))]
    for node in np.argsort(-rating, kind="stable")[: 8 * max_masks]:
        if len(found) == max_masks:
            break
        region = scene.region(scene.of_node(int(node)))
        if all(iou(region, other) <= OVERLAP for _, other in found):
            found.append((0.5 * float(rating[node]), region))
    masks = [Mask(enlarge(region, scene.image), score=score) for score, region in found]
    return [mask for mask in masks if mask.pixels.any()] or [whole]


def main_figure(scene: Scene) -> Floats:
    """Separate the salient figure from the rest; (n,), 0 or 1."""
    level = threshold(scene.parts, scene.salient)
    return cut(scene.parts, scene.salient / (scene.salient + level + 1e-9))


def standing_out(scene: Scene, figure: Floats) -> float:
    """Rate how exactly ``figure`` (n,) covers the salient area: F-measure, 0 to 1."""
    mass = scene.parts.area * scene.salient
    precision = float(figure @ mass) / float(figure @ scene.parts.area)
    recall = float(figure @ mass) / max(float(mass.sum()), 1e-9)
    return 1.3 * precision * recall / max(0.3 * precision + recall, 1e-9)


def at_point(scene: Scene, x: float, y: float) -> Mask:
    """Find the region of highest objectness around a point, in pixels of the picture."""
    height, width = scene.image.shape[:2]
    if scene.parts.flat:
        return Mask(np.ones((height, width), dtype=bool), score=0.5)
    labels = scene.parts.labels
    here = int(labels[int(y * labels.shape[0] / height), int(x * labels.shape[1] / width)])
    node, path = here, []
    while node >= 0:
        path.append(node)
        node = int(scene.tree.parent[node])
    rating = scene.closed * (0.5 + 0.5 * scene.node_salient)
    best = max(path, key=lambda k: float(rating[k]))
    fixed = np.zeros(len(scene.parts))
    fixed[here] = 1
    figure = cut(scene.parts, blur(scene.parts, scene.of_node(best)), fixed=fixed)
    pixels = enlarge(scene.region(figure), scene.image)
    pixels[int(y), int(x)] = True
    return Mask(component(pixels, int(y), int(x)), score=float(rating[best]))


def blur(parts: Superpixels, figure: Floats) -> Floats:
    """Turn a first guess, 0 or 1, into a prior that is less certain near its border; (n,)."""
    apart = np.square(parts.centre[:, None] - parts.centre[None]).sum(axis=-1)
    weight = np.exp(-apart / (2 * BLUR**2)) * parts.area
    return np.asarray(0.1 + 0.8 * (weight @ figure) / weight.sum(axis=1))


def component(mask: Region, y: int, x: int) -> Region:
    """Return the connected part of ``mask`` that contains a pixel."""
    parts, _ = ndimage.label(mask, np.ones((3, 3)))
    return np.asarray(parts == parts[y, x], dtype=bool)


def in_box(image: Image, box: tuple[float, float, float, float], work_size: int) -> Mask:
    """Find the figure that fills a box; return the box itself if there is none."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3]))
    margin_x, margin_y = math.ceil((x1 - x0) * MARGIN), math.ceil((y1 - y0) * MARGIN)
    left, top = max(x0 - margin_x, 0), max(y0 - margin_y, 0)
    crop = image[top : y1 + margin_y, left : x1 + margin_x]
    inside = np.zeros(crop.shape[:2], dtype=bool)
    inside[y0 - top : y1 - top, x0 - left : x1 - left] = True
    figure = enlarge(fill_box(crop, inside, work_size), crop) & inside
    found = figure.sum() >= LEAST_FILL * inside.sum()
    if not found:
        figure = inside
    pixels = np.zeros((height, width), dtype=bool)
    pixels[top : top + crop.shape[0], left : left + crop.shape[1]] = figure
    return Mask(pixels, score=1.0 if found else 0.5)


def fill_box(crop: Image, inside: Region, work_size: int) -> Region:
    """Separate figure and ground at the working size; empty if the picture is flat."""
    parts = superpixels(resize(crop, work_size), NUM_PARTS)
    if parts.flat:
        return np.zeros(parts.labels.shape, dtype=bool)
    shape = parts.labels.shape
    rows = np.minimum((np.arange(shape[0]) + 0.5) * crop.shape[0] / shape[0], crop.shape[0] - 1)
    columns = np.minimum((np.arange(shape[1]) + 0.5) * crop.shape[1] / shape[1], crop.shape[1] - 1)
    box = inside[np.ix_(rows.astype(int), columns.astype(int))]
    share = np.bincount(parts.labels.ravel(), box.ravel()) / parts.area
    y, x = np.nonzero(box)
    middle, half = (y.mean(), x.mean()), ((np.ptp(y) + 1) / 2, (np.ptp(x) + 1) / 2)
    long_side = max(shape)
    offset = (parts.centre * long_side - middle) / half
    prior = share * np.exp(-np.square(offset).sum(axis=1) / 2)
    if share.min() > 0.5:  # there are no surroundings to learn the ground from
        prior = saliency(parts)
    figure = cut(parts, prior, fixed=np.where(share < 0.5, -1.0, 0.0))
    return np.asarray((figure[parts.labels] > 0.5) & box, dtype=bool)
