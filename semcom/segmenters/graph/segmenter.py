"""The embedded segmenter: superpixels, objectness and a minimum cut, without weights or a network.

Superpixels merge into a tree of regions, and every region gets a probability of being the object
(:mod:`~semcom.segmenters.graph.objectness`): it differs from the background that is connected to
the frame, its outline is strong, it is compact, near the centre, off the frame, and in focus. The
mean of the regions by their probabilities, together with saliency, is a prior of place, with which
GrabCut separates figure and ground pixel by pixel (:mod:`~semcom.segmenters.graph.grab_cut`). That
is the first mask without prompts; single regions follow. A picture without contrast gives one mask
of the whole image.

A point admits only the regions around it, and favours what is near. A box is cut against its
surroundings.

The score of a mask is its expected IoU with the object under these probabilities. Where it is low,
a note says so. The segmenter knows nothing about objects: it misses those that look like their
surroundings, and those whose parts differ as much as figure and ground.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from semcom.errors import InputError
from semcom.segmenters.base import Masks
from semcom.segmenters.graph.grab_cut import grab_cut
from semcom.segmenters.graph.objectness import LEAST, describe, distance, probability
from semcom.segmenters.graph.raster import enlarge, nearest, resize
from semcom.segmenters.graph.saliency import saliency, standing_out
from semcom.segmenters.graph.superpixels import Floats, superpixels
from semcom.segmenters.graph.tree import merge
from semcom.types import Image, Mask, Prompts, Region

NUM_PARTS = 700
"""Number of superpixels per picture."""
CANDIDATES = 64
"""Number of the most probable regions that take part in the vote."""
MARGIN = 0.3
"""Width of the examined surroundings of a box, as a fraction of its sides."""
LEAST_FILL = 0.15
"""Smallest share of its box that a figure must fill."""
BOX_PEAK = 0.75
"""Probability of figure in the middle of a box."""
BOX_SCORES = (0.5, 0.88)
"""Expected IoU where a box holds no figure, and where it does."""
NEARNESS, REACH = 0.4, 0.15
"""Weight of the distance from a point in the prior of place, and its reach in long sides."""
OVERLAP = 0.6
"""Masks of a higher IoU count as the same."""
UNSURE = 0.3
"""Score below which a mask is reported as doubtful."""


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
    >>> int(first.sum()), int((first & square).sum())
    (1296, 1296)
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
            return with_doubts(boxes)
        scene = Scene(image, self.work_size)
        if not prompts:
            found = everything(scene, self.max_masks)
            return Masks(found, with_doubts(found[:1]).notes)
        return with_doubts([at_point(scene, x, y) for x, y in prompts.points] + boxes)


class Scene:
    """The analysis of a picture: superpixels, the tree of regions, and their features."""

    def __init__(self, image: Image, work_size: int) -> None:
        self.image = image
        self.work_size = work_size
        self.parts = superpixels(resize(image, work_size), NUM_PARTS)
        if not self.parts.flat:
            self.tree = merge(self.parts)
            self.salient = saliency(self.parts)
            self.features = describe(image, self.parts, self.tree, self.salient)

    def candidates(self, here: tuple[float, float] | None = None) -> tuple[Floats, Floats]:
        """Return the k most probable regions and their probabilities.

        Parameters
        ----------
        here
            A pixel (x, y) of the picture that they must contain.

        Returns
        -------
        regions, chance
            The superpixels of every region, 0 or 1, shape (k, n); probabilities (k,), sum 1.
        """
        features, allowed = self.features, np.ones(len(self.tree.parent), dtype=bool)
        if here is not None:
            y, x = nearest(self.parts.labels.shape, self.image.shape, here)
            allowed = self.tree.above(int(self.parts.labels[y, x]))
            long_side = max(self.parts.labels.shape)
            away = distance(self.parts, self.tree, y / long_side, x / long_side)
            features = {**features, "away": away}
        chance = probability(features, allowed, point=here is not None)
        top = np.argsort(-chance, kind="stable")[:CANDIDATES]
        top = top[chance[top] > 0]
        regions = np.zeros((len(top), len(self.parts)))
        for row, node in zip(regions, top, strict=True):
            row[self.tree.members(int(node))] = 1
        return regions, chance[top] / chance[top].sum()

    def region(self, chosen: Floats) -> Region:
        """Draw superpixels with values above 0.5 in ``chosen`` (n,), at the working size."""
        return np.asarray(chosen[self.parts.labels] > 0.5)

    def cut(self, place: Floats, here: tuple[float, float] | None = None) -> Region:
        """Separate the figure, given its probability (n,) and a pixel of it, at the full size."""
        small = resize(self.image, self.work_size // 2)
        shape = small.shape[:2]
        rows, columns = (
            (np.arange(size) + 0.5) * whole / size
            for size, whole in zip(shape, self.parts.labels.shape, strict=True)
        )
        labels = self.parts.labels[np.ix_(rows.astype(int), columns.astype(int))]
        fixed = np.zeros(shape, dtype=np.int8)
        if here is not None:
            row, column = nearest(shape, self.image.shape, here)
            fixed[row, column] = 1
        return enlarge(grab_cut(small, place[labels], fixed), self.image)

    def expected_iou(self, regions: Floats, chance: Floats, others: Floats) -> Floats:
        """Return the mean IoU (m,) of ``others`` (m, n) with the regions by their chances."""
        common = (others * self.parts.area) @ regions.T
        sizes, other_sizes = regions @ self.parts.area, others @ self.parts.area
        either = other_sizes[:, None] + sizes - common
        return np.asarray((common / np.maximum(either, 1e-9)) @ chance)

    def shares(self, pixels: Region) -> Floats:
        """Return the share of every superpixel that a mask (H, W) covers, shape (n,)."""
        labels = self.parts.labels
        rows, columns = (
            ((np.arange(size) + 0.5) * whole / size).astype(int)
            for size, whole in zip(labels.shape, pixels.shape, strict=True)
        )
        covered = pixels[np.ix_(rows, columns)]
        return np.asarray(np.bincount(labels.ravel(), covered.ravel()) / self.parts.area)


def everything(scene: Scene, max_masks: int) -> list[Mask]:
    """Find the main figure, then the regions of the tree by objectness, best first."""
    whole = Mask(np.ones(scene.image.shape[:2], dtype=bool), score=0.5)
    if scene.parts.flat:
        return [whole]
    regions, chance = scene.candidates()
    figure = scene.cut((chance @ regions + standing_out(scene.parts, scene.salient)) / 2)
    if figure.mean() < LEAST:  # a cut may shrink to almost nothing
        figure = enlarge(scene.region(regions[0]), scene.image)
    covered = scene.shares(figure)
    best = float(scene.expected_iou(regions, chance, covered[None])[0])
    found = [Mask(figure, score=best)]
    kept = [covered]
    scores = scene.expected_iou(regions, chance, regions)
    for k in np.argsort(-scores, kind="stable"):
        if len(found) == max_masks:
            break
        if (overlap(scene.parts.area, regions[k], np.array(kept)) <= OVERLAP).all():
            kept.append(regions[k])
            mask = enlarge(scene.region(regions[k]), scene.image)
            found.append(Mask(mask, score=min(float(scores[k]), best)))
    return [mask for mask in found if mask.pixels.any()] or [whole]


def overlap(area: Floats, one: Floats, others: Floats) -> Floats:
    """Return the IoU (m,) of superpixels ``one`` (n,) with ``others`` (m, n), of this area."""
    common = others @ (area * one)
    return np.asarray(common / np.maximum(others @ area + one @ area - common, 1e-9))


def at_point(scene: Scene, x: float, y: float) -> Mask:
    """Find the object around a point, in pixels of the picture."""
    height, width = scene.image.shape[:2]
    if scene.parts.flat:
        return Mask(np.ones((height, width), dtype=bool), score=0.5)
    regions, chance = scene.candidates((x, y))
    apart = scene.parts.centre * max(height, width) - (y, x)
    near = np.exp(-np.square(apart).sum(axis=1) / (2 * (REACH * max(height, width)) ** 2))
    place = (1 - NEARNESS) * (chance @ regions) + NEARNESS * near
    pixels = scene.cut(place, (x, y))
    pixels[int(y), int(x)] = True
    pixels = component(pixels, int(y), int(x))
    score = scene.expected_iou(regions, chance, scene.shares(pixels)[None])
    return Mask(pixels, score=float(score[0]))


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
    figure = enlarge(fill_box(crop, inside, work_size // 2), crop) & inside
    found = bool(figure.sum() >= LEAST_FILL * inside.sum())
    if not found:
        figure = inside
    pixels = np.zeros((height, width), dtype=bool)
    pixels[top : top + crop.shape[0], left : left + crop.shape[1]] = figure
    return Mask(pixels, score=BOX_SCORES[found])


def fill_box(crop: Image, inside: Region, long_side: int) -> Region:
    """Separate figure and ground at the working size; empty if the picture is flat."""
    small = resize(crop, long_side)
    shape = small.shape[:2]
    rows = np.minimum((np.arange(shape[0]) + 0.5) * crop.shape[0] / shape[0], crop.shape[0] - 1)
    columns = np.minimum((np.arange(shape[1]) + 0.5) * crop.shape[1] / shape[1], crop.shape[1] - 1)
    box = inside[np.ix_(rows.astype(int), columns.astype(int))]
    y, x = np.nonzero(box)
    offset_y = (np.arange(shape[0]) - y.mean()) / ((np.ptp(y) + 1) / 2)
    offset_x = (np.arange(shape[1]) - x.mean()) / ((np.ptp(x) + 1) / 2)
    place = BOX_PEAK * np.exp(-(offset_y[:, None] ** 2 + offset_x**2) / 2)
    fixed = np.where(box, 0, -1).astype(np.int8)
    return np.asarray(grab_cut(small, place * box, fixed) & box)


def with_doubts(masks: list[Mask]) -> Masks:
    """Add a note if there are masks of a low score."""
    low = [mask.score for mask in masks if mask.score < UNSURE]
    if not low:
        return Masks(masks)
    what = "the object" if len(masks) == 1 else f"{len(low)} of {len(masks)} objects"
    note = f"graph is not sure of {what}: score {min(low):.2f}; a box helps"
    return Masks(masks, (note,))
