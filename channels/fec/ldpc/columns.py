"""Columns of the parity-check matrix, laid out in lanes for the float32 decoders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc.schedule import Schedule
from channels.fec.ldpc.soft_buffer import gather
from channels.kernels.jit import kernel

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

LANES = 16
"""Columns are processed in whole vectors: Z is rounded up to a multiple of this."""
KNOWN_ZERO = np.float32(1e6)
"""Initial value of a filler bit, in the decoder's sign convention log p(b=0)/p(b=1)."""


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
    """Store every column twice, in the rotation of the row that wrote it last."""
    for column in range(rotations.size):
        values, shift = mother[column * size : (column + 1) * size], rotations[column]
        state[column, : size - shift] = values[shift:]
        state[column, size - shift : size] = values[:shift]
        state[column, size : 2 * size] = state[column, :size]


@kernel
def _decide(state: F32, rotations: I32, size: int, bits: NDArray[np.uint8]) -> bool:
    """Write the information bits; return whether every bit is decided, that is, no value is 0.

    The all-zero word fulfils every check, so undecided bits must not count as zeros.
    """
    decided = True
    for i in range(bits.size):
        column = i // size
        value = state[column, (i - rotations[column]) % size]
        bits[i] = value < 0
        decided &= value != 0
    return decided


@kernel
def load(llr: F32, plan: Schedule, mother: F32, state: F32, messages: F32) -> None:
    """Fill the columns with the LLRs of a block, and set all messages to 0."""
    gather(llr, plan.runs, mother)
    mother[plan.num_info_bits : plan.known_end] = KNOWN_ZERO
    _fill_columns(mother, plan.rotations, state, plan.size)
    messages[:] = 0


@kernel
def finish(state: F32, plan: Schedule, parity: NDArray[np.uint8], bits: NDArray[np.uint8]) -> bool:
    """Write the information bits; return whether all bits are decided and form a codeword."""
    fulfilled = _is_codeword(state, plan.row_starts, plan.columns, plan.final_offsets, parity)
    return _decide(state, plan.rotations, plan.size, bits) and fulfilled
