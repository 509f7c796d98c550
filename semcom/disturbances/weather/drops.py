"""Drops of water on the lens."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from semcom.disturbances.weather.light import blurred, from_light, to_light
from semcom.types import Image, Region

COVER = (0.04, 0.08, 0.14, 0.22, 0.32)
"""Share of the frame that drops cover, by severity, where they do not overlap."""
_RADII = (0.02, 0.07)  # least and largest, as shares of the height
_SCENE = 6.0  # times the drop's radius: the part of the scene that it shows, upside down
_BLUR = 0.008  # of what is seen through water out of focus, as a share of the height


class Drops:
    """Round drops that act as lenses out of focus: each shows the scene around it, upside down.

    The drops of a lower severity are among those of a higher one.
    """

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        rng = np.random.default_rng(seed)
        height, width = image.shape[:2]
        light = to_light(image)
        soft, seen, covered = blurred(light, _BLUR * height), light.copy(), 0.0
        while covered < COVER[severity - 1]:
            radius = height * np.exp(rng.uniform(*np.log(_RADII)))
            cy, cx = rng.uniform(0, height), rng.uniform(0, width)
            covered += np.pi * radius**2 / (height * width)
            top, left = max(0, int(cy - radius)), max(0, int(cx - radius))
            rows = slice(top, min(height, int(cy + radius) + 2))
            columns = slice(left, min(width, int(cx + radius) + 2))
            y, x = np.mgrid[rows, columns]
            away = np.hypot(y - cy, x - cx) / radius
            bend = -_SCENE / (1.6 - 0.6 * np.clip(away, 0, 1) ** 2)
            places = [
                np.clip(c + bend * (p - c), 0, n - 1)
                for p, c, n in ((y, cy, height), (x, cx, width))
            ]
            shown = [map_coordinates(soft[..., i], places, order=1) for i in range(3)]
            shade = 1 - 0.45 * np.clip(away, 0, 1)[..., None] ** 4
            edge = np.clip((1 - away) * radius / 2, 0, 1)[..., None]
            drop = np.stack(shown, axis=-1) * shade
            seen[rows, columns] += edge * (drop - seen[rows, columns])
        return from_light(seen)
