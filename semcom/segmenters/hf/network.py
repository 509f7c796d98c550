"""Networks of the SAM family as the package ``transformers`` has them, and what they see.

===========================  ========================  =============================================
``model_type``               class                     the picture that it sees
===========================  ========================  =============================================
``sam`` (SlimSAM as well)    ``SamModel``              long side resized to the network's size,
``sam_hq``                   ``SamHQModel``            padded to a square at the bottom or the right
``sam2``, ``sam2_video``     ``Sam2Model``             both sides resized to the network's size
``edgetam(_video)``          ``EdgeTamModel``
===========================  ========================  =============================================

References: SAM arXiv:2304.02643, SlimSAM arXiv:2312.05284, SAM-HQ arXiv:2306.01567, SAM 2
arXiv:2408.00714, EdgeTAM arXiv:2501.07256. Masks and scores are those of the packages' own
processors up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from semcom.checkpoints.hugging_face import Snapshot
from semcom.checkpoints.transformers_models import open_model
from semcom.errors import InputError
from semcom.segmenters.everything import POINTS_AT_ONCE, score
from semcom.types import Image, Mask, Prompts, Region

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Family(NamedTuple):
    """What distinguishes the networks of one kind."""

    architecture: str
    """Name of the class in ``transformers``."""
    padded: bool
    """Whether the picture keeps its aspect ratio and is padded to a square."""


FAMILIES = {
    "sam": Family("SamModel", padded=True),
    "sam_hq": Family("SamHQModel", padded=True),
    "sam2": Family("Sam2Model", padded=False),
    "sam2_video": Family("Sam2Model", padded=False),
    "edgetam": Family("EdgeTamModel", padded=False),
    "edgetam_video": Family("EdgeTamModel", padded=False),
}
"""The families by the ``model_type`` of their configuration."""


@dataclass(frozen=True)
class Network:
    """A network in eval mode, with what its pictures are prepared by."""

    model: Any
    padded: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Mean and standard deviation of the channels R, G, B, for values from 0 to 1."""

    @property
    def side(self) -> int:
        """Height and width in pixels of what the network sees."""
        side = self.model.config.prompt_encoder_config.image_size
        return int(side if isinstance(side, int) else side[0])

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width of an image after resizing, without padding."""
        if not self.padded:
            return self.side, self.side
        scale = self.side / max(height, width)
        return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def open_network(who: str, found: Snapshot, *, device: str = "cpu") -> Network:
    """Open a network of any family.

    Raises
    ------
    ValueError
        An architecture of another kind, or damaged files.
    """
    family = FAMILIES.get(found.kind)
    if family is None:
        raise InputError(
            f"{who}: {found.folder} is of the architecture {found.kind or 'unknown'!r}; "
            f"choices: {', '.join(FAMILIES)}"
        )
    about = found.json("preprocessor_config.json")
    about |= found.json("processor_config.json").get("image_processor") or {}
    mean, std = (
        tuple(float(value) for value in about.get(f"image_{name}") or default)
        for name, default in zip(("mean", "std"), _IMAGENET, strict=True)
    )
    model = open_model(who, found, family.architecture, device=device)
    return Network(model, family.padded, mean, std)


@dataclass(frozen=True)
class Seen:
    """An image that a network has seen; see :class:`semcom.segmenters.everything.Asked`."""

    network: Network
    image_size: tuple[int, int]
    features: dict[str, Any]
    """The embedding of the image, as ``forward`` of the network takes it."""
    low_size: tuple[int, int]
    """Height and width of the logits, padding included."""

    @property
    def valid(self) -> tuple[int, int]:
        """Rows and columns of the logits that show the image and not padding."""
        h, w = self.network.input_size(*self.image_size)
        rows, columns = self.low_size
        return math.ceil(h * rows / self.network.side), math.ceil(w * columns / self.network.side)

    def at_points(self, points: tuple[tuple[float, float], ...]) -> Iterable[Answer]:
        """Answer for each point (x, y), in pixels of the image, with three masks."""
        xy = self._scaled(np.reshape(points, (-1, 1, 2)))
        return self._ask(input_points=xy[None], input_labels=xy.new_ones(1, len(xy), 1).long())

    def in_boxes(self, boxes: tuple[tuple[float, float, float, float], ...]) -> Iterable[Answer]:
        """Answer for each box (x0, y0, x1, y1), in pixels of the image, with one mask."""
        corners = self._scaled(np.reshape(boxes, (-1, 2, 2)))
        return self._ask(input_boxes=corners.reshape(1, -1, 4), multimask_output=False)

    def enlarge(self, logits: Tensor) -> Region:
        """Turn logits (h, w) into a mask of the image's size."""
        full = logits[None, None]
        if self.network.padded:
            side, (h, w) = self.network.side, self.network.input_size(*self.image_size)
            full = _resized(full, (side, side))[..., :h, :w]
        mask: Region = (_resized(full, self.image_size)[0, 0] > 0).cpu().numpy()
        return mask

    def _scaled(self, xy: np.ndarray[Any, Any]) -> Tensor:
        """Convert coordinates (..., 2) of the image to those of what the network sees."""
        (height, width), (h, w) = self.image_size, self.network.input_size(*self.image_size)
        scaled = xy * (w / width, h / height)
        return torch.as_tensor(scaled, dtype=torch.float32, device=self.network.model.device)

    def _ask(self, **prompts: Any) -> Iterator[Answer]:
        out = self.network.model(**self.features, **prompts)
        return (Answer(*one) for one in zip(out.iou_scores[0], out.pred_masks[0], strict=True))


