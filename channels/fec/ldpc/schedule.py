"""Everything about a decoder that depends on the code and not on what was received.

A layered decoder goes through the rows one by one. For a row with entry (column, shift), lane
``j`` is bit ``(j + shift) mod Z`` of the column. Columns are therefore kept in the rotation of
whichever row wrote them last, and twice back to back: what the next row needs is then one
contiguous stretch that starts at the difference of the two rotations.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc.base_graph import INFO_COLUMNS, LiftedGraph


class Schedule(NamedTuple):
    """What the decoders' kernels take; all arrays int32."""

    runs: NDArray[np.int32]
    """Where received values belong: rows of (first bit of the mother code, first received value,
    distance of the received values, length), shape (num_runs, 4)."""
    num_info_bits: int
    """k: decided bits that are wanted, the first of the mother code."""
    known_end: int
    """Where the filler bits end, which start at ``num_info_bits``."""
    size: int
    """Z."""
    row_starts: NDArray[np.int32]
    """First entry of every row and the end, shape (num_rows + 1,)."""
    columns: NDArray[np.int32]
    """Column of every entry in the order of work, shape (num_entries,)."""
    offsets: NDArray[np.int32]
    """Where the entry's lanes start in its column at that moment, shape (num_entries,)."""
    final_offsets: NDArray[np.int32]
    """Where they start after the last row, shape (num_entries,)."""
    rotations: NDArray[np.int32]
    """Rotation of every column before the first row and after the last, shape (num_columns,)."""


def prepare_schedule(
    graph: LiftedGraph, num_info_bits: int, num_rows: int, runs: NDArray[np.int32]
) -> Schedule:
    """Lay out the decoding of the first ``num_rows`` rows of what :func:`find_runs` describes.

    Columns that hold nothing but filler bits are known zeros and are left out.
    """
    size, info = graph.lifting_size, INFO_COLUMNS[graph.base_graph]
    filler_column = (graph.columns * size >= num_info_bits) & (graph.columns < info)
    used = (graph.rows < num_rows) & ~filler_column
    rows, columns, shifts = graph.rows[used], graph.columns[used], graph.shifts[used]
    final = np.zeros(info + num_rows, dtype=np.int32)
    final[columns] = shifts  # the last assignment wins: the column's last writer
    rotation = final.copy()
    offsets = np.empty_like(shifts)
    for entry, (column, shift) in enumerate(zip(columns, shifts, strict=True)):
        offsets[entry] = (shift - rotation[column]) % size
        rotation[column] = shift
    return Schedule(
        runs=runs,
        num_info_bits=num_info_bits,
        known_end=info * size,
        size=size,
        row_starts=np.searchsorted(rows, np.arange(num_rows + 1)).astype(np.int32),
        columns=np.ascontiguousarray(columns),
        offsets=offsets,
        final_offsets=(shifts - final[columns]) % size,
        rotations=final,
    )


def find_runs(
    positions: NDArray[np.int32], bits_per_symbol: int, start: int = 0
) -> NDArray[np.int32]:
    """Describe transmitted positions as few runs of neighbours in the mother code.

    The interleaver puts neighbours ``bits_per_symbol`` apart, and the circular buffer has few
    jumps.

    Parameters
    ----------
    positions
        Index in the mother code of every transmitted bit, shape (n,).
    bits_per_symbol
        Q_m of the interleaver.
    start
        Index of the first of these bits among all that are received.

    Returns
    -------
    NDArray[np.int32]
        Shape (num_runs, 4); see :attr:`Schedule.runs`.
    """
    runs = []
    for lane in range(bits_per_symbol):
        along = positions[lane::bits_per_symbol]
        jumps = np.flatnonzero(np.diff(along) != 1) + 1
        edges = [0, *jumps.tolist(), len(along)]
        for begin, end in itertools.pairwise(edges):
            first = start + lane + begin * bits_per_symbol
            runs.append((along[begin], first, bits_per_symbol, end - begin))
    return np.array(runs, dtype=np.int32)
