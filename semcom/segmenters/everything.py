"""Every segment of an image, from a network of the SAM family that is asked on a grid of points.

Reference: Kirillov et al., "Segment Anything", arXiv:2304.02643, section 5 and appendix B. Unlike
the reference's automatic generator, this finishes in seconds on a CPU: candidates are scored,
thresholded and compared as low-resolution logits, and only the survivors are enlarged; duplicates
are detected by mask and not by box; after the first quarter of the points, those inside a segment
found by another point are skipped; crops of the image are not searched again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.errors import InputError
from semcom.images import MAX_PIXELS
from semcom.types import Mask, Region

POINTS_AT_ONCE = 4
"""Prompts per decoder pass; larger batches exceed the processor's caches and are slower."""
SAME = 0.7
"""Two masks of a higher IoU are the same segment (the reference's threshold)."""


@dataclass(frozen=True, kw_only=True)
class Everything:
    """Settings of the "everything" mode."""

    points_per_side: int = 12
    """Points of the grid along each side, 1 to 32."""
    min_iou: float = 0.88
    """Lowest predicted IoU, 0 to 1."""
    min_stability: float = 0.95
    """Lowest IoU between the masks at logit thresholds +1 and −1, 0 to 1."""
    min_area: int = 200
    """Smallest area in pixels of the image, 1 to 50,000,000."""

    def __post_init__(self) -> None:
        if not 1 <= self.points_per_side <= 32:
            raise InputError(f"points_per_side must be 1 to 32, got {self.points_per_side}")
        for name in ("min_iou", "min_stability"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be 0 to 1, got {getattr(self, name)}")
        if not 1 <= self.min_area <= MAX_PIXELS:
            raise InputError(f"min_area must be 1 to {MAX_PIXELS} pixels, got {self.min_area}")


class Answer(Protocol):
    """What a network says of one point: several masks (whole, part, subpart), K of them."""

    @property
    def iou(self) -> Tensor:
        """Predicted IoU of each mask, (K,) float32."""
        ...

    def logits(self, chosen: Tensor) -> Tensor:
        """Return the logits of the chosen masks, by (K,) bool → (k, h, w) float32."""
        ...


class Asked(Protocol):
    """An image that a network has seen and can be asked about."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        ...

    @property
    def valid(self) -> tuple[int, int]:
        """Rows and columns of the logits that show the image and not padding."""
        ...

    def at_points(self, points: tuple[tuple[float, float], ...]) -> Iterable[Answer]:
        """Answer for each point (x, y), in pixels of the image."""
        ...

    def enlarge(self, logits: Tensor) -> Region:
        """Turn logits (h, w) into a mask of the image's size."""
        ...


class _Candidates(NamedTuple):
    logits: Tensor
    """(k, h, w) float32."""
    iou: Tensor
    """(k,) float32, predicted."""


@torch.inference_mode()
def find_everything(asked: Asked, settings: Everything) -> list[Mask]:
    """Return all segments found by a grid of points, by descending predicted IoU, if any."""
    found = list(_search(asked, settings))
    if not found:
        return []
    logits, iou = (torch.cat(parts) for parts in zip(*found, strict=True))
    rows, columns = asked.valid
    masks = [
        Mask(asked.enlarge(logits[i]), score(iou[i]))
        for i in distinct(logits[:, :rows, :columns] > 0, iou)
    ]
    return [mask for mask in masks if mask.pixels.sum() >= settings.min_area]


def score(iou: Tensor) -> float:
    """Return a predicted IoU as a mask's score, 0 to 1."""
    return min(1.0, max(0.0, float(iou)))


def grid(per_side: int) -> NDArray[np.float64]:
    """Return the centres of a grid of cells, (per_side², 2) as (y, x) in 0 to 1.

    Neighbours in the list are far apart (golden-ratio steps), so that the points of one batch
    rarely share a segment and many can be skipped.
    """
    n = per_side**2
    step = next(s for s in range(round(n * 0.618), 2 * n + 1) if math.gcd(s, n) == 1)
    order = np.arange(n) * step % n
    grid: NDArray[np.float64] = (np.stack(divmod(order, per_side), axis=-1) + 0.5) / per_side
    return grid


def distinct(masks: Tensor, scores: Tensor) -> list[int]:
    """Suppress greedily: indices by descending score, without two masks of IoU above ``SAME``."""
    flat = masks.flatten(1).float()
    overlap = flat @ flat.mT
    area = overlap.diagonal()
    same = (overlap > SAME * (area[:, None] + area - overlap)).cpu().numpy()
    kept: list[int] = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        if not same[i, kept].any():
            kept.append(i)
    return kept


def _search(asked: Asked, settings: Everything) -> Iterator[_Candidates]:
    """Try the grid's points; yield the candidates of each point that finds something."""
    height, width = asked.image_size
    rows, columns = asked.valid
    todo = grid(settings.points_per_side)
    # No point of the first quarter is skipped, so that a whole does not hide its parts.
    always = len(todo) // 4
    covered = np.zeros((rows, columns), dtype=bool)
    while True:
        y, x = (todo * (rows, columns)).astype(int).T
        todo = todo[~covered[y, x] | (np.arange(len(todo)) < always)]
        if not len(todo):
            return
        batch, todo = todo[:POINTS_AT_ONCE], todo[POINTS_AT_ONCE:]
        always -= len(batch)
        points = tuple((x * width, y * height) for y, x in batch)
        for answer in asked.at_points(points):
            good = _candidates(answer, (rows, columns), settings)
            if good is not None:
                # Use the smallest mask: within a person's mask there is a face to be found.
                inside = good.logits[:, :rows, :columns] > 0
                small = min(inside, key=lambda mask: int(mask.sum()))
                covered |= small.cpu().numpy()
                yield good


def _candidates(answer: Answer, valid: tuple[int, int], settings: Everything) -> _Candidates | None:
    """Return the good ones of a point's masks, if any."""
    good = answer.iou >= settings.min_iou
    if not bool(good.any()):  # usual for a point on a boundary; no mask is computed
        return None
    logits = answer.logits(good)
    inside = logits[:, : valid[0], : valid[1]].flatten(1)
    core, hull = (inside > 1).sum(1), (inside > -1).sum(1)
    stable = (core >= settings.min_stability * hull) & (inside > 0).any(1)
    return _Candidates(logits[stable], answer.iou[good][stable]) if bool(stable.any()) else None
