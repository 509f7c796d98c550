"""Common part of the float32 decoders: columns of the parity-check matrix in lanes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

LANES = 16
"""Columns are processed in whole vectors: Z is rounded up to a multiple of this number."""
KNOWN_ZERO = np.float32(1e6)
"""Initial LLR of a filler bit, in the sign convention of the decoder, log p(b=0)/p(b=1)."""


@kernel
def _add_parity(posterior: F32, parity: NDArray[np.uint8]) -> None:
    for j in range(posterior.size):
        parity[j] ^= np.uint8(posterior[j] < 0)


@kernel
def _is_codeword(
    state: F32,
    row_starts: I32,
    columns: I32,
    final_offsets: I32,
    parity: NDArray[np.uint8],
) -> bool:
    size = parity.size
    for row in range(row_starts.size - 1):
        parity[:] = 0
        for entry in range(row_starts[row], row_starts[row + 1]):
            start = final_offsets[entry]
            _add_parity(state[columns[entry], start : start + size], parity)
        if parity.any():
            return False
    return True


@kernel
def _fill_columns(mother: F32, rotations: I32, state: F32, size: int) -> None:
    """Store every column twice in a row, in the rotation of its last writer."""
    for column in range(rotations.size):
        values, shift = mother[column * size : (column + 1) * size], rotations[column]
        state[column, : size - shift] = values[shift:]
        state[column, size - shift : size] = values[:shift]
        state[column, size : 2 * size] = state[column, :size]


@kernel
def _decide(state: F32, rotations: I32, size: int, bits: NDArray[np.uint8]) -> bool:
    """Write the information bits and return whether none of their values is 0.

    The all-zero word fulfils every check. A bit about which nothing is known must therefore not
    pass as a decided zero.
    """
    decided = True
    for i in range(bits.size):
        column = i // size
        value = state[column, (i - rotations[column]) % size]
        bits[i] = value < 0
        decided &= value != 0
    return decided
