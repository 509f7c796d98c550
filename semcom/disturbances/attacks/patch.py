"""A patch: a visible square with any content, somewhere in the scene."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from semcom.disturbances.attacks.gradient import GradientAttack
from semcom.disturbances.attacks.victim import source_points
from semcom.errors import InputError
from semcom.types import Image, Region

AREA = (0.01, 0.02, 0.04, 0.08, 0.16)
"""Share of the frame that the patch covers, by severity."""
_STEP = 16.0  # grey levels
_PLACES = ("background", "object")


class Patch(GradientAttack):
    """A square whose pixels are free, away from the object or on it.

    Parameters
    ----------
    victim, goal, points, steps
        See :mod:`semcom.disturbances.attacks.gradient`.
    where
        ``background``: where the square covers the object least; ``object``: where it covers it
        most.
    """

    def __init__(
        self,
        *,
        victim: str = "mobile_sam",
        goal: str = "removal",
        points: int = 1,
        steps: int = 20,
        where: str = "background",
    ) -> None:
        super().__init__(victim, goal, points, steps)
        if where not in _PLACES:
            choices = ", ".join(_PLACES)
            raise InputError(f"patch: unknown place {where!r}; choices: {choices}")
        self._where = where

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        assert truth is not None
        if not truth.any():
            return image.copy()
        rng = np.random.default_rng(seed)
        inside = torch.from_numpy(self._square(truth, AREA[severity - 1], rng))
        prompts = source_points(truth, self._points, rng)
        pixels = torch.from_numpy(image).permute(2, 0, 1).to(torch.float32)
        pixels = torch.where(inside, 127.5, pixels)
        for _ in range(self._steps):
            gradient = self._gradient(pixels, prompts, torch.from_numpy(truth))
            pixels = torch.where(inside, (pixels - _STEP * gradient.sign()).clamp(0, 255), pixels)
        return np.ascontiguousarray(pixels.round().to(torch.uint8).permute(1, 2, 0).numpy())

    def _square(self, truth: Region, area: float, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Place the square; equally good places are chosen among at random.

        In a frame that is too narrow for it, a rectangle of the same area takes its place.
        """
        height, width = truth.shape
        side = max(1, round(math.sqrt(area * height * width)))
        rows, columns = min(side, height), min(side, width)
        if rows < side:
            columns = max(1, round(area * width))
        elif columns < side:
            rows = max(1, round(area * height))
        covered = uniform_filter(truth.astype(np.float64), (rows, columns), mode="constant")
        above, left = rows // 2, columns // 2
        covered = covered[above : above + height - rows + 1, left : left + width - columns + 1]
        good = covered.max() if self._where == "object" else covered.min()
        places = np.argwhere(np.isclose(covered, good, atol=1e-6))
        top, left = places[rng.integers(len(places))]
        inside = np.zeros(truth.shape, bool)
        inside[top : top + rows, left : left + columns] = True
        return inside
