"""Night: little light, and the noise that comes with it."""

from __future__ import annotations

import numpy as np

from semcom.disturbances.weather.light import from_light, to_light
from semcom.types import Image, Region

STOPS = (1.5, 2.5, 3.5, 4.5, 5.5)
"""Halvings of the light by severity."""
_TINT = np.array([0.75, 0.9, 1.2])
_FULL_WELL = 12_000  # electrons at full light, of a small sensor
_READ_NOISE = 4.0  # electrons
_LIFTED = 0.45  # share of the stops by which the camera raises its gain again
_LAMPS = 0.92  # linear light above which something shines itself and stays bright


class Night:
    """Less light and a bluer one, while lamps stay bright; the camera raises gain and noise.

    The noise of a pixel is Gaussian, with the variance that the number of its electrons has by
    Poisson's law and that of reading them. All severities share one field of noise.
    """

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        rng = np.random.default_rng(seed)
        stops, light = STOPS[severity - 1], to_light(image)
        lamps = np.clip((light.min(axis=2, keepdims=True) - _LAMPS) / (1 - _LAMPS), 0, 1)
        left = 2.0**-stops
        dark = light * (left * _TINT * (1 - lamps) + 0.8 * lamps)
        electrons = dark * _FULL_WELL
        electrons = electrons + np.sqrt(electrons + _READ_NOISE**2) * rng.normal(size=dark.shape)
        return from_light(electrons / _FULL_WELL * 2 ** (_LIFTED * stops))
