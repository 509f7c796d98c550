"""No segmentation: one mask that covers everything."""

from __future__ import annotations

import numpy as np

from semcom.types import Image, Mask, Prompts


class WholeImage:
    """Every pixel matters alike; prompts are ignored."""

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: ARG002, B008
        """Return one mask of all pixels."""
        return [Mask(np.ones(image.shape[:2], dtype=bool), label="image")]
