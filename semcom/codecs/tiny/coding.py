"""From a wavelet's coefficients to bytes and back.

    range coder: offsets of steps, if any │ coarsest picture │ details, from the coarsest level

All is in whole numbers but the choice of what is sent, so that all machines decode the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.base import DecodeError
from semcom.codecs.parts.range_coder import DECODE, ENCODE, State, finish, is_read, start
from semcom.codecs.tiny.context_kernels import (
    MAX_SIZE,
    PHASES,
    choose,
    find_classes,
    places,
)
from semcom.codecs.tiny.number_kernels import LENGTHS, code_coarsest, code_details, code_offsets
from semcom.codecs.tiny.quantised import (
    BLOCK,
    LEVELS_PER_DOUBLING,
    MAX_OFFSET,
    Floats,
    Ints,
    Quantised,
    Whole,
    coarsest_in_steps,
    details_in_steps,
    steps_of,
    units_of,
)
from semcom.codecs.tiny.wavelet import LEVELS, ORIENTATIONS, PLANES, Wavelet

Classes = NDArray[np.uint8]

PRICE = 0.1155
"""Squared error, in steps, that a bit must remove: 2·ln 2 / 12, as at high rates."""
_MAX_BYTES = 8  # more than any number takes


class Tables(NamedTuple):
    """The whole numbers that are fitted by ``semcom train tiny``."""

    weights: Whole
    """Weights of features in 1024ths, (LEVELS, PLANES, ORIENTATIONS, PHASES, FEATURES)."""
    detail_shares: Ints
    """Cumulative shares of sizes, (LEVELS, 2, 2, CLASSES, SIZES + 1): for each level, of luma and
    colour, and of the first phase and the others."""
    coarsest_shares: Ints
    """Cumulative shares of lengths, (doublings of the step, PLANES, LENGTHS + 1)."""
    offset_shares: Ints
    """Cumulative shares of lengths, (2, LENGTHS + 1)."""

    def costs(self) -> Floats:
        """Return the bits of each size with its sign, (LEVELS, 2, 2, CLASSES, SIZES)."""
        bits = -np.log2(np.diff(self.detail_shares, axis=-1) / self.detail_shares[..., -1:])
        bits[..., 1:] += 1
        return np.asarray(bits, np.float32)


class Phase(NamedTuple):
    """The details that are coded at once, and what is known before."""

    level: int
    plane: int
    orientation: int
    number: int
    own: Whole
    parents: Whole
    turned: Whole
    other: Whole
    units: Whole

    @property
    def place(self) -> tuple[int, ...]:
        """Level, plane, orientation and number."""
        return self[:4]

    @property
    def group(self) -> tuple[int, int, int]:
        """Which shares it has: of the level, luma or colour, and the first phase or the others."""
        return self.level, min(self.plane, 1), min(self.number, 1)

    def classes(self, tables: Tables) -> Classes:
        """Return the class of expected size of each detail."""
        found = np.empty(self.units.shape, np.uint8)
        find_classes(self.number, *self[4:], tables.weights[self.place], found)
        return found


Take = Callable[[Phase, Floats | None], Whole]
"""Gets a phase and the encoder's details in steps; returns the quantised ones."""


def encode(wavelet: Wavelet, level: int, offsets: Ints, tables: Tables) -> tuple[bytes, Quantised]:
    """Encode a picture, and return its bytes and what the decoder will have of it.

    Parameters
    ----------
    wavelet
        The picture's coefficients.
    level
        Level of the step.
    offsets
        Offsets of the blocks' steps, (h, w); if all are 0, they are not coded.
    tables
        The tables.
    """
    costs = tables.costs()
    numbers = PLANES * offsets.size * BLOCK**2
    state = start(ENCODE, room=_MAX_BYTES * numbers + 64)  # memory that is not used costs nothing

    def take(phase: Phase, values: Floats | None) -> Whole:
        assert values is not None
        classes, found = phase.classes(tables), np.empty(values.shape, np.int32)
        choose(values, classes, costs[phase.group], PRICE, found)
        code_details(ENCODE, state, classes, tables.detail_shares[phase.group], found)
        return found

    if offsets.any():
        code_offsets(ENCODE, state, tables.offset_shares, offsets, new_tally(2))
    coarsest = code_all_coarsest(ENCODE, state, level, offsets, tables, wavelet.coarsest)
    values = details_in_steps(wavelet, level, offsets)
    sent = Quantised(level, offsets, coarsest, code_all_details(offsets, take, values))
    return finish(state), sent


