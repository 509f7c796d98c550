"""MobileSAM: the segment under a point, in a box, or every segment of an image.

Reference: Zhang et al., "Faster Segment Anything", arXiv:2306.14289, and for prompts, scores and
the "everything" mode Kirillov et al., "Segment Anything", arXiv:2304.02643. The network is the
package ``mobile_sam``, with batch norms folded into the convolutions before them and the mask
decoder of :mod:`semcom.segmenters.mobile_sam.mask_decoder`; masks and scores are those of its
``SamPredictor`` up to rounding.

Unlike the reference's automatic generator, the "everything" mode finishes in seconds on a CPU:
candidates are scored, thresholded and compared as 256×256 logits, and only the survivors are
enlarged; duplicates are detected by mask and not by box; after the first quarter of the points,
those inside a segment found by another point are skipped; crops of the image are not searched
again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.checkpoints import mobile_sam as checkpoint
from semcom.checkpoints.download import load_state_dict
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.images import MAX_PIXELS
from semcom.processor import has_bfloat16
from semcom.segmenters.mobile_sam import mask_decoder as decoder
from semcom.segmenters.mobile_sam.embedding import Embedding, embed, embed_prompts
from semcom.segmenters.mobile_sam.gradients import logits
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.sam_teacher import decoder_state
from semcom.torch_device import check_device
from semcom.types import Image, Mask, Prompts, Region

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam

POINTS_AT_ONCE = 4
"""Prompts per decoder pass; larger batches exceed the processor's caches and are slower."""
PRECISIONS = ("float32", "auto", "bfloat16")
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


class MobileSam:
    """The segmenter ``mobile_sam``.

    Parameters
    ----------
    weights
        Path of a checkpoint; empty for the official one, which is downloaded on first use.
    points_per_side, min_iou, min_stability, min_area
        See :class:`Everything`.
    device
        Device on which torch computes, for example ``"cpu"`` or ``"cuda"``.
    precision
        ``float32``; ``bfloat16``: encoder and decoder multiply in bfloat16, which is slow where the
        processor has no such instructions; ``auto``: bfloat16 where it has. Masks differ between
        the two, so :attr:`provenance` names bfloat16 where it is used.

    Raises
    ------
    ValueError
        An option out of range, or a checkpoint that is missing, damaged or of another network.
    """

    provenance: str
    """The network, the first 8 digits of its checkpoint's SHA-256, and bfloat16 if it is used."""

    def __init__(
        self,
        *,
        weights: str = "",
        points_per_side: int = 12,
        min_iou: float = 0.88,
        min_stability: float = 0.95,
        min_area: int = 200,
        device: str = "cpu",
        precision: str = "float32",
    ) -> None:
        if precision not in PRECISIONS:
            choices = ", ".join(PRECISIONS)
            raise InputError(f"mobile_sam: unknown precision {precision!r}; choices: {choices}")
        self.settings = Everything(
            points_per_side=points_per_side,
            min_iou=min_iou,
            min_stability=min_stability,
            min_area=min_area,
        )
        check_device(device)
        file = Path(weights).expanduser() if weights else checkpoint.locate()
        state = load_state_dict(file)
        try:
            self.model = build_model(state, device=device)
        except ValueError as error:
            raise InputError(f"{file}: {error}") from error
        reduced = precision == "bfloat16" or (precision == "auto" and has_bfloat16(device))
        self._device_type, self._reduced = torch.device(device).type, reduced
        self.provenance = f"mobile_sam:{sha256_of(file)[:8]}" + ("-bfloat16" if reduced else "")

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8; see :class:`semcom.segmenters.base.Segmenter`."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise InputError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
        prompts.check(*image.shape[:2])
        with self._precision():
            embedding = embed(self.model, image)
            if prompts:
                return segment_prompts(self.model, embedding, prompts)
            return segment_everything(self.model, embedding, self.settings)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device_type, torch.bfloat16, enabled=self._reduced)

    def embed_image(self, image: Image) -> Tensor:
        """Return the embedding (1, 256, 64, 64): see :mod:`semcom.segmenters.sam_teacher`."""
        with self._precision():
            return embed(self.model, image).features

    def decoder_state(self) -> dict[str, Tensor]:
        """Return the decoder's weights: see :mod:`semcom.segmenters.sam_teacher`."""
        return decoder_state(self.model.state_dict())

    def logits(self, image: Tensor, prompts: Prompts) -> Tensor:
        """Return differentiable logits: :func:`semcom.segmenters.mobile_sam.gradients.logits`."""
        prompts.check(*image.shape[1:])
        return logits(self.model, image, prompts)


