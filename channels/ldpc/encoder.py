"""The mother-code encoder: back-substitution through the lifted base graph.

The sum of the first four rows leaves a rotation of the first parity column alone, because the
others meet in pairs. Once that column is known, every row but the fourth gives one further column,
whose own entry has rotation 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from channels.ldpc.base_graph import CORE_ROWS, INFO_COLUMNS, LiftedGraph


def encoding_steps(graph: LiftedGraph, num_rows: int) -> NDArray[np.int32]:
    """List the rotations that encode ``num_rows`` rows, one line (to, from, shift) each.

    A step adds column ``from``, rotated left by ``shift``, to column ``to``.
    """
    info, size = INFO_COLUMNS[graph.base_graph], graph.lifting_size
    entries = list(
        zip(graph.rows.tolist(), graph.columns.tolist(), graph.shifts.tolist(), strict=True)
    )
    core = [shift for row, column, shift in entries if row < CORE_ROWS and column == info]
    # Two of the three shifts are equal and cancel in the sum over the rows.
    own = next(shift for shift in core if core.count(shift) == 1)
    steps = [
        (info, column, (shift - own) % size)
        for row, column, shift in entries
        if row < CORE_ROWS and column < info
    ]
    for target_row in range(num_rows):
        if target_row == CORE_ROWS - 1:
            continue
        target = info + target_row + (1 if target_row < CORE_ROWS else 0)
        steps += [
            (target, column, shift)
            for row, column, shift in entries
            if row == target_row and column != target
        ]
    return np.array(steps, dtype=np.int32)


@njit(nogil=True, cache=True)
def encode_blocks(
    blocks: NDArray[np.uint8],
    steps: NDArray[np.int32],
    positions: NDArray[np.int32],
    columns: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Encode and rate-match a batch.

    Parameters
    ----------
    blocks
        Information bits, shape (num_blocks, k).
    steps
        From :func:`encoding_steps`.
    positions
        From :func:`channels.ldpc.rate_matching.transmitted_positions`, shape (n,).
    columns
        Room for the mother code, shape (num_columns, Z); overwritten.

    Returns
    -------
    NDArray[np.uint8]
        Transmitted bits, shape (num_blocks, n).
    """
    size = columns.shape[1]
    mother = columns.reshape(-1)
    coded = np.empty((blocks.shape[0], positions.size), dtype=np.uint8)
    for b in range(blocks.shape[0]):
        mother[:] = 0
        mother[: blocks.shape[1]] = blocks[b]
        for s in range(steps.shape[0]):
            target, source, shift = columns[steps[s, 0]], columns[steps[s, 1]], steps[s, 2]
            target[: size - shift] ^= source[shift:]
            target[size - shift :] ^= source[:shift]
        for i in range(positions.size):
            coded[b, i] = mother[positions[i]]
    return coded
