"""No segmentation: a single mask that covers the whole image."""

from __future__ import annotations

import numpy as np

from semcom.errors import InputError
from semcom.types import Image, Mask, Prompts


class WholeImage:
    """A segmenter for which all pixels are equally important.

    Examples
    --------
    >>> import numpy as np
    >>> (mask,) = WholeImage()(np.zeros((32, 48, 3), dtype=np.uint8))
    >>> int(mask.pixels.sum())
    1536
    """

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Return one mask of all pixels; raise ``ValueError`` for prompts."""
        if prompts:
            raise InputError("segmenter 'whole_image' cannot follow points, boxes or text")
        return [Mask(np.ones(image.shape[:2], dtype=bool), label="image")]
