"""The mother-code bit behind each transmitted bit: 3GPP TS 38.212 §5.4.2.

The first 2Z bits of the mother code are never sent, and filler bits are skipped. The rest is a
circular buffer, read from the start of a redundancy version for as long as needed: a short output
punctures, a long one repeats. The bit interleaver then writes into rows and reads columns.

Leaves out: a buffer that is shorter than the mother code (limited-buffer rate matching).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.fec.ldpc.base_graph import INFO_COLUMNS, NUM_ROWS

START_COLUMNS: dict[int, tuple[int, int, int, int]] = {1: (0, 17, 33, 56), 2: (0, 13, 25, 43)}
"""k_0/Z of redundancy versions 0 to 3 by base graph, for a full buffer: Table 5.4.2.1-2."""


def transmitted_positions(
    num_info_bits: int,
    num_coded_bits: int,
    bits_per_symbol: int,
    *,
    base_graph: int,
    lifting_size: int,
    rv: int = 0,
) -> NDArray[np.int32]:
    """Return the mother-code index of every transmitted bit, in the order of transmission.

    The mother code is numbered from its first information bit, the 2Z punctured ones included.

    Returns
    -------
    NDArray[np.int32]
        Indices in [2Z, (columns + rows)·Z), shape (num_coded_bits,).

    Raises
    ------
    ValueError
        A redundancy version that the standard does not have.
    """
    if rv not in (0, 1, 2, 3):
        raise InputError(f"redundancy version rv must be 0, 1, 2 or 3, got {rv!r}")
    last_info = INFO_COLUMNS[base_graph] * lifting_size
    end = last_info + NUM_ROWS[base_graph] * lifting_size
    buffer = np.arange(2 * lifting_size, end, dtype=np.int32)
    buffer = np.roll(buffer, -START_COLUMNS[base_graph][rv] * lifting_size)
    buffer = buffer[(buffer < num_info_bits) | (buffer >= last_info)]
    selected = np.resize(buffer, num_coded_bits)  # repeats the buffer as needed
    # §5.4.2.2: f[i + j·Qm] = e[i·E/Qm + j].
    return np.ascontiguousarray(selected.reshape(bits_per_symbol, -1).T).ravel()
