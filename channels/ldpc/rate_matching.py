"""Which bit of the mother code each transmitted bit is: 3GPP TS 38.212 §5.4.2.

The first 2Z bits of the mother code are never sent, filler bits are skipped, and the rest is a
circular buffer that is read from the start of redundancy version 0 for as long as asked: a short
output punctures, a long one repeats. The bit interleaver then writes rows and reads columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.ldpc.base_graph import INFO_COLUMNS, NUM_ROWS


def transmitted_positions(
    num_info_bits: int,
    num_coded_bits: int,
    bits_per_symbol: int,
    *,
    base_graph: int,
    lifting_size: int,
) -> NDArray[np.int32]:
    """Return the index in the mother code of every transmitted bit, in the order of transmission.

    The mother code is numbered from its first information bit, the 2Z punctured ones included.

    Returns
    -------
    NDArray[np.int32]
        Indices in [2Z, (columns + rows)·Z), shape (num_coded_bits,).
    """
    last_info = INFO_COLUMNS[base_graph] * lifting_size
    end = last_info + NUM_ROWS[base_graph] * lifting_size
    buffer = np.arange(2 * lifting_size, end, dtype=np.int32)
    buffer = buffer[(buffer < num_info_bits) | (buffer >= last_info)]
    start = 0  # k_0 of redundancy version 0, Table 5.4.2.1-2
    selected = np.take(buffer, np.arange(start, start + num_coded_bits), mode="wrap")
    # §5.4.2.2: f[i + j·Qm] = e[i·E/Qm + j].
    return np.ascontiguousarray(selected.reshape(bits_per_symbol, -1).T).ravel()
