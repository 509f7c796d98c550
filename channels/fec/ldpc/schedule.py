"""The part of a decoder that depends on the code and not on the received values.

A layered decoder processes the rows one by one. For a row with entry (column, shift), lane ``j``
is bit ``(j + shift) mod Z`` of the column. Each column is therefore kept in the rotation of the row
that wrote it last, and stored twice in a row. The part that the next row needs is then contiguous
and starts at the difference of the two rotations.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc.base_graph import INFO_COLUMNS, LiftedGraph


class Schedule(NamedTuple):
    """The input of the decoders' kernels; all arrays are int32."""

    runs: NDArray[np.int32]
    """The places of received values: rows of (first bit of the mother code, first received value,
    distance between received values, length), shape (num_runs, 4)."""
    num_info_bits: int
    """k, the number of decided bits that are returned, the first of the mother code."""
    known_end: int
    """End of the filler bits, which start at ``num_info_bits``."""
    size: int
    """Z."""
    row_starts: NDArray[np.int32]
    """First entry of every row, then the end, shape (num_rows + 1,)."""
    columns: NDArray[np.int32]
    """Column of every entry in the order of processing, shape (num_entries,)."""
    offsets: NDArray[np.int32]
    """Start of the entry's lanes in its column when it is processed, shape (num_entries,)."""
    final_offsets: NDArray[np.int32]
    """Start of the entry's lanes after the last row, shape (num_entries,)."""
    rotations: NDArray[np.int32]
    """Rotation of every column before the first row and after the last, shape (num_columns,)."""


def prepare_schedule(
    graph: LiftedGraph, num_info_bits: int, num_rows: int, runs: NDArray[np.int32]
) -> Schedule:
    """Lay out the decoding of the first ``num_rows`` rows for the output of :func:`find_runs`.

    Columns that only hold filler bits are known zeros and left out.
    """
    size, info = graph.lifting_size, INFO_COLUMNS[graph.base_graph]
    filler_column = (graph.columns * size >= num_info_bits) & (graph.columns < info)
    used = (graph.rows < num_rows) & ~filler_column
    rows, columns, shifts = graph.rows[used], graph.columns[used], graph.shifts[used]
    final = np.zeros(info + num_rows, dtype=np.int32)
    final[columns] = shifts  # the last assignment wins: that of the column's last writer
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
    """Describe transmitted positions as a few runs of neighbours in the mother code.

    The interleaver puts neighbours ``bits_per_symbol`` apart, and the circular buffer has few
    jumps.

    Parameters
    ----------
    positions
        Index in the mother code of every transmitted bit, shape (n,).
    bits_per_symbol
        Q_m of the interleaver.
    start
        Index of the first of these bits among all received bits.

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
