"""Snow: flakes and their veil."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from semcom.disturbances.weather.light import from_light, to_light, veil
from semcom.types import Image, Region

RATE_MM_PER_H = (0.5, 1.0, 2.0, 4.0, 7.0)
"""Snow rate in mm/h of water by severity, from light to heavy snowfall."""
_AIRLIGHT = 0.7
_LAYERS = ((3.2, 8e-5), (1.8, 4e-4), (1.2, 2e-3))
"""Near to far: radius of a flake, and flakes per pixel at 2 mm/h, both at a height of 480."""
_LEAST_SIGMA = 0.6  # of what is drawn in pixels; smaller flakes are drawn fainter instead


class Snow:
    """Falling flakes of three sizes, and the veil of those that are too far to be seen.

    The extinction of the veil is that of dry snow, ``5.5·S^1.38`` dB/km (ITU-R P.1814).
    """

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        rng = np.random.default_rng(seed)
        rate, (height, width) = RATE_MM_PER_H[severity - 1], image.shape[:2]
        light = veil(to_light(image), 5.5 * rate**1.38 * np.log(10) / 10 / 1000, _AIRLIGHT)
        scale = height / 480
        for radius, share in _LAYERS:
            flakes = rng.random((height, width)) < share * (rate / 2) ** 0.7 / scale**2
            exact = radius * scale / 2
            sigma = max(_LEAST_SIGMA, exact)
            drawn = gaussian_filter(flakes.astype(np.float32), (1.3 * sigma, sigma))
            cover = np.clip(drawn * (2 * np.pi * 1.3 * exact**2) * 1.4, 0, 0.95)[..., None]
            light = light * (1 - cover) + 0.95 * cover
        return from_light(light)
