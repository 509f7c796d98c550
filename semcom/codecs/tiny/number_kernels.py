"""Coding of whole numbers: details by their class, others by the length of their binary form.

Each function counts, encodes or decodes with the range coder, as its ``mode`` says.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from channels.kernels.jit import kernel
from semcom.codecs.parts.range_coder import TOTAL_BITS, code

REACH: Final = 14
"""The largest size of a detail with a share of its own."""
SIZES: Final = REACH + 2
"""Shares of a class: of sizes 0 to ``REACH``, and of all others."""
LENGTHS: Final = 24
"""Lengths of the binary form of other numbers, from 0."""
DEAD: Final = (1 << TOTAL_BITS) - 100
"""A class in which zero has at least this share has zeros only, which are not coded."""
FLAT: Final = 0
ROUGH: Final = 1
_HALVES: Final = np.array([0, 1 << (TOTAL_BITS - 1), 1 << TOTAL_BITS], np.int64)


@kernel
def code_details(mode: int, state: Any, classes: Any, shares: Any, values: Any) -> None:
    """Code the details of a phase, int32 (rows, columns), in place.

    Parameters
    ----------
    mode, state
        As for :func:`~semcom.codecs.parts.range_coder.code`.
    classes
        The class of each detail.
    shares
        Cumulative shares of the sizes in each class, int64 (classes, SIZES + 1).
    values
        The details; the decoder writes them.
    """
    dead = shares[:, 1] >= DEAD
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            kind = classes[row, column]
            if dead[kind]:
                values[row, column] = 0
                continue
            of_class, value = shares[kind], values[row, column]
            size = code(mode, state, of_class, -1, min(abs(value), REACH + 1))
            if size > REACH:
                size += _code_rest(mode, state, abs(value) - size)
            negative = code(mode, state, _HALVES, -1, 1 if value < 0 else 0) if size else 0
            values[row, column] = -size if negative else size


@kernel
def code_coarsest(mode: int, state: Any, shares: Any, steps: Any, values: Any, tally: Any) -> None:
    """Code a plane of the coarsest picture in steps, int64 (rows, columns), in place.

    The prediction is the median of the neighbour to the left, the one above, and their sum less
    the one between them: Weinberger, Seroussi and Sapiro, "The LOCO-I lossless image compression
    algorithm", IEEE Transactions on Image Processing 9 (2000), section II.

    Parameters
    ----------
    mode, state, shares
        As for :func:`code_number`.
    steps
        The quantiser's step of each value, int64.
    values
        The values in steps; the decoder writes them.
    tally
        Counts of lengths, int64 (LENGTHS,), to which these are added.
    """
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            middle = _median(values, steps, y, x)
            predicted = (2 * middle + steps[y, x]) // (2 * steps[y, x])
            residual = code_number(mode, state, shares, values[y, x] - predicted, tally)
            values[y, x] = predicted + residual


@kernel
def code_offsets(mode: int, state: Any, shares: Any, values: Any, tally: Any) -> None:
    """Code offsets of steps, int64 (rows, columns), in place.

    The shares are (2, LENGTHS + 1): where the neighbours are equal, and elsewhere. The tally is
    (2, LENGTHS).
    """
    ones = np.ones_like(values)
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            predicted = _median(values, ones, y, x)
            above = values[y - 1, x] if y else predicted
            after = values[y - 1, min(x + 1, values.shape[1] - 1)] if y else predicted
            left = values[y, x - 1] if x else predicted
            flat = left == above and above == after
            kind = FLAT if flat else ROUGH
            residual = values[y, x] - predicted
            residual = code_number(mode, state, shares[kind], residual, tally[kind])
            values[y, x] = predicted + residual


@kernel
def code_number(mode: int, state: Any, shares: Any, value: int, tally: Any) -> int:
    """Code a number by the length of its size, with shares (LENGTHS + 1,); return it."""
    length = 0
    while abs(value) >> length and length < LENGTHS - 1:
        length += 1
    length = code(mode, state, shares, -1, length)
    tally[length] += 1
    if length == 0:
        return 0
    size = 1
    for bit in range(length - 2, -1, -1):
        size = 2 * size + code(mode, state, _HALVES, -1, abs(value) >> bit & 1)
    return -size if code(mode, state, _HALVES, -1, 1 if value < 0 else 0) else size


@kernel
def _code_rest(mode: int, state: Any, rest: int) -> int:
    """Code what a size exceeds the largest share by, by an exponential Golomb code; return it."""
    length = 0
    while rest + 1 >> length > 1:
        length += 1
    prefix = 0
    while prefix < LENGTHS and code(mode, state, _HALVES, -1, 1 if prefix < length else 0):
        prefix += 1
    size = 1
    for bit in range(prefix - 1, -1, -1):
        size = 2 * size + code(mode, state, _HALVES, -1, rest + 1 >> bit & 1)
    return size - 1


@kernel
def _median(values: Any, steps: Any, y: int, x: int) -> int:
    """Predict a value, in units of 1, from its neighbours."""
    if y == 0 and x == 0:
        return 0
    left = values[y, x - 1] * steps[y, x - 1] if x else values[y - 1, x] * steps[y - 1, x]
    above = values[y - 1, x] * steps[y - 1, x] if y else left
    between = values[y - 1, x - 1] * steps[y - 1, x - 1] if x and y else above
    middle: int = max(min(left, above), min(max(left, above), left + above - between))
    return middle
