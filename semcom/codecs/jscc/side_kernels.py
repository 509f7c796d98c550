"""The loops of the side information's code: contexts and predictions, in whole numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from channels.kernels.jit import kernel
from semcom.codecs.linear.side_information import MAX_LEVEL
from semcom.codecs.parts.range_coder import code

MEAN_STEPS: Final = (8, 16, 32, 64)
FEATURES: Final = 9
LEVEL_REACH: Final = 12
"""A level differs from its prediction by at most this."""
FIELD_REACH: Final = 127
"""A weight or a mean differs from its prediction by at most this."""
VALUE_REACH: Final = 127
"""Largest coarse value."""
LEVEL_CONTEXTS: Final = 2 * 8 * 6 * 4 * 4
FIELD_CONTEXTS: Final = (3 * len(MEAN_STEPS) + 1) * 8
VALUE_CONTEXTS: Final = 12 * 8


@kernel
def code_values(
    mode: int, state: Any, shares: Any, tally: Any, kinds: Any, begins: Any, values: Any
) -> None:
    """Code coarse values (n,) in place, each of a kind and maybe the first of a chunk."""
    last, before = 0, 0
    for i in range(len(values)):
        kind = kinds[i]
        if begins[i]:
            last, before, row = 0, 0, 8 * kind + 7
        else:
            row = 8 * kind + _class(((2 * abs(last) + abs(before)) * 8) >> (kind // 2), 7)
        symbol = code(mode, state, shares[row], -1, values[i] + VALUE_REACH)
        values[i] = symbol - VALUE_REACH
        last, before = values[i], last
        if tally.size:
            tally[row, symbol] += 1


@kernel
def code_field(
    mode: int, state: Any, shares: Any, tally: Any, context: int, middle: int, field: Any
) -> None:
    """Code a field of weights or means, (rows, columns), in raster order, in place.

    ``context`` is the first of eight contexts. ``tally`` (contexts, differences) counts what was
    coded, if it is not empty.
    """
    rows, columns = field.shape
    for r in range(rows):
        for c in range(columns):
            spread, predicted = 7, middle
            if r and c:
                left, above, corner = field[r, c - 1], field[r - 1, c], field[r - 1, c - 1]
                predicted = max(min(left, above), min(max(left, above), left + above - corner))
                spread = _class(16 * (abs(left - corner) + abs(above - corner)), 6)
            elif r or c:
                predicted = field[r, c - 1] if c else field[r - 1, c]
                spread = 6
            row = context + spread
            difference = min(max(field[r, c] - predicted, -FIELD_REACH), FIELD_REACH)
            symbol = code(mode, state, shares[row], -1, difference + FIELD_REACH)
            field[r, c] = predicted + symbol - FIELD_REACH
            if tally.size:
                tally[row, symbol] += 1


@kernel
def code_levels(
    mode: int,
    state: Any,
    predictors: Any,
    shares: Any,
    tally: Any,
    floor: Any,
    means: Any,
    levels: Any,
) -> None:
    """Code the levels (3, rows, columns, bands), from low bands to high, in place.

    Levels up to the ``floor`` (rows, columns) of their tile are not sent and become the floor.
    """
    planes, rows, columns, bands = levels.shape
    features = np.zeros(FEATURES, np.int64)
    for b in range(bands):
        for p in range(planes):
            for r in range(rows):
                for c in range(columns):
                    spread = describe(levels, means, p, r, c, b, features)
                    known = 1 if r or c else 0
                    predicted = 0
                    for i in range(FEATURES):
                        predicted += predictors[known, p, min(b, 2), i] * features[i]
                    predicted = min(max(predicted >> 8, 0), 16 * (MAX_LEVEL - LEVEL_REACH) + 15)
                    low = floor[r, c]
                    above = min(max((predicted - 16 * low) >> 3, 0), 5)
                    cut = 0
                    for i in range(3):
                        cut += features[i] <= 16 * low
                    row = ((known * 8 + _class(spread, 8)) * 6 + above) * 4 + cut
                    row = row * 4 + (predicted >> 2 & 3)
                    base = (predicted >> 4) - LEVEL_REACH
                    top = base + 2 * LEVEL_REACH
                    symbol = min(max(levels[p, r, c, b], base), top) - base
                    symbol = code(mode, state, shares[row], low - base, symbol)
                    levels[p, r, c, b] = max(base + symbol, low)
                    if tally.size:
                        tally[row, symbol] += 1


@kernel
def describe(levels: Any, means: Any, p: int, r: int, c: int, b: int, features: Any) -> int:
    """Write what is known of a level into ``features`` (9,), and return how much it differs.

    All are in 16ths: the mean over the tiles before in this band, the band below in this tile, the
    mean over the tiles before in that band, the next band below, the plane before in this tile, its
    mean over the tiles before, the plane before that one, how much the mean value of the tile
    differs from the tiles before (its logarithm), and a constant.
    """
    _, _, columns, _ = levels.shape
    features[:] = 0
    count, total, below, other, mean, least, most = 0, 0, 0, 0, 0, 99, -99
    for i in range(4):
        y, x = r - (i > 0), c + i - 2 if i else c - 1
        if y < 0 or x < 0 or x >= columns:
            continue
        level = levels[p, y, x, b]
        count += 1
        total += level
        least, most = min(least, level), max(most, level)
        mean += means[p, y, x]
        if b:
            below += levels[p, y, x, b - 1]
        if p:
            other += levels[p - 1, y, x, b]
    spread: int = 0
    if count:
        features[0] = 16 * total // count
        features[2] = 16 * below // count
        features[5] = 16 * other // count
        distance = abs(16 * means[p, r, c] - 16 * mean // count)
        while distance:
            features[7] += 16
            distance >>= 1
        spread = 8 * (most - least)
    if b:
        features[1] = 16 * levels[p, r, c, b - 1]
    if b > 1:
        features[3] = 16 * levels[p, r, c, b - 2]
    if p:
        features[4] = 16 * levels[p - 1, r, c, b]
    if p > 1:
        features[6] = 16 * levels[p - 2, r, c, b]
    features[8] = 16
    spread += int(abs(features[1] - features[2]) + abs(features[1] - features[3]) // 2)
    return spread


@kernel
def _class(spread: int, classes: int) -> int:
    """Return the class of a spread in 16ths."""
    edge, found = 8, 0
    while found < classes - 1 and spread >= edge:
        found += 1
        edge = 3 * edge // 2
    return found
