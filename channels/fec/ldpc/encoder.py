"""The mother-code encoder: back-substitution through the lifted base graph.

In the sum of the first four rows the other parity columns cancel in pairs, and a rotation of the
first one remains. Once it is known, every row but the fourth gives one further column, whose own
entry has rotation 0. Columns are stored twice in a row, so that any rotation of one is contiguous.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc.base_graph import CORE_ROWS, INFO_COLUMNS, LiftedGraph
from channels.kernels import simd
from channels.kernels.simd import WIDTH, exclusive_or, fill, load, store

I8 = NDArray[np.int8]


class Steps(NamedTuple):
    """The order in which parity columns are computed, each as a sum of rotated columns; int32."""

    targets: NDArray[np.int32]
    """Column that each step computes, shape (num_steps,)."""
    starts: NDArray[np.int32]
    """First term of every step, then the end, shape (num_steps + 1,)."""
    sources: NDArray[np.int32]
    """Column of every term."""
    shifts: NDArray[np.int32]
    """Its rotation to the left, in [0, Z)."""
    size: int
    """Z."""


def encoding_steps(graph: LiftedGraph, num_rows: int) -> Steps:
    """List the steps that encode the first ``num_rows`` rows."""
    info, size = INFO_COLUMNS[graph.base_graph], graph.lifting_size
    entries = list(
        zip(graph.rows.tolist(), graph.columns.tolist(), graph.shifts.tolist(), strict=True)
    )
    core = [shift for row, column, shift in entries if row < CORE_ROWS and column == info]
    # Two of the three shifts are equal and cancel in the sum of the rows.
    own = next(shift for shift in core if core.count(shift) == 1)
    sums = {
        info: [
            (column, (shift - own) % size)
            for row, column, shift in entries
            if row < CORE_ROWS and column < info
        ]
    }
    for target_row in range(num_rows):
        if target_row == CORE_ROWS - 1:
            continue
        target = info + target_row + (1 if target_row < CORE_ROWS else 0)
        sums[target] = [
            (column, shift)
            for row, column, shift in entries
            if row == target_row and column != target
        ]
    terms = np.array([term for step in sums.values() for term in step], dtype=np.int32)
    return Steps(
        targets=np.array(list(sums), dtype=np.int32),
        starts=np.cumsum([0, *map(len, sums.values())], dtype=np.int32),
        sources=np.ascontiguousarray(terms[:, 0]),
        shifts=np.ascontiguousarray(terms[:, 1]),
        size=size,
    )


@simd.kernel
def _add_parity(state: I8, steps: Steps, stride: int) -> None:
    """Compute the parity columns in ``state``, where columns are ``stride`` bytes apart."""
    size = steps.size
    for step in range(steps.targets.size):
        target = steps.targets[step] * stride
        for lane in range(0, size, WIDTH):
            total = fill(np.int8(0))
            for term in range(steps.starts[step], steps.starts[step + 1]):
                place = steps.sources[term] * stride + steps.shifts[term] + lane
                total = exclusive_or(total, load(state, place))
            store(state, target + lane, total)
        _repeat(state, target, size)


@simd.kernel
def _repeat(state: I8, start: int, size: int) -> None:
    """Continue ``state[start : start + size]`` with period ``size``."""
    step = min(size, WIDTH)  # bytes must have been written before they are copied
    for lane in range(0, size + WIDTH - step + 1, step):
        store(state, start + size + lane, load(state, start + lane))


@simd.kernel
def _interleave(bits: I8, bits_per_symbol: int, coded: I8) -> None:
    """Write into rows and read columns: TS 38.212 §5.4.2.2, f[i·Q_m + j] = e[j·E/Q_m + i]."""
    rows = bits.size // bits_per_symbol
    if bits_per_symbol % 2:
        for j in range(bits_per_symbol):
            for i in range(rows):
                coded[i * bits_per_symbol + j] = bits[j * rows + i]
        return
    half = bits_per_symbol // 2
    pairs = coded.view(np.uint16)  # two bits at a time, the first in the lower byte
    for j in range(half):
        first, second = bits[2 * j * rows :], bits[(2 * j + 1) * rows :]
        if half == 1:  # with a constant distance the compiler can vectorise
            for i in range(rows):
                pairs[i] = np.uint16(first[i]) | np.uint16(second[i]) << np.uint16(8)
        else:
            for i in range(rows):
                pairs[i * half + j] = np.uint16(first[i]) | np.uint16(second[i]) << np.uint16(8)


@simd.kernel
def encode_blocks(
    blocks: I8,
    steps: Steps,
    num_columns: int,
    runs: NDArray[np.int32],
    num_coded_bits: int,
    bits_per_symbol: int,
) -> I8:
    """Encode and rate-match a batch.

    Parameters
    ----------
    blocks
        Information bits, int8, shape (num_blocks, k).
    steps
        From :func:`encoding_steps`.
    num_columns
        Columns of the mother code to compute.
    runs
        From :func:`channels.fec.ldpc.schedule.find_runs`, in the order before the interleaver.
    num_coded_bits, bits_per_symbol
        n and Q_m.

    Returns
    -------
    NDArray[np.int8]
        Transmitted bits, shape (num_blocks, n).
    """
    size, num_info_bits = steps.size, blocks.shape[1]
    stride = 2 * size + 2 * WIDTH
    info_columns = -(-num_info_bits // size)
    state = np.zeros(num_columns * stride, dtype=np.int8)
    mother = np.zeros(num_columns * size + WIDTH, dtype=np.int8)
    selected = np.empty(num_coded_bits, dtype=np.int8)
    coded = np.empty((blocks.shape[0], num_coded_bits), dtype=np.int8)
    for b in range(blocks.shape[0]):
        mother[:num_info_bits] = blocks[b]
        mother[num_info_bits : info_columns * size] = 0
        for column in range(info_columns):
            for lane in range(0, size, WIDTH):
                store(state, column * stride + lane, load(mother, column * size + lane))
            _repeat(state, column * stride, size)
        _add_parity(state, steps, stride)
        for column in range(info_columns, num_columns):
            for lane in range(0, size, WIDTH):
                store(mother, column * size + lane, load(state, column * stride + lane))
        for r in range(runs.shape[0]):
            source, target, _, length = runs[r]
            selected[target : target + length] = mother[source : source + length]
        _interleave(selected, bits_per_symbol, coded[b])
    return coded
