"""Rain: streaks and their veil."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, gaussian_filter

from semcom.disturbances.weather.light import Light, from_light, to_light, veil
from semcom.types import Image, Region

RATE_MM_PER_H = (5.0, 15.0, 30.0, 60.0, 100.0)
"""Rain rate in mm/h by severity, from light rain to a cloudburst."""
_AIRLIGHT = 0.45
_LAYERS = ((0.085, 1.8, 0.35), (0.05, 1.2, 0.5), (0.025, 0.8, 0.6))
"""Near to far: length of a streak as a share of the height, its width in pixels at a height of 480,
and its brightness."""
_DROPS_PER_PIXEL = 3.5e-4  # of each layer, at a height of 480 and 10 mm/h
_LEAST_ROWS = 3  # of a streak


class Rain:
    """Streaks of falling drops in three layers, and the veil of those that are too far to be seen.

    The number of drops grows as the rate to the power 0.63, about as that of large drops does by
    Marshall and Palmer's law. The extinction of the veil is ``1.076·R^(2/3)`` dB/km (ITU-R P.1814,
    after Carbonneau).
    """

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        rng = np.random.default_rng(seed)
        rate, (height, width) = RATE_MM_PER_H[severity - 1], image.shape[:2]
        per_m = 1.076 * rate ** (2 / 3) * np.log(10) / 10 / 1000
        light = veil(to_light(image), per_m, _AIRLIGHT)
        slant = rng.uniform(-0.25, 0.25)
        for length, thickness, brightness in _LAYERS:
            share = _DROPS_PER_PIXEL * (rate / 10) ** 0.63
            streaks = _streaks(height, width, share, length, thickness, slant, rng)
            light = _lit(light, brightness * streaks)
        return from_light(light)


def _streaks(
    height: int,
    width: int,
    share: float,
    length: float,
    thickness: float,
    slant: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw streaks, (H, W), 0 to 1: the shares of the exposure for which drops cover the pixels.

    A streak is drawn one pixel wide, and at least three long. Its brightness makes up for that, so
    that a picture of any size has the same share of the light of drops.
    """
    scale = height / 480
    drops = (rng.random((height, width)) < share / scale**2).astype(np.float32)
    rows = max(_LEAST_ROWS, round(length * height)) | 1
    kernel = np.zeros((rows, 2 * round(abs(slant) * rows / 2) + 1), np.float32)
    at = np.arange(rows)
    columns = np.rint(kernel.shape[1] // 2 + slant * (at - rows // 2)).astype(int)
    kernel[at, np.clip(columns, 0, kernel.shape[1] - 1)] = 1
    drawn = gaussian_filter(convolve(drops, kernel, mode="constant"), 0.5 * thickness * scale)
    drawn *= scale * min(1.0, length * height / _LEAST_ROWS)
    return np.asarray(np.clip(drawn, 0, 1), np.float32)


def _lit(light: Light, cover: NDArray[np.float32]) -> Light:
    """Cover a scene by drops, which show mostly the bright sky."""
    return np.asarray(light * (1 - cover[..., None]) + 0.8 * cover[..., None], np.float32)
