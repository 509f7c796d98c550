"""What the receiver of ``tiny`` knows of the error, for the network that repairs the picture."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from semcom.codecs.parts.colour import from_planes, round_planes, to_planes
from semcom.codecs.refiner.knowledge import CELL, Knowledge
from semcom.codecs.refiner.network import Refiner
from semcom.codecs.refiner.strips import refined
from semcom.codecs.tiny.quantised import Quantised
from semcom.codecs.tiny.wavelet import PLANES
from semcom.types import Image

_LEVELS = 3
_CHANNELS = (32, 48, 72)
MAPS = 1 + _LEVELS * PLANES
"""Maps that the network sees: the step, and how much each of the finest levels holds."""
_EXPECTED_ERROR = 0.3  # of a step


def new_refiner() -> Refiner:
    """Return a network with random weights."""
    return Refiner(MAPS, _CHANNELS)


def repaired(image: Image, sent: Quantised, refiner: Refiner, device: str) -> Image:
    """Repair a picture (H, W, 3) that was decoded as ``sent``, with a network on a device."""
    height, width = image.shape[:2]
    known = knowledge_of(sent, height, width)
    better = refined(refiner, to_planes(image).astype(np.float32), known, device)
    return from_planes(round_planes(better))


def knowledge_of(sent: Quantised, height: int, width: int) -> Knowledge:
    """Return what is known of a picture, in cells."""
    step = sent.steps()[-1][::2, ::2]  # two places of the finest level are as wide as a cell
    maps = [np.log(step)[None] / 4]
    for i, details in enumerate(sent.details[::-1][:_LEVELS]):
        sizes = np.abs(details).sum(axis=1).astype(np.float32)
        maps.append(np.log1p(_in_cells(sizes, CELL / (2 << i))))
    rms = np.broadcast_to(_EXPECTED_ERROR * step, (PLANES, *step.shape))
    arrays = np.concatenate(maps), np.ascontiguousarray(rms)
    rows, columns = (-(-side // 8) * 8 // CELL for side in (height, width))
    return Knowledge(
        *(torch.from_numpy(values[:, :rows, :columns].astype(np.float32)) for values in arrays)
    )


def _in_cells(sizes: NDArray[np.float32], places: float) -> NDArray[np.float32]:
    """Return the mean of ``places`` times ``places`` values, or repeat them if it is below 1."""
    if places <= 1:
        times = round(1 / places)
        return sizes.repeat(times, axis=1).repeat(times, axis=2)
    n = round(places)
    planes, height, width = sizes.shape
    cells = sizes.reshape(planes, height // n, n, width // n, n)
    return np.asarray(cells.mean(axis=(2, 4)))
