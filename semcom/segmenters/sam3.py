"""SAM 3: all objects in the picture that a text names.

Reference: "SAM 3: Segment Anything with Concepts", arXiv:2511.16719. The weights are gated: the
user accepts the licence on their page and has a token. Points, boxes and everything without a
prompt are not what this network is for; the segmenter ``hf`` does that.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

from semcom.checkpoints.hugging_face import Snapshot, check_id, find
from semcom.checkpoints.transformers_models import open_model, open_processor
from semcom.errors import InputError
from semcom.torch_device import check_device
from semcom.types import Image, Mask, Prompts

_KINDS = ("sam3", "sam3_video")


class Sam3:
    """The segmenter ``sam3``.

    The files of the model are looked for when it is first asked, and fetched if they are not here.

    Parameters
    ----------
    model
        Id on the Hugging Face hub, or a folder.
    revision
        Commit, tag or branch on the hub; the latest if empty. The commit that was used is recorded.
    threshold
        Lowest score of an object, above 0 and below 1.
    device
        Device on which torch computes.

    Raises
    ------
    ValueError
        An option is out of range; when it is asked, also a model that is missing, damaged, of
        another architecture, or out of the user's reach.
    """

    takes_text = True

    def __init__(
        self,
        *,
        model: str = "facebook/sam3",
        revision: str = "",
        threshold: float = 0.5,
        device: str = "cpu",
    ) -> None:
        if not 0 < threshold < 1:
            raise InputError(f"sam3: threshold must be above 0 and below 1, got {threshold}")
        check_id("sam3", model)
        check_device(device)
        self._model, self._revision = model, revision
        self._threshold, self._device = threshold, device

    @functools.cached_property
    def _found(self) -> Snapshot:
        return find("sam3", self._model, self._revision)

    @functools.cached_property
    def _opened(self) -> tuple[Any, Any]:
        """The network in eval mode, and what prepares pictures and words for it."""
        if self._found.kind not in _KINDS:
            raise InputError(
                f"sam3: {self._found.folder} is of the architecture "
                f"{self._found.kind or 'unknown'!r}; choices: {', '.join(_KINDS)}"
            )
        processor = open_processor("sam3", self._found, "Sam3Processor")
        return open_model("sam3", self._found, "Sam3Model", device=self._device), processor

    @functools.cached_property
    def provenance(self) -> str:
        """The segmenter with its options and the commit, or the hash of the weights in a folder."""
        return self._found.provenance("sam3", self._model, threshold=self._threshold)

    @torch.inference_mode()
    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Find the objects in ``image`` (H, W, 3) uint8 that the texts of ``prompts`` name.

        They come in the order of the texts, those of one text by descending score.
        """
        if prompts.points or prompts.boxes:
            raise InputError("segmenter 'sam3' takes texts, not points or boxes")
        if not prompts.text:
            raise InputError("segmenter 'sam3' needs a text that names what to look for")
        network, processor = self._opened
        pictures = processor(images=np.array(image), return_tensors="pt")
        seen = network.get_vision_features(pixel_values=pictures["pixel_values"].to(self._device))
        masks: list[Mask] = []
        for text in prompts.text:
            words = processor(text=text, return_tensors="pt").to(self._device)
            out = network(vision_embeds=seen, **words)
            (found,) = processor.post_process_instance_segmentation(
                out, threshold=self._threshold, target_sizes=[image.shape[:2]]
            )
            scores = found["scores"].cpu()
            for i in scores.argsort(descending=True, stable=True).tolist():
                pixels = found["masks"][i].bool().cpu().numpy()
                masks.append(Mask(pixels, float(scores[i]), text))
        return masks
