"""Whether a classifier calls the received picture what it calls the original."""

from __future__ import annotations

from typing import Literal

import torch

from semcom.checkpoints.hugging_face import check_id, find
from semcom.checkpoints.transformers_models import open_model, open_processor
from semcom.scores.base import Scored
from semcom.scores.tasks.remembered import Remembered
from semcom.types import Image


class ClassKept:
    """1 if the most likely class of the received picture is that of the original, else 0.

    The mean over pictures is the accuracy against the predictions for the originals, which are
    taken for the truth.

    Parameters
    ----------
    model
        Id of a classifier on the Hugging Face hub, or a folder; any architecture of
        ``AutoModelForImageClassification``. The default has 6 million parameters (Apache-2.0).
    revision
        Commit, tag or branch on the hub; the latest if empty.

    Raises
    ------
    ValueError
        The model is missing and cannot be fetched, is damaged, or is no classifier.
    """

    label, unit, range = "class kept", "", (0.0, 1.0)
    better: Literal["higher"] = "higher"

    def __init__(
        self, *, model: str = "facebook/deit-tiny-patch16-224", revision: str = ""
    ) -> None:
        check_id("class_kept", model)
        found = find("class_kept", model, revision)
        self.network = open_model("class_kept", found, "AutoModelForImageClassification")
        self.processor = open_processor("class_kept", found, "AutoImageProcessor")
        self._known = Remembered(self.predict)

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return 1 or 0."""
        return float(self.predict(received) == self._known(original))

    @torch.inference_mode()
    def predict(self, image: Image) -> int:
        """Return the number of the most likely class of a picture (H, W, 3) uint8."""
        inputs = self.processor(images=image.copy(), return_tensors="pt")
        return int(self.network(**inputs).logits[0].argmax())
