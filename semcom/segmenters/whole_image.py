"""No segmentation: one mask that covers everything."""

from __future__ import annotations

import numpy as np

from semcom.types import Image, Mask, Prompts


class WholeImage:
    """Every pixel matters alike."""

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Return one mask of all pixels; raises ``ValueError`` for prompts."""
        if prompts:
            raise ValueError("segmenter 'whole_image' cannot follow points or boxes")
        return [Mask(np.ones(image.shape[:2], dtype=bool), label="image")]
