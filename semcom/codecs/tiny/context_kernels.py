"""The contexts of details: how large each one will probably be, from those that are known.

A band is coded in four phases: first the places of even rows and columns, then of odd ones, then of
the two mixed kinds. All details of a phase can be decoded at once, and the later ones have known
neighbours on all sides. All is in whole numbers, so that every machine finds the same contexts.

A band is kept by phase, with a border of zeros: (4, ceil(h/2) + 2, ceil(w/2) + 2).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel

PHASES: Final = 4
FEATURES: Final = 9
"""Sums of sizes: beside, above and below, diagonal; the parent, its two neighbours on the side of
the place; other orientations and other planes, each at the place and around it."""
CLASSES: Final = 26
"""Classes of expected size."""
UNIT: Final = 16
"""Sizes are in this part of a step, where the step is that of the picture."""
MAX_SIZE: Final = 4095
WEIGHT_BITS: Final = 10
"""Weights of features are in 1024ths."""
_FINENESS: Final = 7  # expected sizes are told apart from 1/128 of a step upwards
_ROWS: Final = (0, 1, 0, 1)
_COLUMNS: Final = (0, 1, 1, 0)
_BESIDE: Final = (2, 3, 0, 1)  # the phase of the neighbours beside, and of those above and below
_ABOVE: Final = (3, 2, 1, 0)
_DIAGONAL: Final = (1, 0, 3, 2)


def _classes() -> NDArray[np.uint8]:
    """Return the class of each expected size: none, and two for each doubling."""
    expected = np.arange(1 << CLASSES // 2)
    doublings = np.floor(np.log2(np.maximum(expected, 1))).astype(int)
    upper = (2 * expected >= 3 << doublings) & (doublings > 0)
    found = np.where(expected < 2, expected, 2 * doublings + upper)
    return found.astype(np.uint8)


_CLASS_OF: Final = _classes()


def places(phase: int) -> tuple[slice, slice]:
    """Return the rows and columns of a phase."""
    return slice(_ROWS[phase], None, 2), slice(_COLUMNS[phase], None, 2)


@kernel
def find_classes(
    phase: int,
    own: Any,
    parents: Any,
    turned: Any,
    other: Any,
    units: Any,
    weights: Any,
    found: Any,
) -> None:
    """Find the class of expected size of each detail of a phase.

    Parameters
    ----------
    phase
        0 to 3.
    own
        Sizes of the band times their unit, as far as they are known, by phase, int32.
    parents
        Those of the band in the next coarser level, with a border, int32 (rows + 2, columns + 2).
    turned, other
        Sums of those of the orientations and of the planes that were coded before, by phase.
    units
        The unit of each place, int32 (rows, columns).
    weights
        Weights of the features in 1024ths, int32 (FEATURES,).
    found
        Gets the classes, uint8 (rows, columns).
    """
    down, right = _ROWS[phase], _COLUMNS[phase]
    beside, above, diagonal = _BESIDE[phase], _ABOVE[phase], _DIAGONAL[phase]
    last = len(_CLASS_OF) - 1
    for row in range(found.shape[0]):
        y, up = row + 1, row + down  # the row above is up, that below is up + 1
        side = y - 1 + 2 * down
        for column in range(found.shape[1]):
            x, left = column + 1, column + right
            total = weights[3] * parents[y, x]
            total += weights[4] * (parents[side, x] + parents[y, x - 1 + 2 * right])
            total += weights[5] * turned[phase, y, x] + weights[7] * other[phase, y, x]
            total += weights[6] * (
                turned[beside, y, left]
                + turned[beside, y, left + 1]
                + turned[above, up, x]
                + turned[above, up + 1, x]
            )
            total += weights[8] * (
                other[beside, y, left]
                + other[beside, y, left + 1]
                + other[above, up, x]
                + other[above, up + 1, x]
            )
            if phase > 1:
                total += weights[0] * (own[beside, y, left] + own[beside, y, left + 1])
                total += weights[1] * (own[above, up, x] + own[above, up + 1, x])
            if phase == 1 or phase == 3:
                total += weights[2] * (
                    own[diagonal, up, left]
                    + own[diagonal, up, left + 1]
                    + own[diagonal, up + 1, left]
                    + own[diagonal, up + 1, left + 1]
                )
            expected = total // units[row, column] >> WEIGHT_BITS - _FINENESS
            found[row, column] = _CLASS_OF[min(expected, last)]


@kernel
def find_features(
    phase: int, own: Any, parents: Any, turned: Any, other: Any, units: Any, found: Any
) -> None:
    """Find the features of a phase in steps of each place, float32 (FEATURES, rows, columns)."""
    down, right = _ROWS[phase], _COLUMNS[phase]
    beside, above, diagonal = _BESIDE[phase], _ABOVE[phase], _DIAGONAL[phase]
    for row in range(units.shape[0]):
        y, up = row + 1, row + down
        side = y - 1 + 2 * down
        for column in range(units.shape[1]):
            x, left = column + 1, column + right
            at = found[:, row, column]
            at[:3] = 0
            if phase > 1:
                at[0] = own[beside, y, left] + own[beside, y, left + 1]
                at[1] = own[above, up, x] + own[above, up + 1, x]
            if phase == 1 or phase == 3:
                at[2] = own[diagonal, up, left] + own[diagonal, up, left + 1]
                at[2] += own[diagonal, up + 1, left] + own[diagonal, up + 1, left + 1]
            at[3] = parents[y, x]
            at[4] = parents[side, x] + parents[y, x - 1 + 2 * right]
            for i, sums in ((5, turned), (7, other)):
                at[i] = sums[phase, y, x]
                at[i + 1] = sums[beside, y, left] + sums[beside, y, left + 1]
                at[i + 1] += sums[above, up, x] + sums[above, up + 1, x]
            at /= units[row, column]


@kernel
def choose(values: Any, classes: Any, costs: Any, price: float, found: Any) -> None:
    """Quantise details so that squared error and bits are least.

    Parameters
    ----------
    values
        The details in steps, float32 (rows, columns).
    classes
        Their classes.
    costs
        Bits of each size in each class, with the sign, float32 (CLASSES, sizes); a larger size
        costs as much as the last.
    price
        Squared error, in steps, that a bit must remove.
    found
        Gets the quantised details, int32 (rows, columns).
    """
    last = costs.shape[1] - 1
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = abs(values[row, column])
            nearest = int(value + 0.5)
            if nearest == 0:
                found[row, column] = 0
                continue
            of_class = costs[classes[row, column]]
            best, least = 0, value * value + price * of_class[0]
            for size in range(max(nearest - 1, 1), nearest + 1):
                cost = (value - size) ** 2 + price * of_class[min(size, last)]
                if cost < least:
                    best, least = size, cost
            found[row, column] = best if values[row, column] > 0 else -best
