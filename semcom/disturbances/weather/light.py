"""Light, distance and random fields, which the kinds of weather share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from semcom.types import Image

Light = NDArray[np.float32]
"""Linear light, 0 to 1."""

FAR_M, NEAR_M = 80.0, 5.0
"""Distances in metres of what lies at or above the horizon, and at the lower edge."""
_HORIZON = 0.4  # height of the horizon from the top, as a share of the frame


def to_light(image: Image) -> Light:
    """Convert sRGB values to linear light (IEC 61966-2-1).

    Examples
    --------
    >>> to_light(np.array([0, 188, 255], dtype=np.uint8)).round(2).tolist()
    [0.0, 0.5, 1.0]
    """
    return _LINEAR[image]


def from_light(light: NDArray[np.floating[Any]]) -> Image:
    """Convert linear light back to sRGB values, rounded to the camera's 8 bits.

    Examples
    --------
    >>> values = np.arange(256, dtype=np.uint8)
    >>> bool((from_light(to_light(values)) == values).all())
    True
    """
    places = np.searchsorted(_EDGES, np.clip(light, 0, 1).astype(np.float32))
    return places.astype(np.uint8)


def _linear(values: NDArray[np.floating[Any]]) -> Light:
    low = values / 12.92
    return np.where(values <= 0.04045, low, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear(np.arange(256) / 255)
_EDGES = _linear((np.arange(255) + 0.5) / 255)


def distance_m(height: int, width: int) -> NDArray[np.float32]:
    """Guess the distance of each pixel in metres, (H, W), for a camera that looks ahead.

    The lower edge of the frame is 5 m away, and what is at or above the horizon, at 40 % of the
    height, is 80 m away. Between them, the distance grows with the square of the height. A real
    scene differs: the guess serves to make the weather thicker towards the horizon.
    """
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    up = np.minimum((1 - y) / (1 - _HORIZON), 1)
    rows = NEAR_M + (FAR_M - NEAR_M) * up**2
    return np.broadcast_to(rows[:, None].astype(np.float32), (height, width))


def clouds(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a smooth field, (H, W), of mean 0 and deviation 1, whose power falls as 1/f³."""
    v, u = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    size = np.hypot(v, u)
    size[0, 0] = np.inf
    noise = rng.normal(size=size.shape) + 1j * rng.normal(size=size.shape)
    field = np.fft.irfft2(noise / size**1.5, s=(height, width))
    return np.asarray((field - field.mean()) / (field.std() + 1e-12), np.float32)


def veil(light: Light, extinction_per_m: float | NDArray[np.float32], airlight: float) -> Light:
    """Weaken the light of a scene over its distance, and add the light that the air scatters.

    Koschmieder's law: ``L = L0·t + A·(1 - t)`` with the transmittance ``t = exp(-β·d)``.

    Parameters
    ----------
    light
        Linear light (H, W, 3).
    extinction_per_m
        β in 1/m, a number or (H, W). A contrast of 5 % is left at the visibility 3/β.
    airlight
        Brightness A of the air, 0 to 1.
    """
    t = np.exp(-extinction_per_m * distance_m(*light.shape[:2]))[..., None]
    return np.asarray(light * t + airlight * (1 - t), np.float32)


def blurred(light: Light, sigma: float) -> Light:
    """Blur linear light (H, W, 3) by a Gaussian of ``sigma`` pixels."""
    return np.asarray(gaussian_filter(light, (sigma, sigma, 0)), np.float32)
