"""Pictures as a network takes them: values, padding, patches; and symbols as it expects them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semcom.codecs.parts.cells import CELL, weights_of
from semcom.types import Image, Map

_LEAST_GAIN = 1e-6  # of a symbol, as power


def to_values(image: Image, values: str) -> Tensor:
    """Return the pixels as a network sees them, (3, H, W)."""
    found = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    return 2 * found - 1 if values == "signed" else found


def patches_of(planes: Tensor, multiple: int, patch: int) -> Tensor:
    """Pad planes (C, H, W) by their border, and cut them into (B, C, side, side) if asked to."""
    _, height, width = planes.shape
    side = patch or multiple
    padding = (0, -width % side, 0, -height % side)
    padded = functional.pad(planes[None].float(), padding, mode="replicate")
    if not patch:
        return padded
    cut = padded[0].unfold(1, side, side).unfold(2, side, side)
    return cut.permute(1, 2, 0, 3, 4).reshape(-1, len(planes), side, side)


def joined(patches: Tensor, patch: int, height: int, width: int) -> Tensor:
    """Put patches (B, C, side, side) together again, (C, at least height, at least width)."""
    if not patch:
        return patches[0]
    rows, columns = -(-height // patch), -(-width // patch)
    grid = patches.reshape(rows, columns, *patches.shape[1:]).permute(2, 0, 3, 1, 4)
    return grid.reshape(patches.shape[1], rows * patch, columns * patch)


def pixels_of(levels: NDArray[np.integer[Any]], height: int, width: int) -> Map:
    """Return the importance of pixels, (height, width), from that of cells."""
    weights = weights_of(levels).repeat(CELL, axis=0).repeat(CELL, axis=1)
    return weights[:height, :width]


def equalised(y: Tensor, h: Tensor, noise_var: Tensor) -> Tensor:
    """Divide by the gains, but attenuate what is mostly noise; without fading, return ``y``.

    It is the linear estimate of least mean squared error, scaled so that a gain of 1 is exact.
    """
    return h.conj() * y * (1 + noise_var) / (h.abs().square() + noise_var).clamp(min=_LEAST_GAIN)
