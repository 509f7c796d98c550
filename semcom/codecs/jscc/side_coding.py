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
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.base import DecodeError
from semcom.codecs.jscc.side_kernels import (
    FIELD_CONTEXTS,
    MEAN_STEPS,
    VALUE_CONTEXTS,
    VALUE_REACH,
    code_field,
    code_levels,
    code_values,
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
from semcom.codecs.parts.range_coder import COUNT, DECODE, ENCODE, State, finish, is_read, start
from semcom.codecs.refiner.knowledge import NOTHING_SENT, floor_of

Ints = NDArray[np.int64]
Tallies = tuple[Ints, Ints, Ints]
"""Numbers of differences of levels and of fields, and of coarse values, by context."""

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
        side = replace(side, weights=np.full_like(side.weights, _EVEN_WEIGHT))
    worth = 2 * side.levels.astype(np.int64) + side.weights[:, None]
    sent = (side.levels > 0) & (side.weights[:, None] > 0)
    least = int(worth[sent].min()) if sent.any() else NOTHING_SENT
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
    side = replace(side, values=np.zeros(count, np.int64))
    _code_values(DECODE, state, side, chunks, model)
    if not is_read(state):
        raise DecodeError("jscc: side information has bytes that do not belong to it")
    return side, least


def _even(side: Side) -> bool:
    return bool((side.weights == _EVEN_WEIGHT).all())


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
    return replace(
        side,
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