@dataclass(frozen=True)
class Answer:
    """The masks for one prompt; see :class:`semcom.segmenters.everything.Answer`."""

    iou: Tensor
    """(K,) float32, predicted."""
    low: Tensor
    """Logits (K, h, w) float32."""

    def logits(self, chosen: Tensor) -> Tensor:
        """Return the logits of the chosen masks."""
        return self.low[chosen]


@torch.inference_mode()
def see(network: Network, image: Image) -> Seen:
    """Encode ``image``, (H, W, 3) uint8 of any size."""
    model = network.model
    pixels = prepare(network, image)
    embedding = model.get_image_embeddings(pixel_values=pixels)
    if isinstance(embedding, tuple):  # SAM-HQ adds features from within the encoder
        features = dict(
            zip(("image_embeddings", "intermediate_embeddings"), embedding, strict=True)
        )
    else:
        features = {"image_embeddings": embedding}
    coarse = embedding[0] if isinstance(embedding, tuple) else embedding
    coarse = coarse[-1] if isinstance(coarse, list) else coarse
    rows, columns = coarse.shape[-2:]  # the decoder enlarges them four times
    return Seen(network, (image.shape[0], image.shape[1]), features, (4 * rows, 4 * columns))


def prepare(network: Network, image: Image) -> Tensor:
    """Resize, normalise and maybe pad ``image`` (H, W, 3) uint8 → (1, 3, side, side) float32."""
    h, w = network.input_size(*image.shape[:2])
    x = torch.from_numpy(np.array(image)).to(network.model.device)
    # Rounded to whole grey levels, as the packages' own processors are.
    x = functional.interpolate(
        x.permute(2, 0, 1)[None].float(), (h, w), mode="bilinear", antialias=True
    ).round()
    mean, std = (x.new_tensor(values)[:, None, None] for values in (network.mean, network.std))
    return functional.pad((x / 255 - mean) / std, (0, network.side - w, 0, network.side - h))


@torch.inference_mode()
def segment_prompts(seen: Seen, prompts: Prompts) -> list[Mask]:
    """Return one mask per prompt, points first, then boxes.

    A point is ambiguous: of its three masks (whole, part, subpart), the one with the highest
    predicted IoU is returned. A box has a single mask. Scores are predicted IoUs, clipped to 0 to
    1. A mask may be empty if the network finds nothing.
    """
    found: list[Mask] = []
    for ask, marks in ((seen.at_points, prompts.points), (seen.in_boxes, prompts.boxes)):
        for start in range(0, len(marks), POINTS_AT_ONCE):
            for answer in ask(marks[start : start + POINTS_AT_ONCE]):  # type: ignore[arg-type]
                best = int(answer.iou.argmax())
                found.append(Mask(seen.enlarge(answer.low[best]), score(answer.iou[best])))
    return found


def _resized(logits: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(logits, size, mode="bilinear", align_corners=False)
