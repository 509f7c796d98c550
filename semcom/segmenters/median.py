"""A segmenter that is asked several times in slightly different ways, and whose answers vote."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from semcom.errors import InputError
from semcom.hashes import derive_seed, digest
from semcom.segmenters.base import Segmenter
from semcom.segmenters.inner import build_inner, check_inner, describe
from semcom.segmenters.overlap import iou
from semcom.types import Image, Mask, Prompts

_MOST = 100


class Median:
    """The median of several masks of another segmenter.

    With prompts, each prompt is moved at random, the corners of a box in proportion to its sides,
    and a pixel belongs to the mask if it does so for more than half of them. Without prompts, the
    picture gets noise of one grey level, and the masks that overlap most correspond to each other.
    The first of the draws is undisturbed.

    The score of a mask is that of the other segmenter times the mean IoU of the draws with the
    median: a mask that the smallest change destroys deserves little trust.

    Parameters
    ----------
    of
        The other segmenter by its name, with its default options. ``auto``: MobileSAM if its
        weights are here, and otherwise ``graph``.
    draws
        How often it is asked, an odd number from 3 to 99.
    spread
        Standard deviation by which a point moves, as a share of the picture's long side, above 0
        and at most 0.2. A corner of a box moves by this share of the sides of the box.

    Examples
    --------
    >>> image = np.full((64, 64, 3), 60, dtype=np.uint8)
    >>> image[16:48, 16:48] = 200
    >>> (mask,) = Median(of="graph")(image, Prompts(points=((32, 32),)))
    >>> int(mask.pixels.sum()) == 32 * 32
    True
    """

    def __init__(self, *, of: str = "auto", draws: int = 5, spread: float = 0.02) -> None:
        if not 3 <= draws < _MOST or draws % 2 == 0:
            raise InputError(f"median: draws must be an odd number from 3 to 99, got {draws}")
        if not 0 < spread <= 0.2:
            raise InputError(f"median: spread must be above 0 and at most 0.2, got {spread}")
        self._name = check_inner("median", of)
        self._draws, self._spread = draws, spread

    @functools.cached_property
    def _built(self) -> tuple[Segmenter, str]:
        return build_inner(self._name)

    @property
    def provenance(self) -> str:
        """The segmenter with all its options, and the weights of the inner one."""
        name = describe("median", self._name, draws=self._draws, spread=self._spread)
        return name + self._built[1]

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8; see :class:`semcom.segmenters.base.Segmenter`."""
        prompts.check(*image.shape[:2])
        rng = np.random.default_rng(derive_seed("median", digest(image)))
        if prompts:
            return self._prompted(image, prompts, rng)
        ask, _ = self._built
        first = ask(image)
        noisy = (_noisy(image, rng) for _ in range(self._draws - 1))
        others = [ask(picture) for picture in noisy]
        return [_median([one, *(_closest(one, other) for other in others)]) for one in first]

    def _prompted(self, image: Image, prompts: Prompts, rng: np.random.Generator) -> list[Mask]:
        """Ask for all moved prompts at once, so that the picture is analysed only once."""
        points = [self._moved_points(point, image, rng) for point in prompts.points]
        boxes = [self._moved_boxes(box, image, rng) for box in prompts.boxes]
        every = Prompts(
            tuple(point for some in points for point in some),
            tuple(box for some in boxes for box in some),
        )
        found, n = self._built[0](image, every), self._draws
        return [_median(found[i : i + n]) for i in range(0, len(found), n)]

    def _moved_points(
        self, point: tuple[float, float], image: Image, rng: np.random.Generator
    ) -> list[tuple[float, float]]:
        height, width = image.shape[:2]
        moves = rng.normal(scale=self._spread * max(height, width), size=(self._draws - 1, 2))
        moved = np.clip(np.add(point, moves), 0, (width - 1, height - 1))
        return [point, *((float(x), float(y)) for x, y in moved)]

    def _moved_boxes(
        self, box: tuple[float, float, float, float], image: Image, rng: np.random.Generator
    ) -> list[tuple[float, float, float, float]]:
        height, width = image.shape[:2]
        sides = np.array([box[2] - box[0], box[3] - box[1]] * 2)
        moves = rng.normal(scale=self._spread, size=(self._draws - 1, 4)) * sides
        moved = np.clip(np.add(box, moves), 0, (width, height) * 2)
        # A box that is turned inside out stays where it was.
        kept = [row if row[0] + 1 <= row[2] and row[1] + 1 <= row[3] else box for row in moved]
        return [box, *((float(a), float(b), float(c), float(d)) for a, b, c, d in kept)]


def _noisy(image: Image, rng: np.random.Generator) -> Image:
    moved = image.astype(np.int16) + rng.integers(-1, 2, image.shape)
    return np.clip(moved, 0, 255).astype(np.uint8)


def _closest(mask: Mask, others: Sequence[Mask]) -> Mask:
    """Return the mask of largest overlap; an empty one if there are none."""
    if not others:
        return Mask(np.zeros_like(mask.pixels), score=0.0)
    return max(others, key=lambda other: iou(mask.pixels, other.pixels))


def _median(masks: Sequence[Mask]) -> Mask:
    pixels = 2 * np.sum([mask.pixels for mask in masks], axis=0) > len(masks)
    agreement = float(np.mean([iou(mask.pixels, pixels) for mask in masks]))
    score = agreement * float(np.mean([mask.score for mask in masks]))
    return replace(masks[0], pixels=pixels, score=score)
