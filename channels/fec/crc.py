"""Cyclic redundancy checks of 5G NR: 3GPP TS 38.212 §5.1.

The check bits of a message ``a_0 … a_{A-1}`` are the remainder of ``a(x)·x^L`` divided by the
generator over GF(2), with a_0 as the highest power and a register that starts at zero. The
remainder is linear in the message: it is the XOR of one tabulated constant per set bit.

A register that starts at zero gives the all-zero message an all-zero check, and leading zeros are
not protected. A decoder must therefore never represent "nothing received" by zeros.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError
from channels.kernels.jit import kernel

GENERATORS: dict[str, tuple[int, ...]] = {
    "24A": (24, 23, 18, 17, 14, 11, 10, 7, 6, 5, 4, 3, 1, 0),
    "24B": (24, 23, 6, 5, 1, 0),
    "24C": (24, 23, 21, 20, 17, 15, 13, 12, 8, 4, 2, 1, 0),
    "16": (16, 12, 5, 0),
    "11": (11, 10, 9, 5, 0),
    "6": (6, 5, 0),
}
"""Exponents of each generator polynomial, highest first."""

_BYTES_AT_ONCE = 1 << 25


def crc_length(name: str) -> int:
    """Return the number of check bits of ``name``; an unknown name raises ``ValueError``."""
    if name not in GENERATORS:
        raise InputError(f"unknown CRC {name!r}; choices: {', '.join(GENERATORS)}")
    return GENERATORS[name][0]


def crc_attach(bits: NDArray[np.uint8], name: str = "24A") -> NDArray[np.uint8]:
    """Append the check bits of every message.

    Parameters
    ----------
    bits
        Messages, uint8 0 or 1, shape (..., A) with A ≥ 1.
    name
        ``"24A"``, ``"24B"``, ``"24C"``, ``"16"``, ``"11"`` or ``"6"``.

    Returns
    -------
    NDArray[np.uint8]
        Messages followed by L check bits, shape (..., A + L).

    Raises
    ------
    ValueError
        Unknown name, empty messages, or anything but bits.

    References
    ----------
    3GPP TS 38.212 §5.1.

    Examples
    --------
    >>> crc_attach(np.array([1], dtype=np.uint8), "6")
    array([1, 1, 0, 0, 0, 0, 1], dtype=uint8)
    """
    length = crc_length(name)
    check_bits(bits)
    places = np.arange(length - 1, -1, -1, dtype=np.uint32)
    remainder = _remainder(bits, name)
    check = ((remainder[..., None] >> places) & np.uint32(1)).astype(np.uint8)
    return np.concatenate([bits, check], axis=-1)


def crc_check(bits: NDArray[np.uint8], name: str = "24A") -> NDArray[np.bool_]:
    """Check which messages are consistent with their check bits.

    Parameters
    ----------
    bits
        Messages with their check bits, uint8 0 or 1, shape (..., A + L) with A ≥ 1.
    name
        As for :func:`crc_attach`.

    Returns
    -------
    NDArray[np.bool_]
        True where the check holds, shape (...).

    Raises
    ------
    ValueError
        Unknown name, messages that are no longer than the check, or anything but bits.

    Examples
    --------
    >>> word = crc_attach(np.array([1, 0, 1, 1], dtype=np.uint8))
    >>> damaged = word.copy()
    >>> damaged[2] ^= 1
    >>> bool(crc_check(word)), bool(crc_check(damaged))
    (True, False)
    """
    length = crc_length(name)
    check_bits(bits)
    if bits.shape[-1] <= length:
        raise InputError(f"CRC {name} needs more than {length} bits, got {bits.shape[-1]}")
    # A whole word is divisible by the generator iff its own remainder, times x^L, vanishes.
    return np.asarray(_remainder(bits, name) == 0)


def check_bits(bits: NDArray[np.uint8]) -> None:
    """Raise ``ValueError`` unless ``bits`` is a non-empty uint8 array of zeros and ones."""
    if not isinstance(bits, np.ndarray) or bits.dtype != np.uint8:
        raise InputError(f"bits must be a uint8 array, got {getattr(bits, 'dtype', type(bits))}")
    if bits.ndim == 0 or bits.shape[-1] == 0:
        raise InputError(f"bits must have shape (..., num_bits), got {bits.shape}")
    if bits.size and bits.max() > 1:
        raise InputError(f"bits must be 0 or 1, got {bits.max()}")


def _remainder(bits: NDArray[np.uint8], name: str) -> NDArray[np.uint32]:
    num_bits = bits.shape[-1]
    # Tables have power-of-two lengths, so that packets of many sizes share a few of them.
    constants = _remainders_of_powers(name, 1 << (num_bits - 1).bit_length())[-num_bits:]
    flat = bits.reshape(-1, num_bits)
    result = np.empty(len(flat), dtype=np.uint32)
    step = max(1, _BYTES_AT_ONCE // (4 * num_bits))
    for start in range(0, len(flat), step):
        chosen = flat[start : start + step] * constants
        result[start : start + step] = np.bitwise_xor.reduce(chosen, axis=-1)
    return result.reshape(bits.shape[:-1])


@lru_cache(maxsize=64)
def _remainders_of_powers(name: str, count: int) -> NDArray[np.uint32]:
    """Compute ``x^(L + count - 1) … x^L`` modulo the generator, as integers."""
    length = GENERATORS[name][0]
    generator = sum(1 << exponent for exponent in GENERATORS[name])
    remainders = np.empty(count, dtype=np.uint32)
    _fill(remainders, generator, length)
    remainders.setflags(write=False)
    return remainders


@kernel
def _fill(remainders: NDArray[np.uint32], generator: int, length: int) -> None:
    value = generator ^ (1 << length)
    for i in range(len(remainders) - 1, -1, -1):
        remainders[i] = value
        value <<= 1
        if value >> length:
            value ^= generator
