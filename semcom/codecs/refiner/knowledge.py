"""What the receiver of a linear code knows of the error of its own estimate.

The noise of the symbols that carried a chunk and the chunk's variance give the expected error of
what was sent. Of a chunk that was not sent, the receiver knows only that its variance is below the
least level that is; the true variance never reaches it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.linear.chunks import Chunks
from semcom.codecs.linear.code import Estimate
from semcom.codecs.linear.power_allocation import Array
from semcom.codecs.linear.side_information import MAX_LEVEL, Side, chunks_of, variance_of

OCTAVES = 4
MAPS = 3 * OCTAVES * 3 + 3
CELL = 4
"""Side in pixels of a cell of the maps."""
_EDGES = (1 / 8, 1 / 4, 1 / 2)  # of the octaves, in units of the highest frequency
_UNSENT = 0.08  # mean variance of what was not sent, in units of its limit
_LARGEST = 2.0**18  # mean variance of coefficients, by Parseval: (1023/2)² of values from 0 to 1023


NOTHING_SENT = 0xFF
"""The least ``2·level + weight`` that is sent, where nothing is: no level and weight reach it."""
Ints = NDArray[np.int64]


class Knowledge(NamedTuple):
    """The maps of an image, by tile or by cell of 4x4 pixels."""

    maps: Tensor
    """float32 (39, rows, columns). By plane and octave: error per pixel and variance of what was
    sent, both as logarithms, and the share sent; then the limit of the variance of what was not
    sent, its share and the size of a tile."""
    rms: Tensor
    """Expected root mean squared error by plane, float32 (3, rows, columns)."""

    def cells(self, height: int, width: int, tile: tuple[int, int]) -> Knowledge:
        """Copy the maps of tiles to cells, (…, ⌈height/8⌉·2, ⌈width/8⌉·2)."""
        places = []
        for length, side, count in zip((height, width), tile, self.rms.shape[1:], strict=True):
            cells = torch.arange(-(-length // 8) * 2, device=self.rms.device)
            places.append(((CELL * cells + CELL // 2) // side).clamp(max=count - 1))
        rows, columns = places
        return Knowledge(*(maps[:, rows[:, None], columns] for maps in self))


def knowledge_of(side: Side, least: int, found: Estimate) -> Knowledge:
    """Return what is known of an estimate, by tile.

    Parameters
    ----------
    side
        The side information.
    least
        Least ``2·level + weight`` that is sent. Where that is :data:`NOTHING_SENT`, next to nothing
        is known, and the picture is better left as it is.
    found
        The estimate.
    """
    chunks = found.chunks
    area = float(np.prod(chunks.tile))
    octaves = _octaves(side.layout, chunks.height, chunks.width)  # (bands, octaves)
    total = np.maximum(octaves.sum(axis=0), 1)
    share = octaves / np.maximum(chunks.counts, 1)[:, None]
    error = found.error @ share / area
    prior = found.numbers * variance_of(side.levels) @ share / area
    sent = found.numbers @ share / total
    floor = floor_of(side.weights.astype(np.int64), least)
    limit = np.minimum(variance_of(floor.astype(np.uint8)), _LARGEST)  # (tiles,)
    missing = 1 - found.numbers.sum(axis=2) / chunks.counts.sum()  # (3, tiles)
    rms = np.sqrt(error.sum(axis=2) + _UNSENT * limit * missing + 1)
    grid = chunks.rows, chunks.columns
    per_octave = np.stack([np.log(error + 0.1), np.log(prior + 0.1), 4 * sent])  # (3, 3, tiles, o)
    alike = [np.log(limit + 0.1), 4 * missing.mean(axis=0), np.full(grid, np.log(area)).ravel()]
    maps = np.concatenate([np.moveaxis(per_octave, 3, 2).reshape(-1, grid[0] * grid[1]), alike])
    return Knowledge(
        torch.from_numpy(maps.reshape(-1, *grid).astype(np.float32) / 4),
        torch.from_numpy(rms.reshape(3, *grid).astype(np.float32)),
    )


def floor_of(weights: Ints, least: int) -> Ints:
    """Return the level up to which chunks of a tile are not sent.

    ``least`` is the least ``2·level + weight`` that is sent.
    """
    floor = (least - weights + 1) // 2 - 1
    return np.where(weights > 0, np.clip(floor, 0, MAX_LEVEL), MAX_LEVEL)


@functools.lru_cache(32)
def _octaves(layout: int, height: int, width: int) -> Array:
    """Return the number of each band's coefficients in each octave, (bands, octaves)."""
    chunks: Chunks = chunks_of(layout, height, width)
    v, u = (np.arange(n) / n for n in chunks.tile)
    distance = np.hypot(v[:, None], u[None, :]).ravel()[chunks.order]
    octave = np.searchsorted(_EDGES, distance, side="right")
    band = np.repeat(np.arange(len(chunks.counts)), chunks.counts)
    numbers = np.zeros((len(chunks.counts), OCTAVES))
    np.add.at(numbers, (band, octave), 1)
    return numbers
