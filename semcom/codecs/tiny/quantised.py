"""A picture in whole numbers of steps.

The quantiser's step is ``4·2^(k/64)`` for level ``k``, and is multiplied by ``2^(o/4)`` in a block
of 32x32 pixels with offset ``o``: to minimise a squared error weighted by ``w``, it must be
proportional to ``w^-1/2``. The place of a detail belongs to the block that it lies in. Steps are
exact, so that all machines have the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.tiny.context_kernels import UNIT
from semcom.codecs.tiny.wavelet import LEVELS, Wavelet
from semcom.sizes import block_means
from semcom.types import Map

Ints = NDArray[np.int64]
Whole = NDArray[np.int32]
Floats = NDArray[np.float32]

BLOCK = 1 << LEVELS
MAX_LEVEL = 639
"""Levels 0 to this are those of steps 4 to 4·2^10."""
LEVELS_PER_DOUBLING = 64
_FINEST = 4
_FINENESS = 16  # steps are in this part of a unit of the planes
_PER_DOUBLING = 4
MAX_OFFSET = 16


def _rounded_power(exponent: int) -> int:
    """Return 2 to the power of some 64ths, rounded; exactly, as no floating-point number is."""
    twice = 1 << (exponent + LEVELS_PER_DOUBLING)
    for _ in range(6):  # the root of 64th degree, rounded down
        twice = math.isqrt(twice)
    return (twice + 1) // 2


_POWERS = np.array([_rounded_power(exponent) for exponent in range(1300)])


class Quantised(NamedTuple):
    """A picture in whole numbers of steps."""

    level: int
    offsets: Ints
    """(h, w) blocks."""
    coarsest: Ints
    """(PLANES, h, w)."""
    details: list[Whole]
    """From the coarsest level, (PLANES, ORIENTATIONS, ·, ·) each."""

    def steps(self) -> list[Floats]:
        """Return the steps of each level's places, (·, ·) each."""
        return steps_of_levels(self.level, self.offsets)

    def wavelet(self, planes: slice = slice(None)) -> Wavelet:
        """Return the coefficients of some planes."""
        steps = self.steps()
        whole = (one[planes].astype(np.float32) for one in self.details)
        details = [one * step for one, step in zip(whole, steps, strict=True)]
        return Wavelet((self.coarsest[planes] * steps[0]).astype(np.float32), details)


def offsets_of(w: Map) -> Ints:
    """Return the offset of each block's step for importance ``w`` (H, W)."""
    means = np.maximum(block_means(w, BLOCK), 1e-6)
    offsets = np.rint(-_PER_DOUBLING / 2 * np.log2(means))
    return np.asarray(np.clip(offsets, -MAX_OFFSET, MAX_OFFSET), np.int64)


def steps_of(level: int, offsets: Ints) -> Ints:
    """Return the steps of blocks, in 16ths of a unit of the planes."""
    finer = LEVELS_PER_DOUBLING // _PER_DOUBLING
    finest = LEVELS_PER_DOUBLING * round(math.log2(_FINENESS * _FINEST))
    steps: Ints = _POWERS[finest + level + finer * offsets]
    return steps


def steps_of_levels(level: int, offsets: Ints) -> list[Floats]:
    """Return the steps of the places of each level of details, from the coarsest, (·, ·) each."""
    steps = steps_of(level, offsets).astype(np.float32) / _FINENESS
    return [steps.repeat(1 << i, axis=0).repeat(1 << i, axis=1) for i in range(LEVELS)]


def details_in_steps(wavelet: Wavelet, level: int, offsets: Ints) -> list[Floats]:
    """Return the details of each level in steps, from the coarsest."""
    steps = steps_of_levels(level, offsets)
    return [details / step for details, step in zip(wavelet.details, steps, strict=True)]


def level_of_step(step: float) -> float:
    """Return the level of a step in units of the planes, at least the least one."""
    return max(LEVELS_PER_DOUBLING * math.log2(max(step, _FINEST) / _FINEST), 0)


def relative(wavelet: Wavelet, offsets: Ints) -> Floats:
    """Return the sizes of all details, as if the step were the same everywhere, (n,)."""
    scale = (2.0 ** (-offsets / _PER_DOUBLING)).astype(np.float32)
    found = []
    for details in wavelet.details:
        found.append((np.abs(details) * scale).ravel())
        scale = scale.repeat(2, axis=0).repeat(2, axis=1)
    return np.concatenate(found)


def units_of(offsets: Ints) -> Whole:
    """Return the unit of sizes in each block, in 16ths of a step of the picture."""
    unit = LEVELS_PER_DOUBLING * round(math.log2(UNIT))
    units: Whole = _POWERS[unit + LEVELS_PER_DOUBLING // _PER_DOUBLING * offsets].astype(np.int32)
    return units


def coarsest_in_steps(coarsest: Floats, steps: Ints) -> Ints:
    """Quantise the coarsest picture (PLANES, h, w)."""
    return np.asarray(np.rint(coarsest * _FINENESS / steps), np.int64)
