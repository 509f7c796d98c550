"""Everything about a decoder that depends on the code and not on what was received.

A layered decoder goes through the rows one by one. For a row with entry (column, shift), lane
``j`` is bit ``(j + shift) mod Z`` of the column. Columns are therefore kept in the rotation of
whichever row wrote them last, and twice back to back: what the next row needs is then one
contiguous stretch that starts at the difference of the two rotations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channels.ldpc.base_graph import INFO_COLUMNS, LiftedGraph

LANES = 16
"""Columns are worked on in whole vectors: Z is rounded up to a multiple of this."""


@dataclass(frozen=True)
class Schedule:
    """Addresses for :func:`channels.ldpc.decoder.decode_blocks`, all int32."""

    row_starts: NDArray[np.int32]
    """First entry of every row and the end, shape (num_rows + 1,)."""
    columns: NDArray[np.int32]
    """Column of every entry in the order of work, shape (num_entries,)."""
    offsets: NDArray[np.int32]
    """Where the entry's lanes start in its column at that moment, shape (num_entries,)."""
    final_offsets: NDArray[np.int32]
    """Where they start after the last row, shape (num_entries,)."""
    bit_addresses: NDArray[np.int32]
    """Where every bit of the mother code lies after the last row, in the flattened columns."""
    column_stride: int
    """Length of a stored column: 2·Z and room for whole vectors."""
    padded_size: int
    """Z rounded up to whole vectors."""


def prepare_schedule(graph: LiftedGraph, num_info_bits: int, num_rows: int) -> Schedule:
    """Lay out the decoding of the first ``num_rows`` rows.

    Columns that hold nothing but filler bits are known zeros and are left out.
    """
    size, info = graph.lifting_size, INFO_COLUMNS[graph.base_graph]
    filler_column = (graph.columns * size >= num_info_bits) & (graph.columns < info)
    used = (graph.rows < num_rows) & ~filler_column
    rows, columns, shifts = graph.rows[used], graph.columns[used], graph.shifts[used]
    num_columns = info + num_rows
    final = np.zeros(num_columns, dtype=np.int32)
    final[columns] = shifts  # the last assignment wins: the column's last writer
    rotation = final.copy()
    offsets = np.empty_like(shifts)
    for entry, (column, shift) in enumerate(zip(columns, shifts, strict=True)):
        offsets[entry] = (shift - rotation[column]) % size
        rotation[column] = shift
    padded = -(-size // LANES) * LANES
    stride = 2 * size + padded
    column, bit = np.divmod(np.arange(num_columns * size), size)
    return Schedule(
        row_starts=np.searchsorted(rows, np.arange(num_rows + 1)).astype(np.int32),
        columns=columns,
        offsets=offsets,
        final_offsets=(shifts - final[columns]) % size,
        bit_addresses=(column * stride + (bit - final[column]) % size).astype(np.int32),
        column_stride=stride,
        padded_size=padded,
    )
