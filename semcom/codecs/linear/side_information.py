"""What both ends of a linear code know: the layout of the picture, and the variance of each chunk.

Weights have steps of 1.5 dB, variances steps of 3 dB. From them and the number of symbols both ends
compute the power of every chunk.

A coefficient of large variance can be sent as a coarse value, which is a whole number of steps, and
an amplitude for the rest. This takes more than one symbol for what needs more than one.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.linear.chunks import Chunks
from semcom.codecs.linear.power_allocation import Array, allocate_power

Levels = NDArray[np.uint8]
Values = NDArray[np.int64]
MAX_LEVEL = 63
"""Highest level of a variance."""
NO_COARSE = MAX_LEVEL
"""The level that stands for no coarse values."""
COARSE_ABOVE = 4
"""Levels that a chunk must be above the rest of its coarse values, whose variance is step²/12."""
_EVEN_WEIGHT = 32  # the level of weight 1

LAYOUTS = ((16, 4), (32, 4), (32, 7), (64, 6), (64, 10), (128, 8), (128, 12), (256, 12))
"""Sides of tiles in pixels, and bands. The side information contains the index."""
SCALE_UNIT = 1 / 16384
_MAX_TILES = 4096
_VARIANCES: Array = np.concatenate([[0.0], np.exp2(np.arange(1, 256) - 8.0)])
_LEAST_SNR_DB, _SNR_STEP_DB = -40.0, 0.5


@dataclass(frozen=True, eq=False)
class Side:
    """The side information. Its weights and levels stay as they are."""

    layout: int
    snr: int
    scale: int
    weights: Levels
    """Weight of each tile, (tiles,)."""
    means: Levels
    """Mean of each plane and tile, (3, tiles)."""
    levels: Levels
    """Variance of each chunk, (3, tiles, bands)."""
    mean_step: int = 8
    """Step of the means, for planes with values from 0 to 1023."""
    coarse_rest: int = NO_COARSE
    """Level of what remains of a coarse value, in a tile of weight 1."""
    values: Values = field(default_factory=lambda: np.zeros(0, np.int64))
    """Coarse values, (n,), of the coefficients of :meth:`is_coarse` in their order."""

    @functools.cached_property
    def rest(self) -> NDArray[np.int64]:
        """Level of what remains of coarse values, (tiles, 1): lower where the weight is higher."""
        half = (_EVEN_WEIGHT - self.weights.astype(np.int64) + 1) // 2
        rest = np.clip(self.coarse_rest + half, 0, NO_COARSE)
        return np.where(self.weights > 0, rest, NO_COARSE)[:, None]

    @functools.cached_property
    def is_coarse(self) -> NDArray[np.bool_]:
        """Tell which chunks have coarse values, (3, tiles, bands)."""
        return np.asarray(self.levels >= self.rest + COARSE_ABOVE)

    @functools.cached_property
    def analog_levels(self) -> NDArray[np.int64]:
        """Level of what the symbols carry, (3, tiles, bands): the rest of coarse values."""
        return np.where(self.is_coarse, self.rest, self.levels.astype(np.int64))

    def coarse(self, chunks: Chunks) -> tuple[NDArray[np.bool_], Array]:
        """Return which coefficients have coarse values, and the step of each value, (n,).

        The first are (3, tiles, m): coefficients from m on have none.
        """
        bands = np.flatnonzero(self.is_coarse.any(axis=(0, 1)))
        low = slice(0, bands[-1] + 1 if len(bands) else 0)
        counts = chunks.counts[low]
        mask = np.repeat(self.is_coarse[..., low], counts, axis=-1)
        step = np.sqrt(12 * variance_of(self.rest))[..., 0]
        return mask, np.repeat(np.broadcast_to(step, mask.shape[:2]).ravel(), mask.sum(-1).ravel())

    @property
    def noise_var(self) -> float:
        """Variance of the real noise in the plan."""
        return float(0.5 * 10.0 ** (-(_LEAST_SNR_DB + _SNR_STEP_DB * self.snr) / 10))

    def numbers(self, chunks: Chunks, num_symbols: int) -> NDArray[np.int64]:
        """Return the number of coefficients of each chunk that are sent, (3, tiles, bands).

        The chunks of highest value are sent; the last one is cut where the symbols end.
        """
        levels, weights = self.analog_levels, self.weights.astype(np.int64)[:, None]
        sent = (levels > 0) & (weights > 0)
        value = (2 * levels + weights).astype(np.int16)  # which is sorted by its digits, fast
        order = np.argsort(-value, axis=None, kind="stable")
        counts = (chunks.counts * sent).ravel()[order]
        before = np.cumsum(counts) - counts
        numbers = np.zeros_like(counts)
        numbers[order] = np.clip(2 * num_symbols - before, 0, counts)
        return numbers.reshape(sent.shape)

    def powers(self, numbers: NDArray[np.int64], num_symbols: int) -> Array:
        """Return the power of each coefficient that is sent, by chunk, (3, tiles, bands).

        The total power of ``num_symbols`` is distributed over the :meth:`numbers` of coefficients.
        """
        worth = weight_of(self.weights)[:, None] * variance_of(self.analog_levels)
        some = numbers > 0
        power = np.zeros(some.shape)
        power[some] = allocate_power(worth[some], numbers[some], self.noise_var, num_symbols)
        return power


@functools.lru_cache(32)
def chunks_of(layout: int, height: int, width: int) -> Chunks:
    """Cut an image of this size in one of its :func:`layouts`."""
    return Chunks.of(height, width, *LAYOUTS[layout])


def layouts(height: int, width: int) -> list[int]:
    """List layouts for an image of this size, without too many tiles or equal single tiles."""
    found, whole = [], 0
    for i, (side, bands) in enumerate(LAYOUTS):
        tiles = -(-height // side) * -(-width // side)
        if tiles <= _MAX_TILES or side == LAYOUTS[-1][0]:
            if tiles > 1 or bands > whole:
                found.append(i)
            if tiles == 1:
                whole = max(whole, bands)
    return found


def level_of(variance: Array) -> Levels:
    """Quantise a variance to a level in steps of 3 dB, 1 to 63; 0 for none."""
    level = np.rint(np.log2(np.maximum(variance, 1e-9))) + 8
    return np.asarray(np.clip(level, 0, 63), dtype=np.uint8)


def variance_of(level: NDArray[np.integer[Any]]) -> Array:
    """Return the variance of a level."""
    return np.asarray(_VARIANCES[level])


def weight_level_of(weight: Array) -> Levels:
    """Quantise a weight to a level in steps of 1.5 dB, 1 to 63; lower weights, and 0, have 1."""
    level = np.rint(2 * np.log2(np.maximum(weight, 1e-9))) + 32
    return np.asarray(np.clip(level, 1, 63), dtype=np.uint8)


def weight_of(level: Levels) -> Array:
    """Return the weight of a level."""
    return np.where(level > 0, np.exp2((level - 32.0) / 2), 0.0)


def snr_level_of(snr_db: float) -> int:
    """Quantise an SNR to a level in steps of 0.5 dB from -40 dB, 0 to 255."""
    return int(np.clip(round((snr_db - _LEAST_SNR_DB) / _SNR_STEP_DB), 0, 255))