@torch.inference_mode()
def segment_prompts(model: Sam, embedding: Embedding, prompts: Prompts) -> list[Mask]:
    """Return one mask per prompt, points first.

    A point is ambiguous: of its three masks (whole, part, subpart), the one with the highest
    predicted IoU is returned. A box has a single mask. Scores are predicted IoUs, clipped to 0 to
    1. A mask may be empty if the network finds nothing.
    """
    found: list[Mask] = []
    sparse = embed_prompts(model, embedding, prompts)
    shared = decoder.share(model, embedding.features)
    for batch in torch.split(sparse, POINTS_AT_ONCE):
        decoded = decoder.attend(model, embedding.features, batch, shared)
        for i in range(len(batch)):
            iou = decoded.iou[i]
            is_point = len(found) < len(prompts.points)
            best = 1 + int(iou[1:].argmax()) if is_point else 0
            logits = decoder.masks(model, decoded.only(i))[0, best]
            found.append(Mask(_enlarge(model, embedding, logits), _score(iou[best])))
    return found


@torch.inference_mode()
def segment_everything(
    model: Sam, embedding: Embedding, settings: Everything | None = None
) -> list[Mask]:
    """Return all segments found by a grid of points, by descending predicted IoU, if any."""
    settings = settings or Everything()
    found = list(_search(model, embedding, settings))
    if not found:
        return []
    logits, iou = (torch.cat(parts) for parts in zip(*found, strict=True))
    rows, columns = _valid(embedding)
    masks = [
        Mask(_enlarge(model, embedding, logits[i]), _score(iou[i]))
        for i in _distinct(logits[:, :rows, :columns] > 0, iou)
    ]
    return [mask for mask in masks if mask.pixels.sum() >= settings.min_area]


def _grid(per_side: int) -> NDArray[np.float64]:
    """Return the centres of a grid of cells, (per_side², 2) as (y, x) in 0 to 1.

    Neighbours in the list are far apart (golden-ratio steps), so that the points of one batch
    rarely share a segment and many can be skipped.
    """
    n = per_side**2
    step = next(s for s in range(round(n * 0.618), 2 * n + 1) if math.gcd(s, n) == 1)
    order = np.arange(n) * step % n
    grid: NDArray[np.float64] = (np.stack(divmod(order, per_side), axis=-1) + 0.5) / per_side
    return grid


def _valid(embedding: Embedding) -> tuple[int, int]:
    """Return the rows and columns of the 256×256 logits that show the image and not padding."""
    h, w = embedding.input_size
    return math.ceil(h / 4), math.ceil(w / 4)


def _search(
    model: Sam, embedding: Embedding, settings: Everything
) -> Iterator[tuple[Tensor, Tensor]]:
    """Try the grid's points; yield the candidates of each point that finds something."""
    height, width = embedding.image_size
    rows, columns = _valid(embedding)
    todo = _grid(settings.points_per_side)
    # No point of the first quarter is skipped, so that a whole does not hide its parts.
    always = len(todo) // 4
    covered = np.zeros((rows, columns), dtype=bool)
    shared = decoder.share(model, embedding.features)
    while True:
        y, x = (todo * (rows, columns)).astype(int).T
        todo = todo[~covered[y, x] | (np.arange(len(todo)) < always)]
        if not len(todo):
            return
        batch, todo = todo[:POINTS_AT_ONCE], todo[POINTS_AT_ONCE:]
        always -= len(batch)
        points = tuple((x * width, y * height) for y, x in batch)
        sparse = embed_prompts(model, embedding, Prompts(points=points))
        decoded = decoder.attend(model, embedding.features, sparse, shared)
        for i in range(len(batch)):
            logits, iou = _candidates(model, decoded.only(i), (rows, columns), settings)
            if len(logits):
                # Use the smallest mask: within a person's mask there is a face to be found.
                small = min(logits[:, :rows, :columns] > 0, key=lambda mask: int(mask.sum()))
                covered |= small.cpu().numpy()
                yield logits, iou


def _candidates(
    model: Sam, one: decoder.Decoded, valid: tuple[int, int], settings: Everything
) -> tuple[Tensor, Tensor]:
    """Return the good ones of a point's three masks: (K, 256, 256) logits, (K,) IoUs."""
    iou = one.iou[0, 1:]
    good = iou >= settings.min_iou
    if not bool(good.any()):  # usual for a point on a boundary; no mask is computed
        return one.iou.new_empty(0, 256, 256), iou[:0]
    logits = decoder.masks(model, one)[0, 1:][good]
    inside = logits[:, : valid[0], : valid[1]].flatten(1)
    core, hull = (inside > 1).sum(1), (inside > -1).sum(1)
    stable = (core >= settings.min_stability * hull) & (inside > 0).any(1)
    return logits[stable], iou[good][stable]


def _distinct(masks: Tensor, scores: Tensor) -> list[int]:
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


def _enlarge(model: Sam, embedding: Embedding, logits: Tensor) -> Region:
    """Convert logits of the padded square, (256, 256), to a mask of the image's size."""
    full = model.postprocess_masks(logits[None, None], embedding.input_size, embedding.image_size)
    mask: Region = (full[0, 0] > model.mask_threshold).cpu().numpy()
    return mask


def _score(iou: Tensor) -> float:
    return min(1.0, max(0.0, float(iou)))
