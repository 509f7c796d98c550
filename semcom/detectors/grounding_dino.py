"""Grounding DINO: boxes of what a text names.

Reference: Liu et al., "Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object
Detection", arXiv:2303.05499, and MM Grounding DINO, arXiv:2401.02361. The network compares every
box with every token of the text; the score of a box is that of the token that fits best. Each text
is asked alone, so that what is found for it does not depend on the others; this costs a pass of the
network each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from semcom.detectors.hub_detector import HubDetector
from semcom.types import Image


class GroundingDino(HubDetector):
    """The detector ``grounding_dino``.

    Parameters
    ----------
    model
        Id on the Hugging Face hub, or a folder; the smallest one by default (172 million
        parameters, Apache-2.0).
    revision, threshold, device
        See :class:`semcom.checkpoints.hub_model.HubModel`.
    """

    name = "grounding_dino"
    architectures = {  # noqa: RUF012 - never written to
        "grounding-dino": "GroundingDinoForObjectDetection",
        "mm-grounding-dino": "MMGroundingDinoForObjectDetection",
    }
    processor_class = "GroundingDinoProcessor"

    def __init__(
        self,
        *,
        model: str = "IDEA-Research/grounding-dino-tiny",
        revision: str = "",
        threshold: float = 0.35,
        device: str = "cpu",
    ) -> None:
        super().__init__(model, revision, threshold, device)

    @torch.inference_mode()
    def _look(
        self, image: Image, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        height, width = image.shape[:2]
        pictures = self.processor.image_processor(images=np.array(image), return_tensors="pt")
        most = int(self.network.config.max_text_len)
        for text in texts:
            # The network was trained on texts in lower case, each with a full stop.
            words = self.processor.tokenizer(
                f"{text.lower().strip('. ')}.", return_tensors="pt", return_token_type_ids=True
            )
            self._check_length(text, words["input_ids"].shape[1], most)
            inputs = {k: v.to(self.network.device) for k, v in {**pictures, **words}.items()}
            out = self.network(**inputs)
            scores = out.logits[0].sigmoid().amax(-1).cpu().double().numpy()
            x, y, w, h = out.pred_boxes[0].cpu().double().numpy().T
            boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
            yield boxes * (width, height, width, height), scores
