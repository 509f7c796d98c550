"""The decoders again, in readable NumPy, for the tests.

They process the same rows in the same order with the same operations on the same numbers, so that
fast and slow decoders agree bit for bit. This version is some ten thousand times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from channels.fec.ldpc import columns, decoder_float32, decoder_int8
from channels.fec.ldpc.base_graph import INFO_COLUMNS
from channels.fec.ldpc.soft_buffer import MAX_LLR

if TYPE_CHECKING:
    from channels.fec.ldpc.code import LdpcCode

Values = NDArray[Any]


class Arithmetic(NamedTuple):
    """The arithmetic that distinguishes one decoder from another."""

    quantise: Callable[[Values], Values]
    """Convert LLRs to the decoder's numbers."""
    known_zero: float
    """Initial value of a filler bit."""
    saturate: Callable[[Values], Values]
    """Limit a sum to the range of the numbers."""
    correct: Callable[[Values], Values]
    """Turn the least magnitude into that of a message."""


FLOATS = Arithmetic(
    quantise=lambda llr: llr,
    known_zero=float(columns.KNOWN_ZERO),
    saturate=lambda x: x,
    correct=lambda m: np.maximum(
        decoder_float32.SCALE * np.minimum(m, MAX_LLR) - decoder_float32.OFFSET, np.float32(0)
    ),
)
"""The arithmetic of :mod:`channels.fec.ldpc.decoder_float32`."""

BYTES = Arithmetic(
    quantise=lambda llr: np.rint(
        np.clip(llr * decoder_int8.LLR_SCALE, -decoder_int8.MAX_LLR, decoder_int8.MAX_LLR)
    ).astype(np.int16),
    known_zero=float(decoder_int8.LARGEST),
    saturate=lambda x: np.clip(x, -128, 127),
    correct=lambda m: np.clip(
        np.minimum(m, 127) - decoder_int8.OFFSET, 0, decoder_int8.MAX_MESSAGE
    ),
)
"""The arithmetic of :mod:`channels.fec.ldpc.decoder_int8`, in wider integers."""


def decode(
    code: LdpcCode,
    llr: NDArray[np.float32],
    max_iterations: int = 20,
    rvs: tuple[int, ...] = (0,),
    *,
    arithmetic: Arithmetic = BYTES,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Decode a batch; see :meth:`channels.fec.ldpc.LdpcCode.decode` for the parameters."""
    results = [_decode_block(code, block, max_iterations, rvs, arithmetic) for block in llr]
    bits = np.array([bits for bits, _ in results], dtype=np.uint8)
    return bits.reshape(-1, code.num_info_bits), np.array([ok for _, ok in results], dtype=bool)


def _decode_block(
    code: LdpcCode,
    llr: NDArray[np.float32],
    max_iterations: int,
    rvs: tuple[int, ...],
    arithmetic: Arithmetic,
) -> tuple[NDArray[np.uint8], bool]:
    graph, size, k = code.graph, code.lifting_size, code.num_info_bits
    info, num_rows = INFO_COLUMNS[code.base_graph], code.num_rows(rvs)
    # Internally, positive means 0, so that the sign of a sum of bits is the product of their signs.
    received = np.zeros((info + num_rows) * size, dtype=np.float32)
    positions = np.concatenate([code.positions(rv) for rv in rvs])
    np.subtract.at(received, positions, np.clip(llr, -MAX_LLR, MAX_LLR))
    mother = arithmetic.quantise(received)
    mother[k : info * size] = arithmetic.known_zero
    posterior = mother.reshape(-1, size)  # a view
    # Columns that only hold filler bits are known and left out.
    unknown = (graph.columns * size < k) | (graph.columns >= info)
    rows = [np.flatnonzero((graph.rows == row) & unknown) for row in range(num_rows)]
    places = [
        (graph.columns[entries, None], (np.arange(size) + graph.shifts[entries, None]) % size)
        for entries in rows
    ]
    messages = [np.zeros_like(posterior, shape=(entries.size, size)) for entries in rows]
    for _ in range(max_iterations):
        for row, place in enumerate(places):
            extrinsic = arithmetic.saturate(posterior[place] - messages[row])
            messages[row] = _check_messages(extrinsic, arithmetic)
            posterior[place] = arithmetic.saturate(extrinsic + messages[row])
        odd = [(posterior[place] < 0).sum(axis=0) % 2 for place in places]
        if not np.any(odd) and (mother[:k] != 0).all():
            return (mother[:k] < 0).astype(np.uint8), True
    return (mother[:k] < 0).astype(np.uint8), False


def _check_messages(extrinsic: Values, arithmetic: Arithmetic) -> Values:
    """Return a check's messages to its bits, given those from its bits: both (degree, Z)."""
    magnitude = np.abs(extrinsic)
    least, second = np.partition(magnitude, 1, axis=0)[:2]
    others = np.where(magnitude > least, least, second)
    signs = np.where(extrinsic < 0, -1, 1).astype(extrinsic.dtype)
    return np.asarray(arithmetic.correct(others) * signs.prod(axis=0, dtype=signs.dtype) * signs)
