"""What the detectors from the Hugging Face hub have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from semcom.checkpoints.hub_model import HubModel
from semcom.detectors.base import Found
from semcom.detectors.boxes import strongest
from semcom.errors import InputError
from semcom.types import Image


class HubDetector(HubModel):
    """A detector; options as of :class:`semcom.checkpoints.hub_model.HubModel`."""

    def __call__(self, image: Image, texts: Sequence[str]) -> list[Found]:
        """Find what texts name; see :class:`semcom.detectors.base.Detector`."""
        height, width = image.shape[:2]
        found: list[Found] = []
        for text, (boxes, scores) in zip(texts, self._look(image, texts), strict=True):
            found += strongest(
                text, boxes, scores, threshold=self.threshold, height=height, width=width
            )
        return found

    def _look(
        self, image: Image, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Yield all boxes (N, 4) in pixels and their scores (N,) for each text."""
        raise NotImplementedError

    def _check_length(self, text: str, num_tokens: int, most: int) -> None:
        if num_tokens > most:
            raise InputError(
                f"{self.name} takes texts of at most {most} tokens, {text!r} has {num_tokens}"
            )
