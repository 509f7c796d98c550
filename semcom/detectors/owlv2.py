"""OWLv2: boxes of what a text names.

Reference: Minderer et al., "Scaling Open-Vocabulary Object Detection", arXiv:2306.09683. The
network sees the picture padded to a square at the bottom or the right, and compares an embedding of
every patch with that of each text, so that one pass serves all texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from semcom.detectors.hub_detector import HubDetector
from semcom.types import Image


class Owlv2(HubDetector):
    """The detector ``owlv2``.

    Parameters
    ----------
    model
        Id on the Hugging Face hub, or a folder; the smallest one by default (155 million
        parameters, Apache-2.0).
    revision, threshold, device
        See :class:`semcom.checkpoints.hub_model.HubModel`.
    """

    name = "owlv2"
    architectures = {"owlv2": "Owlv2ForObjectDetection"}  # noqa: RUF012 - never written to
    processor_class = "Owlv2Processor"

    def __init__(
        self,
        *,
        model: str = "google/owlv2-base-patch16-ensemble",
        revision: str = "",
        threshold: float = 0.2,
        device: str = "cpu",
    ) -> None:
        super().__init__(model, revision, threshold, device)

    @torch.inference_mode()
    def _look(
        self, image: Image, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        most = int(self.network.config.text_config.max_position_embeddings)
        words = self.processor.tokenizer(
            list(texts), return_tensors="pt", padding="longest", return_attention_mask=True
        )
        for text, mask in zip(texts, words["attention_mask"], strict=True):
            self._check_length(text, int(mask.sum()), most)
        words = self.processor.tokenizer(
            list(texts),
            return_tensors="pt",
            padding="max_length",
            max_length=most,
            return_attention_mask=True,
        )
        pictures = self.processor.image_processor(images=np.array(image), return_tensors="pt")
        device = self.network.device
        out = self.network(
            input_ids=words["input_ids"].to(device),
            attention_mask=words["attention_mask"].to(device),
            pixel_values=pictures["pixel_values"].to(device),
        )
        x, y, w, h = out.pred_boxes[0].cpu().double().numpy().T * max(image.shape[:2])
        boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
        for logits in out.logits[0].T:
            yield boxes, logits.sigmoid().cpu().double().numpy()
