"""Scrambling sequences of 5G NR: the length-31 Gold sequence of 3GPP TS 38.211 §5.2.1.

``c(n) = x1(n + 1600) ⊕ x2(n + 1600)`` with ``x1(n + 31) = x1(n + 3) ⊕ x1(n)`` and
``x2(n + 31) = x2(n + 3) ⊕ x2(n + 2) ⊕ x2(n + 1) ⊕ x2(n)``; x1 starts as 1, 0, 0, … and x2 with the
bits of ``c_init``, lowest first.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError

_SKIPPED = 1600
_ORDER = 31
_TAPS_1 = (3, 0)
_TAPS_2 = (3, 2, 1, 0)


@lru_cache(maxsize=64)
def gold_sequence(length: int, c_init: int) -> NDArray[np.uint8]:
    """Return the pseudo-random sequence for an initial state ``c_init``.

    Parameters
    ----------
    length
        Number of bits, at least 0.
    c_init
        Initial state of the second register, in [0, 2^31).

    Returns
    -------
    NDArray[np.uint8]
        The sequence, 0 or 1, shape (length,). Read-only, because it is cached and shared.

    Raises
    ------
    ValueError
        A negative length or a state out of range.

    References
    ----------
    3GPP TS 38.211 §5.2.1.

    Examples
    --------
    >>> bits = gold_sequence(10_000, c_init=7)
    >>> bool(abs(bits.mean() - 0.5) < 0.02)  # zeros and ones are balanced
    True
    """
    if length < 0:
        raise InputError(f"length must be at least 0, got {length}")
    if not 0 <= c_init < 1 << _ORDER:
        raise InputError(f"c_init must be in [0, 2^31), got {c_init}")
    total = _SKIPPED + length
    sequence = (_shift_register(1, _TAPS_1, total) ^ _shift_register(c_init, _TAPS_2, total))[
        _SKIPPED:
    ]
    sequence.setflags(write=False)
    return sequence


def _shift_register(state: int, taps: tuple[int, ...], length: int) -> NDArray[np.uint8]:
    """Run ``x(n + 31) = ⊕ x(n + tap)`` from the bits of ``state``, lowest first.

    Squaring a polynomial over GF(2) doubles its exponents, so the same recurrence holds at every
    stride 2^i. The known part of the sequence grows by a factor at each step, not by one bit.
    """
    bits = np.empty(max(length, _ORDER), dtype=np.uint8)
    bits[:_ORDER] = (state >> np.arange(_ORDER)) & 1
    known, stride = _ORDER, 1
    while known < length:
        while _ORDER * stride * 2 <= known:
            stride *= 2
        first = known - _ORDER * stride
        count = min((_ORDER - max(taps)) * stride, length - known)
        new = bits[known : known + count]
        new[:] = 0
        for tap in taps:
            new ^= bits[first + tap * stride : first + tap * stride + count]
        known += count
    return bits[:length]
