"""A range coder: it writes symbols in as many bits as their probabilities say.

Every symbol has a whole-number share of ``2^15``. Encoder and decoder use integers only, so that
all machines agree. One function counts, encodes or decodes, so that a model of the symbols is
written once, as a loop over them that calls :func:`code`.

Reference: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised
message", Video and Data Recording Conference, 1979; the carry is propagated as in LZMA.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel

COUNT: Final = 0
ENCODE: Final = 1
DECODE: Final = 2
TOTAL_BITS: Final = 15
_BYTES_AHEAD: Final = 4

State = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]
"""Numbers of the coder, the bits counted (1,), and the bytes."""
# The numbers are, in this order:
_LOW: Final = 0
_RANGE: Final = 1
_CODE: Final = 2
_CACHE: Final = 3
_PENDING: Final = 4
_AT: Final = 5


def start(mode: int, data: bytes = b"", room: int = 0) -> State:
    """Start to count, to encode into ``room`` bytes at most, or to decode ``data``."""
    numbers = np.zeros(6, dtype=np.int64)
    numbers[_RANGE] = 0xFFFFFFFF
    if mode == DECODE:
        head = data[:_BYTES_AHEAD]
        numbers[_CODE] = int.from_bytes(head + bytes(_BYTES_AHEAD - len(head)), "big")
        numbers[_AT] = _BYTES_AHEAD
        return numbers, np.zeros(1), np.frombuffer(data, np.uint8).copy()
    numbers[_PENDING] = 1
    return numbers, np.zeros(1), np.zeros(room, np.uint8)


def finish(state: State) -> bytes:
    """Return the encoded bytes, as few as decode to the same symbols."""
    numbers, _, buffer = state
    low, width = int(numbers[_LOW]), int(numbers[_RANGE])
    for bits in range(32, -1, -8):  # the value in the range that ends in the most zeros
        value = (low + (1 << bits) - 1) >> bits << bits
        if value < low + width:
            numbers[_LOW] = value
            break
    for _ in range(_BYTES_AHEAD + 1):
        _shift(numbers, buffer)
    written = buffer[1 : numbers[_AT]].tobytes()  # the first byte is the cache's initial zero
    return written.rstrip(b"\0")


def is_read(state: State) -> bool:
    """Tell whether a decoder has read all bytes, as it has of any output of :func:`finish`."""
    numbers, _, data = state
    return len(data) <= int(numbers[_AT])


@kernel
def code(mode: int, state: Any, shares: Any, merged: int, symbol: int) -> int:
    """Count, encode or decode one symbol, and return it.

    Parameters
    ----------
    mode
        ``COUNT``, ``ENCODE`` or ``DECODE``.
    state
        The :data:`State`.
    shares
        Cumulative shares of the symbols, int64 (symbols + 1,), from 0 to ``2^15``.
    merged
        Symbols 0 to this one are one symbol, ``merged``; at most 0 merges none.
    symbol
        The symbol; ignored by the decoder.
    """
    numbers, bits, data = state
    merged = max(merged, 0)
    if merged >= len(shares) - 2:
        return merged  # nothing else is possible
    if mode == DECODE:
        width = numbers[_RANGE] >> TOTAL_BITS
        place = min(numbers[_CODE] // width, (1 << TOTAL_BITS) - 1)
        symbol = merged
        while shares[symbol + 1] <= place:
            symbol += 1
    symbol = max(symbol, merged)
    first = 0 if symbol == merged else shares[symbol]
    share = shares[symbol + 1] - first
    if mode == COUNT:
        bits[0] += TOTAL_BITS - math.log2(share)
        return symbol
    width = numbers[_RANGE] >> TOTAL_BITS
    numbers[_RANGE] = width * share
    if mode == ENCODE:
        numbers[_LOW] += width * first
    else:
        numbers[_CODE] -= width * first
    while numbers[_RANGE] < 1 << 24:
        numbers[_RANGE] <<= 8
        if mode == ENCODE:
            _shift(numbers, data)
        else:
            byte = data[numbers[_AT]] if numbers[_AT] < len(data) else 0
            numbers[_CODE] = numbers[_CODE] << 8 | byte
            numbers[_AT] += 1
    return symbol


@kernel
def _shift(numbers: Any, buffer: Any) -> None:
    """Write the highest byte, once it is known whether a carry reaches it."""
    low = numbers[_LOW]
    if low < 0xFF000000 or low > 0xFFFFFFFF:
        carry = low >> 32
        byte = numbers[_CACHE]
        while numbers[_PENDING] > 0:
            buffer[numbers[_AT]] = (byte + carry) & 0xFF
            numbers[_AT] += 1
            numbers[_PENDING] -= 1
            byte = 0xFF
        numbers[_CACHE] = (low >> 24) & 0xFF
    numbers[_PENDING] += 1
    numbers[_LOW] = (low & 0x00FFFFFF) << 8
