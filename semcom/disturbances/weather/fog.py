"""Fog by distance."""

from __future__ import annotations

import numpy as np

from semcom.disturbances.weather.light import clouds, from_light, to_light, veil
from semcom.types import Image, Region

VISIBILITY_M = (600.0, 300.0, 150.0, 90.0, 50.0)
"""Meteorological visibility in metres by severity, at which 5 % of a contrast are left."""
_AIRLIGHT = 0.75
_PATCHES = 0.15  # relative standard deviation of the density


class Fog:
    """Fog by Koschmieder's law, in patches, on distances that follow from the height in the frame.

    Examples
    --------
    >>> image = np.zeros((64, 64, 3), dtype=np.uint8)
    >>> seen = Fog()(image, severity=3, seed=0, truth=None)
    >>> bool(seen[0].mean() > seen[-1].mean() > 0)  # the far is whiter than the near
    True
    """

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        rng, (height, width) = np.random.default_rng(seed), image.shape[:2]
        density = np.maximum(1 + _PATCHES * clouds(height, width, rng), 0.1)
        beta = (3 / VISIBILITY_M[severity - 1] * density).astype(np.float32)
        return from_light(veil(to_light(image), beta, _AIRLIGHT))
