"""The decoder of :mod:`channels.ldpc.decoder` again, in readable NumPy, for the tests.

It goes through the same rows in the same order and makes the same float32 operations, so that the
two agree bit for bit; it is some thousand times slower.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.ldpc.base_graph import INFO_COLUMNS
from channels.ldpc.code import LdpcCode
from channels.ldpc.decoder import KNOWN_ZERO, MAX_LLR, OFFSET, SCALE


def decode_reference(
    code: LdpcCode, llr: NDArray[np.float32], max_iterations: int = 20
) -> tuple[NDArray[np.uint8], bool]:
    """Decode one block.

    Parameters
    ----------
    code
        The prepared code.
    llr
        ``log p(b=1)/p(b=0)`` of every coded bit, shape (n,).
    max_iterations
        Passes over all rows at most.

    Returns
    -------
    bits : NDArray[np.uint8]
        Decided information bits, shape (k,).
    syndrome_ok : bool
        Whether all checks are fulfilled and every information bit is decided.
    """
    graph, size, k = code.graph, code.lifting_size, code.num_info_bits
    info = INFO_COLUMNS[code.base_graph]
    # Inside, positive means 0: the sign of a sum of bits is then the product of their signs.
    mother = np.zeros((info + code.num_rows) * size, dtype=np.float32)
    np.subtract.at(mother, code.positions, np.clip(llr, -MAX_LLR, MAX_LLR))
    mother[k : info * size] = KNOWN_ZERO
    posterior = mother.reshape(-1, size)  # a view
    rows = [np.flatnonzero(graph.rows == row) for row in range(code.num_rows)]
    places = [
        (graph.columns[entries, None], (np.arange(size) + graph.shifts[entries, None]) % size)
        for entries in rows
    ]
    messages = [np.zeros((entries.size, size), dtype=np.float32) for entries in rows]
    fulfilled = False
    for _ in range(max_iterations):
        for row, place in enumerate(places):
            extrinsic = posterior[place] - messages[row]
            messages[row] = _check_messages(extrinsic)
            posterior[place] = extrinsic + messages[row]
        fulfilled = all(((posterior[place] < 0).sum(axis=0) % 2 == 0).all() for place in places)
        if fulfilled:
            break
    decided = mother[:k]
    return (decided < 0).astype(np.uint8), fulfilled and bool((decided != 0).all())


def _check_messages(extrinsic: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a check tells each of its bits, from what they told it: both (degree, Z)."""
    magnitude = np.minimum(np.abs(extrinsic), MAX_LLR)
    least, second = np.partition(magnitude, 1, axis=0)[:2]
    others = np.where(magnitude > least, least, second)
    signs = np.where(extrinsic < 0, np.float32(-1), np.float32(1))
    corrected = np.maximum(SCALE * others - OFFSET, np.float32(0))
    return np.asarray(corrected * signs.prod(axis=0) * signs)
