"""Objects that the user names: a detector's boxes become a segmenter's masks, each labelled.

A segmenter that follows boxes needs to know nothing of words. One that takes texts itself says so
by its attribute ``takes_text`` and is asked directly.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcom.detectors.base import DEFAULT, DETECTORS, Detector, Found
from semcom.errors import InputError
from semcom.segmenters.inner import PROMPTLESS, TEXT_ALONE, asked
from semcom.sizes import Size, scaled, size_of
from semcom.types import Image, Mask, Prompts


@dataclass(frozen=True)
class Marked:
    """Prompts after the texts in them have become boxes."""

    prompts: Prompts
    """What the segmenter is asked; without any, there is nothing to ask for."""
    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """The texts that the last boxes belong to."""
    record: dict[str, Any] = field(default_factory=dict)
    """The texts, the detector and what it found, for the record of a delivery."""

    def labelled(self, masks: Sequence[Mask]) -> list[Mask]:
        """Return the masks of :attr:`prompts`, with the texts as labels of the last ones."""
        first = len(masks) - len(self.labels)
        named = (
            replace(mask, label=label)
            for mask, label in zip(masks[first:], self.labels, strict=True)
        )
        return [*masks[:first], *named]

    def missed(self, masks: Sequence[Mask]) -> list[str]:
        """Return a note on each text that names nothing in the picture."""
        labels = {mask.label for mask in masks}
        by = self.record.get("detector", "the segmenter")
        return [f"text {t!r}: nothing found by {by}" for t in self.texts if t not in labels]


def check_prompts(prompts: Prompts, segmenter: str, detector: str) -> None:
    """Refuse prompts that the segmenter or the detector does not fit, before any image is read.

    Raises
    ------
    ValueError
        The detector is unknown or its extra is missing, it has no text to look for, or the
        segmenter follows no prompts of this kind.
    """
    name = asked(segmenter)
    if prompts and name in PROMPTLESS:
        raise InputError(f"segmenter {name!r} cannot follow points, boxes or text")
    if name in TEXT_ALONE:
        if prompts.points or prompts.boxes:
            raise InputError(f"segmenter {name!r} takes texts, not points or boxes")
        if not prompts.text:
            raise InputError(f"segmenter {name!r} needs a text that names what to look for")
    if not prompts.text:
        if detector != DEFAULT:
            raise InputError(f"detector {detector!r} needs a text that names what to look for")
        return
    DETECTORS.parse(detector)


def mark(segmenter: Any, image: Image, prompts: Prompts, detector: str, size: Size) -> Marked:
    """Find what the texts among the prompts name.

    Parameters
    ----------
    segmenter
        The segmenter that will be asked.
    image
        (H, W, 3) uint8.
    prompts
        Points, boxes and texts.
    detector
        Detector by name, with options; see :data:`semcom.detectors.base.DETECTORS`.
    size
        Height and width that the prompts refer to; the boxes of the result do so as well.
    """
    texts = prompts.text
    if not texts:
        return Marked(prompts)
    if getattr(segmenter, "takes_text", False):
        return Marked(prompts, texts, record={"text": texts})
    find = _detector(detector)
    found = find(image, texts)
    boxes = scaled(Prompts(boxes=tuple(one.box for one in found)), size_of(image), size)
    marked = replace(prompts, boxes=prompts.boxes + boxes.boxes, text=())
    record = {
        "text": texts,
        "detector": getattr(find, "provenance", detector),
        "found": tuple(_brief(one) for one in found),
    }
    return Marked(marked, texts, tuple(one.text for one in found), record)


def _brief(one: Found) -> dict[str, Any]:
    box = [round(side, 2) for side in one.box]
    return {"text": one.text, "score": round(one.score, 4), "box": box}


@functools.lru_cache(maxsize=2)
def _detector(spec: str) -> Detector:
    """Build a detector once, because loading the weights of a network takes a second."""
    find: Detector = DETECTORS.create(spec)
    return find
