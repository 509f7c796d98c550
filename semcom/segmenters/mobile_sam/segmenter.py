"""MobileSAM: the segment under a point, in a box, or every segment of an image.

Reference: Zhang et al., "Faster Segment Anything", arXiv:2306.14289, and for prompts, scores and
the "everything" mode Kirillov et al., "Segment Anything", arXiv:2304.02643. The network is the
package ``mobile_sam``, with batch norms folded into the convolutions before them and the mask
decoder of :mod:`semcom.segmenters.mobile_sam.mask_decoder`; masks and scores are those of its
``SamPredictor`` up to rounding.

The "everything" mode is that of :mod:`semcom.segmenters.everything`, on 256×256 logits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from channels.owner import expanded
from semcom.checkpoints import mobile_sam as checkpoint
from semcom.checkpoints.download import load_state_dict
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.processor import has_bfloat16
from semcom.segmenters.everything import POINTS_AT_ONCE, Everything, find_everything, score
from semcom.segmenters.mobile_sam import mask_decoder as decoder
from semcom.segmenters.mobile_sam.embedding import Embedding, embed, embed_prompts
from semcom.segmenters.mobile_sam.gradients import logits
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.sam_teacher import decoder_state
from semcom.torch_device import check_device
from semcom.types import Image, Mask, Prompts, Region

if TYPE_CHECKING:
    from mobile_sam.modeling import Sam

PRECISIONS = ("float32", "auto", "bfloat16")


class MobileSam:
    """The segmenter ``mobile_sam``.

    Parameters
    ----------
    weights
        Path of a checkpoint; empty for the official one, which is downloaded on first use.
    points_per_side, min_iou, min_stability, min_area
        See :class:`semcom.segmenters.everything.Everything`.
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
        file = expanded(weights) if weights else checkpoint.locate()
        state = load_state_dict(file)
        try:
            self.model = build_model(state, device=device)
        except ValueError as error:
            raise InputError(f"{file}: {error}") from error
        reduced = precision == "bfloat16" or (precision == "auto" and has_bfloat16(device))
        self.device = device
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
            found.append(Mask(_enlarge(model, embedding, logits), score(iou[best])))
    return found


def segment_everything(
    model: Sam, embedding: Embedding, settings: Everything | None = None
) -> list[Mask]:
    """Return all segments found by a grid of points, by descending predicted IoU, if any."""
    return find_everything(_Asked(model, embedding), settings or Everything())


@dataclass(frozen=True)
class _Asked:
    """An embedded image as :func:`semcom.segmenters.everything.find_everything` asks about it."""

    model: Sam
    embedding: Embedding

    @functools.cached_property
    def shared(self) -> decoder.Shared:
        """Projections of the image that all points share."""
        return decoder.share(self.model, self.embedding.features)

    @property
    def image_size(self) -> tuple[int, int]:
        return self.embedding.image_size

    @property
    def valid(self) -> tuple[int, int]:
        h, w = self.embedding.input_size
        return math.ceil(h / 4), math.ceil(w / 4)

    def at_points(self, points: tuple[tuple[float, float], ...]) -> Iterator[_Answer]:
        sparse = embed_prompts(self.model, self.embedding, Prompts(points=points))
        decoded = decoder.attend(self.model, self.embedding.features, sparse, self.shared)
        return (_Answer(self.model, decoded.only(i)) for i in range(len(points)))

    def enlarge(self, logits: Tensor) -> Region:
        return _enlarge(self.model, self.embedding, logits)


@dataclass(frozen=True)
class _Answer:
    """The three masks at a point, of which only those that are needed are computed."""

    model: Sam
    decoded: decoder.Decoded

    @property
    def iou(self) -> Tensor:
        return self.decoded.iou[0, 1:]

    def logits(self, chosen: Tensor) -> Tensor:
        return decoder.masks(self.model, self.decoded)[0, 1:][chosen]


def _enlarge(model: Sam, embedding: Embedding, logits: Tensor) -> Region:
    """Convert logits of the padded square, (256, 256), to a mask of the image's size."""
    full = model.postprocess_masks(logits[None, None], embedding.input_size, embedding.image_size)
    mask: Region = (full[0, 0] > model.mask_threshold).cpu().numpy()
    return mask
