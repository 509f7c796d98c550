"""The contract of detectors, and the table of those that semcom ships.

A detector turns words into boxes; a segmenter turns the boxes into masks
(:mod:`semcom.importance.by_text`). So any segmenter that follows boxes can be asked by text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from channels.registry import Entry, Registry
from semcom.types import Image

DEFAULT = "grounding_dino"
"""The detector that is asked unless another one is named."""


class Found(NamedTuple):
    """An object that a text names."""

    text: str
    score: float
    """The detector's confidence, 0 to 1."""
    box: tuple[float, float, float, float]
    """(x0, y0, x1, y1) in pixels, inside the image."""


class Detector(Protocol):
    """A function that finds what texts name, built by ``DETECTORS.create(spec)``."""

    def __call__(self, image: Image, texts: Sequence[str]) -> list[Found]:
        """Find all objects in ``image`` (H, W, 3) uint8 that ``texts`` name.

        They come in the order of the texts, those of one text by descending score. A text may have
        several objects or none. What is found for a text does not depend on the other texts.
        """
        ...


DETECTORS = Registry(
    "detector",
    [
        Entry(
            "grounding_dino",
            "semcom.detectors.grounding_dino:GroundingDino",
            "Grounding DINO: boxes of what a text names",
            requires=("transformers",),
            extra="hf",
        ),
        Entry(
            "owlv2",
            "semcom.detectors.owlv2:Owlv2",
            "OWLv2: boxes of what a text names",
            requires=("transformers",),
            extra="hf",
        ),
    ],
    group="semcom.detectors",
)
