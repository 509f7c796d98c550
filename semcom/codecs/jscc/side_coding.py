"""The side information of ``jscc`` in few bits: each number is coded by its learned probability.

    layout, step of the means, whether all weights are equal (1 byte) │ planned SNR (1) │
    scale (2) │ least level (1) │ level of the rest of coarse values (1) │
    range coder: weights, means, levels, coarse values

A weight or a mean is predicted from the tiles above and to the left, a level also from lower bands
of the same tile and from the plane before. The difference from the prediction has a probability
that depends on how much the neighbours differ. Chunks that are not sent are those whose level,
with half the level of their tile's weight, is below the least one; they cost nothing but their
share of the probability. The probability of a coarse value depends on the level of its chunk and on
the two values before it.

All of this is whole numbers, so that all machines decode the same. The predictors and the
probabilities are fitted by ``semcom train jscc``.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel
from semcom.codecs.base import DecodeError
from semcom.codecs.jscc.range_coder import (
    COUNT,
    DECODE,
    ENCODE,
    State,
    code,
    finish,
    is_read,
    start,
)
from semcom.codecs.linear.chunks import Chunks
from semcom.codecs.linear.code import LinearPicture
from semcom.codecs.linear.side_information import (
    COARSE_ABOVE,
    LAYOUTS,
    NO_COARSE,
    Side,
    chunks_of,
    layouts,
)

Ints = NDArray[np.int64]
Tallies = tuple[Ints, Ints, Ints]
"""Numbers of differences of levels and of fields, and of coarse values, by context."""

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
_MAX_LEVEL: Final = 63
_EVEN_WEIGHT = 32  # the level of weight 1
_MEAN_RANGE = 1024
_HEAD = struct.Struct(">BBHBB")
_EMPTY = np.zeros((0, 0), np.int64)
_NO_TALLIES = _EMPTY, _EMPTY, _EMPTY


class SideModel(NamedTuple):
    """The learned numbers."""

    predictors: Ints
    """Weights of the features in 256ths, (layouts, 2, 3 planes, 3, features)."""
    level_shares: Ints
    """Cumulative shares of differences, (level contexts, differences + 1), from 0 to 2^15."""
    field_shares: Ints
    """The same for weights and means, (field contexts, differences + 1)."""
    value_shares: Ints
    """The same for coarse values, (value contexts, values + 1)."""


class Settled(NamedTuple):
    """Side information as it can be sent."""

    side: Side
    least: int
    """Least value of ``2·level + weight`` that is sent; 255 if none is."""
    bits: float
    """Number of bits; infinite if a coarse value is too large."""


def settle(
    picture: LinearPicture, num_symbols: int, model: SideModel, tallies: Tallies = _NO_TALLIES
) -> Settled:
    """Choose the chunks to send, and return the side information as it can be sent.

    Equal weights become 1, and a number that differs from its prediction by more than the code can
    say is changed. ``tallies`` count the numbers by context, if they are not empty.
    """
    side, chunks = picture.choose(num_symbols), picture.chunks
    if side.weights[0] and (side.weights == side.weights[0]).all():
        side = side._replace(weights=np.full_like(side.weights, _EVEN_WEIGHT))
    worth = 2 * side.levels.astype(np.int64) + side.weights[:, None]
    sent = (side.levels > 0) & (side.weights[:, None] > 0)
    least = int(worth[sent].min()) if sent.any() else 0xFF
    state = start(COUNT)
    side = _coded(COUNT, state, side, chunks, model, least=least, even=_even(side), tallies=tallies)
    side = picture.valued(side)
    if np.abs(side.values).max(initial=0) > VALUE_REACH:
        return Settled(side, least, math.inf)
    _code_values(COUNT, state, side, chunks, model, tallies[2])
    return Settled(side, least, 8 * _HEAD.size + float(state[1][0]))


def pack(side: Side, least: int, chunks: Chunks, model: SideModel) -> bytes:
    """Return the bytes of settled side information."""
    numbers = side.levels.size + side.means.size + side.weights.size + side.values.size
    state, even = start(ENCODE, room=2 * numbers + 16), _even(side)
    _coded(ENCODE, state, side, chunks, model, least=least, even=even)
    _code_values(ENCODE, state, side, chunks, model)
    kind = side.layout << 3 | MEAN_STEPS.index(side.mean_step) << 1 | even
    return _HEAD.pack(kind, side.snr, side.scale, least, side.coarse_rest) + finish(state)


def unpack(data: bytes, height: int, width: int, model: SideModel) -> tuple[Side, int]:
    """Read the output of :func:`pack`; raise ``DecodeError`` for anything else.

    Returns the side information and the least ``2·level + weight`` that is sent.
    """
    if len(data) < _HEAD.size:
        raise DecodeError("jscc: side information is cut off")
    kind, snr, scale, least, rest = _HEAD.unpack_from(data)
    layout, step, even = kind >> 3, MEAN_STEPS[kind >> 1 & 3], bool(kind & 1)
    if layout not in layouts(height, width):
        raise DecodeError(f"jscc: layout {layout} does not exist for {width}x{height}")
    if rest > NO_COARSE:
        raise DecodeError(f"jscc: coarse values have no rest of level {rest}")
    chunks, bands = chunks_of(layout, height, width), LAYOUTS[layout][1]
    weights = np.full(chunks.num_tiles, _EVEN_WEIGHT, np.uint8)
    means = np.zeros((3, chunks.num_tiles), np.uint8)
    levels = np.zeros((3, chunks.num_tiles, bands), np.uint8)
    state = start(DECODE, data[_HEAD.size :])
    side = Side(layout, snr, scale, weights, means, levels, step, rest)
    side = _coded(DECODE, state, side, chunks, model, least=least, even=even)
    count = int((chunks.counts * side.is_coarse).sum())
    side = side._replace(values=np.zeros(count, np.int64))
    _code_values(DECODE, state, side, chunks, model)
    if not is_read(state):
        raise DecodeError("jscc: side information has bytes that do not belong to it")
    return side, least


def _even(side: Side) -> bool:
    return bool((side.weights == _EVEN_WEIGHT).all())


def floor_of(weights: Ints, least: int) -> Ints:
    """Return the level up to which chunks of a tile are not sent."""
    floor = (least - weights + 1) // 2 - 1
    return np.where(weights > 0, np.clip(floor, 0, _MAX_LEVEL), _MAX_LEVEL)


def _coded(
    mode: int,
    state: State,
    side: Side,
    chunks: Chunks,
    model: SideModel,
    *,
    least: int,
    even: bool,
    tallies: Tallies = _NO_TALLIES,
) -> Side:
    """Count, encode or decode weights, means and levels; return what the decoder finds."""
    grid = chunks.rows, chunks.columns
    weights = side.weights.astype(np.int64).reshape(grid)
    if not even:
        context = FIELD_CONTEXTS - 8
        code_field(mode, state, model.field_shares, tallies[1], context, _EVEN_WEIGHT, weights)
    means = side.means.astype(np.int64).reshape(3, *grid)
    for plane, field in enumerate(means):
        context = 8 * (3 * MEAN_STEPS.index(side.mean_step) + plane)
        middle = _MEAN_RANGE // 2 // side.mean_step
        code_field(mode, state, model.field_shares, tallies[1], context, middle, field)
    weights, means = (np.clip(field, 0, 0xFF) for field in (weights, means))
    levels = side.levels.astype(np.int64).reshape(3, *grid, -1)
    floor = floor_of(weights, least)
    code_levels(
        mode,
        state,
        model.predictors[side.layout],
        model.level_shares,
        tallies[0],
        floor,
        means,
        levels,
    )
    levels[levels <= floor[..., None]] = 0
    return side._replace(
        weights=weights.astype(np.uint8).ravel(),
        means=means.astype(np.uint8).reshape(side.means.shape),
        levels=levels.astype(np.uint8).reshape(side.levels.shape),
    )


def _code_values(
    mode: int, state: State, side: Side, chunks: Chunks, model: SideModel, tally: Ints = _EMPTY
) -> None:
    """Count, encode or decode the coarse values, in place."""
    coarse, _ = side.coarse(chunks)
    above = np.broadcast_to(side.levels - side.rest, side.levels.shape)
    low = np.searchsorted(np.cumsum(chunks.counts), coarse.shape[-1]) + 1
    kinds = np.repeat(above[..., :low], chunks.counts[:low], axis=-1)
    kinds = kinds[..., : coarse.shape[-1]][coarse]
    kinds = np.clip(kinds - COARSE_ABOVE, 0, VALUE_CONTEXTS // 8 - 1)
    first = np.zeros(coarse.shape[-1] + 1, bool)
    first[np.minimum(np.cumsum(chunks.counts) - chunks.counts, coarse.shape[-1])] = True
    begins = np.broadcast_to(first[:-1], coarse.shape)[coarse]
    code_values(mode, state, model.value_shares, tally, kinds.astype(np.int64), begins, side.values)


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
                    predicted = min(max(predicted >> 8, 0), 16 * (_MAX_LEVEL - LEVEL_REACH) + 15)
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
