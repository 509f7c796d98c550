"""Ordered-statistics decoding of the few blocks that belief propagation leaves wrong.

Beyond the waterfall, belief propagation fails mostly because it is caught in a trapping set, where
a few bits contradict a few checks for ever. There are codewords close by. The reliabilities of all
bits are the means of their posterior LLRs over the iterations of
:mod:`channels.fec.ldpc.decoder_boxplus`, since the bits of a trapping set oscillate. The
parity-check matrix is then solved for the least reliable bits that it determines, so that the
others, the basis, can be chosen freely: as decided (order 0), with one of them flipped (order 1),
or with two of the least reliable (order 2). Each choice gives a codeword. The candidates are sorted
by the log-likelihood of the received values.

Elimination is over packed words and takes some 10 ms for a block of 1344 bits; the time grows with
the cube of the length.

References
----------
M. Fossorier, S. Lin, "Soft-decision decoding of linear block codes based on ordered statistics",
IEEE Trans. Inf. Theory 41(5), 1995, DOI 10.1109/18.412683; M. Fossorier, "Iterative
reliability-based decoding of low-density parity check codes", IEEE J. Sel. Areas Commun. 19(5),
2001, DOI 10.1109/49.924874, for the combination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc.columns import F32, LANES, load
from channels.fec.ldpc.decoder_boxplus import MOST_ENTRIES, iterate
from channels.fec.ldpc.schedule import Schedule
from channels.kernels.jit import kernel

if TYPE_CHECKING:
    from channels.fec.ldpc.code import LdpcCode

Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]

LIST_SIZE = 48
"""Candidates of a block."""
_PAIRED = 64  # least reliable bits of the basis that are also flipped in pairs
_WORD = 64


def candidates(
    code: LdpcCode,
    llr: NDArray[np.float32],
    max_iterations: int,
    rvs: tuple[int, ...] = (0,),
    *,
    list_size: int = LIST_SIZE,
) -> Bits:
    """Return codewords near the received values of one block, the likeliest first.

    Parameters
    ----------
    code
        The code.
    llr
        ``log p(b=1)/p(b=0)`` of the received bits of one block, float32 (n·len(rvs),).
    max_iterations, rvs
        See :meth:`channels.fec.ldpc.LdpcCode.decode`.
    list_size
        Number of codewords, at least 1.

    Returns
    -------
    NDArray[np.uint8]
        Information bits, (at most list_size, k), without repetitions.
    """
    plan = code.schedule(rvs)
    received, reliability = _posteriors(
        np.ascontiguousarray(llr, dtype=np.float32), plan, max_iterations
    )
    places, checks = _checks(plan)
    return _search(received[places], reliability[places], checks, plan.num_info_bits, list_size)


@kernel
def _posteriors(llr: F32, plan: Schedule, max_iterations: int) -> tuple[F32, F32]:
    """Return the received LLRs of all bits of the mother code, and their mean posterior LLRs.

    Positive means 0, as inside the decoders.
    """
    size = plan.size
    padded = -(-size // LANES) * LANES
    num_columns = plan.rotations.size
    mother = np.empty(num_columns * size, dtype=np.float32)
    state = np.zeros((num_columns, 2 * size + padded), dtype=np.float32)
    messages = np.empty((plan.columns.size, padded), dtype=np.float32)
    room = np.empty((MOST_ENTRIES + 2, padded), dtype=np.float32)
    mean = np.zeros(num_columns * size, dtype=np.float32)
    load(llr, plan, mother, state, messages)
    for _ in range(max_iterations):
        iterate(state, messages, plan.row_starts, plan.columns, plan.offsets, room, size)
        for column in range(num_columns):
            for i in range(size):
                lane = (i - plan.rotations[column]) % size
                mean[column * size + i] += state[column, lane] / np.float32(max_iterations)
    return mother, mean


def _checks(plan: Schedule) -> tuple[NDArray[np.int64], Bits]:
    """Return the bits of the mother code that are not known, and the checks on them, (M, N)."""
    size, num_rows = plan.size, len(plan.row_starts) - 1
    places = np.setdiff1d(
        np.arange(plan.rotations.size * size), np.arange(plan.num_info_bits, plan.known_end)
    )
    checks = np.zeros((num_rows * size, plan.rotations.size * size), dtype=np.uint8)
    shifts = _shifts(plan)
    lanes = np.arange(size)
    for row in range(num_rows):
        for entry in range(plan.row_starts[row], plan.row_starts[row + 1]):
            bits = plan.columns[entry] * size + (lanes + shifts[entry]) % size
            checks[row * size + lanes, bits] = 1
    return places, checks[:, places]


def _shifts(plan: Schedule) -> NDArray[np.int64]:
    """Return the shift of every entry: its final offset undoes the rotation of its column."""
    return np.asarray((plan.final_offsets + plan.rotations[plan.columns]) % plan.size, np.int64)


def _search(
    received: F32, reliability: F32, checks: Bits, num_info_bits: int, list_size: int
) -> Bits:
    """Return the information bits of the likeliest codewords around the reliable decisions."""
    order = np.argsort(np.abs(reliability), kind="stable")
    packed = _pack(checks[:, order])
    pivots = _eliminate(packed, len(order))
    solved = np.unpackbits(packed.view(np.uint8), axis=1, bitorder="little")[: len(pivots)]
    basis = np.setdiff1d(np.arange(len(order)), pivots)  # the least reliable first
    effects = np.ascontiguousarray(solved[:, basis].T)  # the pivots that each flip changes too
    word = (reliability[order] < 0).astype(np.uint8)
    word[pivots] = np.bitwise_xor.reduce(effects[word[basis] == 1], axis=0)
    # What a flip costs: half the decrease of the correlation with the received values.
    price = received[order] * np.where(word, -1, 1)
    single = price[basis] + effects @ price[pivots]
    pairs = np.array(np.triu_indices(min(_PAIRED, len(basis)), 1)).T
    shared = (effects[pairs[:, 0]] & effects[pairs[:, 1]]) @ price[pivots]
    prices = np.concatenate([[0.0], single, single[pairs].sum(axis=1) - 2 * shared])
    found = []
    for best in np.argsort(prices, kind="stable")[:list_size]:
        flips = np.empty(0, int)
        if best > len(basis):
            flips = pairs[best - len(basis) - 1]
        elif best:
            flips = np.array([best - 1])
        other = word.copy()
        other[basis[flips]] ^= 1
        other[pivots] ^= np.bitwise_xor.reduce(effects[flips], axis=0)
        natural = np.empty_like(other)
        natural[order] = other
        found.append(natural[:num_info_bits])
    return np.array(found, dtype=np.uint8)


def _pack(checks: Bits) -> Words:
    """Pack the columns of a matrix of bits into words, the first in the lowest place."""
    padded = np.pad(checks, ((0, 0), (0, -checks.shape[1] % _WORD)))
    return np.ascontiguousarray(np.packbits(padded, axis=1, bitorder="little")).view(np.uint64)


@kernel
def _eliminate(packed: Words, num_columns: int) -> NDArray[np.int64]:
    """Bring a packed matrix to reduced row echelon form; return its pivots' columns."""
    num_rows, num_words = packed.shape
    pivots = np.empty(num_rows, dtype=np.int64)
    rank = 0
    one = np.uint64(1)
    for column in range(num_columns):
        if rank == num_rows:
            break
        place, shift = column // 64, np.uint64(column % 64)
        found = -1
        for row in range(rank, num_rows):
            if (packed[row, place] >> shift) & one:
                found = row
                break
        if found < 0:
            continue
        if found != rank:
            for word in range(place, num_words):
                packed[rank, word], packed[found, word] = packed[found, word], packed[rank, word]
        for row in range(num_rows):
            if row != rank and (packed[row, place] >> shift) & one:
                for word in range(place, num_words):
                    packed[row, word] ^= packed[rank, word]
        pivots[rank] = column
        rank += 1
    return pivots[:rank]
