"""Applying the network to a picture of any size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semcom.codecs.refiner.knowledge import CELL, Knowledge
from semcom.codecs.refiner.network import REACH, Refiner
from semcom.processor import has_bfloat16

STRIP_PIXELS = 1 << 19
"""Pixels that the network sees at once, which bounds its memory."""
MOST_COLUMNS = 4096
"""Columns that it sees at once; a wider picture is cut into parts."""


def refined(
    refiner: Refiner,
    planes: NDArray[np.floating[Any]],
    known: Knowledge,
    device: str = "cpu",
    *,
    fast: bool = True,
) -> NDArray[np.float32]:
    """Return refined planes, float32 (3, H, W).

    Parameters
    ----------
    refiner
        The network, on ``device``.
    planes
        Decoded planes, (3, H, W), with values from 0 to 1023.
    known
        What the receiver knows of their error, in cells.
    device
        Device of the network.
    fast
        Whether to multiply in bfloat16 where the device has it, which is faster and changes the
        PSNR by less than 0.05 dB.
    """
    reduced = fast and has_bfloat16(device)
    kind = torch.device(device).type
    _, height, width = planes.shape
    padded = torch.from_numpy(planes.astype(np.float32))[None]
    padded = functional.pad(padded, (0, -width % 8, 0, -height % 8), mode="replicate")
    better = np.empty(padded.shape[1:], np.float32)
    strip = max(8, STRIP_PIXELS // min(padded.shape[3], MOST_COLUMNS) // 8 * 8)
    places = itertools.product(
        _ranges(padded.shape[2], strip), _ranges(padded.shape[3], MOST_COLUMNS)
    )
    for (top, first, end), (left, begin, stop) in places:
        cells = slice(first // CELL, end // CELL), slice(begin // CELL, stop // CELL)
        parts = (
            padded[:, :, first:end, begin:stop],
            known.maps[None, :, *cells],
            known.rms[None, :, *cells],
        )
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=reduced):
            shown: Tensor = refiner(*(part.to(device) for part in parts))
        kept = shown[0, :, top - first :, left - begin :][:, :strip, :MOST_COLUMNS]
        better[:, top : top + strip, left : left + MOST_COLUMNS] = kept.numpy(force=True)
    return better[:, :height, :width]


def _ranges(length: int, step: int) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each part, and the ends of what the network has to see for it."""
    for start in range(0, length, step):
        yield start, max(0, start - REACH), min(start + step + REACH, length)
