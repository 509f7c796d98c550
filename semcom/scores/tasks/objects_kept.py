"""Whether a detector finds in the received picture what it finds in the original."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch

from semcom.checkpoints.hugging_face import check_id, find
from semcom.checkpoints.transformers_models import open_model, open_processor
from semcom.errors import InputError
from semcom.scores.base import Scored
from semcom.scores.tasks.remembered import Remembered
from semcom.types import Image

_SAME = 0.5  # IoU from which two boxes show the same object, as for AP50


class Box(NamedTuple):
    """An object that was found."""

    kind: int
    left: float
    top: float
    right: float
    bottom: float


class ObjectsKept:
    """F-measure of the objects found in the received picture against those in the original.

    Two boxes are the same object if they have the same class and an IoU of at least 0.5; each box
    is used once, the surest first. What is found in the original is taken for the truth.

    Parameters
    ----------
    model
        Id of a detector on the Hugging Face hub, or a folder; any architecture of
        ``AutoModelForObjectDetection``. The default has 6 million parameters (Apache-2.0).
    revision
        Commit, tag or branch on the hub; the latest if empty.
    threshold
        Lowest score of a box, above 0 and below 1.

    Raises
    ------
    ValueError
        The threshold is out of range, or the model is missing and cannot be fetched, is damaged, or
        is no detector.
    """

    label, unit, range = "objects kept", "", (0.0, 1.0)
    better: Literal["higher"] = "higher"

    def __init__(
        self, *, model: str = "hustvl/yolos-tiny", revision: str = "", threshold: float = 0.5
    ) -> None:
        if not 0 < threshold < 1:
            raise InputError(f"threshold must be above 0 and below 1, got {threshold}")
        check_id("objects_kept", model)
        self.threshold = threshold
        found = find("objects_kept", model, revision)
        self.network = open_model("objects_kept", found, "AutoModelForObjectDetection")
        self.processor = open_processor("objects_kept", found, "AutoImageProcessor")
        self._known = Remembered(self.detect)

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the F-measure; None if nothing is found in the original."""
        wanted = self._known(original)
        return f_measure(wanted, self.detect(received)) if wanted else None

    @torch.inference_mode()
    def detect(self, image: Image) -> list[Box]:
        """Return the objects in a picture (H, W, 3) uint8, the surest first."""
        inputs = self.processor(images=image.copy(), return_tensors="pt")
        (found,) = self.processor.post_process_object_detection(
            self.network(**inputs), threshold=self.threshold, target_sizes=[image.shape[:2]]
        )
        order = found["scores"].argsort(descending=True, stable=True)
        kinds, places = found["labels"][order].tolist(), found["boxes"][order].tolist()
        return [Box(kind, *place) for kind, place in zip(kinds, places, strict=True)]


def f_measure(truth: list[Box], found: list[Box]) -> float:
    """Return the F-measure of boxes, 0 to 1; ``truth`` is not empty.

    Examples
    --------
    >>> dog, cat = Box(1, 0, 0, 10, 10), Box(2, 20, 0, 30, 10)
    >>> f_measure([dog, cat], [Box(1, 0, 0, 10, 9)])
    0.6666666666666666
    >>> f_measure([dog], [cat]), f_measure([dog], [dog])
    (0.0, 1.0)
    """
    left = list(truth)
    for box in found:
        best = max(left, key=lambda other: _iou(box, other), default=None)
        if best is not None and _iou(box, best) >= _SAME:
            left.remove(best)
    return 2 * (len(truth) - len(left)) / (len(truth) + len(found))


def _iou(one: Box, other: Box) -> float:
    """Return the IoU of two boxes; 0 if they are of different classes."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if one.kind != other.kind or width <= 0 or height <= 0:
        return 0.0
    areas = [(box.right - box.left) * (box.bottom - box.top) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
