"""One grey level of noise: the control, which shows how much of a change is chance."""

from __future__ import annotations

import numpy as np

from semcom.types import Image, Region


class Jitter:
    """Noise of -1, 0 or 1 grey level, equally likely, at every severity."""

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        noise = np.random.default_rng(seed).integers(-1, 2, image.shape)
        return np.clip(image + noise, 0, 255).astype(np.uint8)