def decode(
    data: bytes, blocks: tuple[int, int], level: int, tables: Tables, *, even: bool
) -> Quantised:
    """Decode a picture of some rows and columns of blocks; ``even`` if all offsets are 0.

    Raises
    ------
    DecodeError
        There are more bytes than the picture has.
    """
    state = start(DECODE, data)

    def take(phase: Phase, _: Floats | None) -> Whole:
        classes, found = phase.classes(tables), np.zeros(phase.units.shape, np.int32)
        code_details(DECODE, state, classes, tables.detail_shares[phase.group], found)
        return found

    offsets = np.zeros(blocks, np.int64)
    if not even:
        code_offsets(DECODE, state, tables.offset_shares, offsets, new_tally(2))
        offsets = np.clip(offsets, -MAX_OFFSET, MAX_OFFSET)
    coarsest = code_all_coarsest(DECODE, state, level, offsets, tables)
    details = code_all_details(offsets, take)
    if not is_read(state):
        raise DecodeError("tiny: a packet has bytes that do not belong to it")
    return Quantised(level, offsets, coarsest, details)


def code_all_coarsest(
    mode: int,
    state: State,
    level: int,
    offsets: Ints,
    tables: Tables,
    values: Floats | None = None,
    tally: Ints | None = None,
) -> Ints:
    """Code the coarsest picture (PLANES, h, w), and return it in steps."""
    steps, kind = steps_of(level, offsets), level // LEVELS_PER_DOUBLING
    found = np.zeros((PLANES, *offsets.shape), np.int64)
    if values is not None:
        found[:] = coarsest_in_steps(values, steps)
    for plane in range(PLANES):
        shares = tables.coarsest_shares[kind, plane]
        counts = new_tally() if tally is None else tally[kind, plane]
        code_coarsest(mode, state, shares, steps, found[plane], counts)
    return found


def code_all_details(
    offsets: Ints, take: Take, values: Sequence[Floats] | None = None
) -> list[Whole]:
    """Walk through the details in the order of coding, and return what ``take`` returns of them.

    Parameters
    ----------
    offsets
        Offsets of the blocks' steps, (h, w).
    take
        Codes a phase.
    values
        The encoder's details in steps, (PLANES, ORIENTATIONS, ·, ·), from the coarsest level.
    """
    found = []
    units = units_of(offsets)
    parents = np.zeros((PLANES, ORIENTATIONS, *(-(-n // 2) for n in units.shape)), np.int32)
    for level in range(LEVELS):
        exact = values[level] if values else None
        whole = np.zeros((PLANES, ORIENTATIONS, *units.shape), np.int32)
        parents = _code_level(level, units, parents, take, exact, whole)
        found.append(whole)
        units = units.repeat(2, axis=0).repeat(2, axis=1)
    return found


def _code_level(
    level: int, units: Whole, parents: Whole, take: Take, values: Floats | None, whole: Whole
) -> Whole:
    """Code the details of a level into ``whole``, and return their sizes times their units."""
    units_of = [np.ascontiguousarray(units[places(number)]) for number in range(PHASES)]
    bordered = PHASES, *(-(-side // 2) + 2 for side in units.shape)
    other = np.zeros((ORIENTATIONS, *bordered), np.int32)
    for plane in range(PLANES):
        turned = np.zeros(bordered, np.int32)
        for orientation in range(ORIENTATIONS):
            own = np.zeros(bordered, np.int32)
            above = np.pad(parents[plane, orientation], 1)
            known = own, above, turned, other[orientation]
            for number, unit in enumerate(units_of):
                at = plane, orientation, *places(number)
                phase = Phase(level, plane, orientation, number, *known, unit)
                exact = None if values is None else np.ascontiguousarray(values[at])
                whole[at] = quantised = take(phase, exact)
                size = np.minimum(np.abs(quantised) * unit, MAX_SIZE)
                own[number, 1 : size.shape[0] + 1, 1 : size.shape[1] + 1] = size
            turned += own
            other[orientation] += own
    return np.minimum(np.abs(whole) * units, MAX_SIZE)


def new_tally(*shape: int) -> Ints:
    """Return counts of lengths, all 0."""
    return np.zeros((*shape, LENGTHS), np.int64)
