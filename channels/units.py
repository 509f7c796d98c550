"""Units of the link. All conversions between them live here.

Es = 1 and N0 is the total variance of the complex noise, so that SNR = Es/N0 = 1/N0. The channel
bandwidth ratio (CBR) is the number of complex channel uses per source sample,
``num_symbols / (3·H·W)``.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError

Real = TypeVar("Real", float, NDArray[np.float64])

BITS_PER_SYMBOL = (1, 2, 4, 6, 8)
"""Bits per symbol of BPSK, QPSK, 16-QAM, 64-QAM and 256-QAM."""

_CBR_TEXT = re.compile(r"\d+\s*/\s*\d+|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
# Far larger than the rounding error of one double product (1e-16), far below one symbol.
_ROUNDING = 1e-12


def check_bits_per_symbol(bits_per_symbol: int) -> None:
    """Raise ``ValueError`` unless ``bits_per_symbol`` is one of :data:`BITS_PER_SYMBOL`."""
    if bits_per_symbol not in BITS_PER_SYMBOL:
        choices = ", ".join(map(str, BITS_PER_SYMBOL))
        raise InputError(f"bits_per_symbol must be one of {choices}, got {bits_per_symbol}")


def db_to_linear(db: Real) -> Real:
    """Convert decibels to a power ratio.

    Examples
    --------
    >>> db_to_linear(20.0)
    100.0
    """
    return 10.0 ** (db / 10.0)  # type: ignore[no-any-return]


def linear_to_db(ratio: Real) -> Real:
    """Convert a power ratio, at least 0, to decibels; 0 gives minus infinity.

    Raises
    ------
    ValueError
        A ratio below 0 or NaN.

    Examples
    --------
    >>> linear_to_db(100.0), linear_to_db(0.0)
    (20.0, -inf)
    """
    values = np.asarray(ratio, dtype=np.float64)
    if not (values >= 0).all():
        raise InputError(f"a power ratio must be at least 0, got {ratio}")
    with np.errstate(divide="ignore"):
        db = 10.0 * np.log10(values)
    return db if isinstance(ratio, np.ndarray) else float(db)


def noise_var_from_snr_db(snr_db: Real) -> Real:
    """Return the total variance N0 of the complex noise at an Es/N0 in dB (Es = 1).

    Examples
    --------
    >>> noise_var_from_snr_db(20.0)
    0.01
    """
    return 10.0 ** (-snr_db / 10.0)  # type: ignore[no-any-return]


def esn0_db_from_ebn0_db(ebn0_db: Real, bits_per_symbol: int, code_rate: float = 1.0) -> Real:
    """Convert Eb/N0 to Es/N0, both in dB. Eb is the energy per information bit.

    Raises
    ------
    ValueError
        ``bits_per_symbol`` below 1 or ``code_rate`` outside (0, 1].

    Examples
    --------
    QPSK at code rate 1/2 carries one information bit per symbol, so that both ratios agree:

    >>> esn0_db_from_ebn0_db(3.0, 2, 0.5)
    3.0
    """
    return ebn0_db + _bits_per_use_db(bits_per_symbol, code_rate)


def ebn0_db_from_esn0_db(esn0_db: Real, bits_per_symbol: int, code_rate: float = 1.0) -> Real:
    """Convert Es/N0 to Eb/N0, both in dB: the inverse of :func:`esn0_db_from_ebn0_db`.

    Examples
    --------
    The energy of a 16-QAM symbol is shared by four bits, which is 6 dB less for each:

    >>> round(ebn0_db_from_esn0_db(10.0, 4), 2)
    3.98
    """
    return esn0_db - _bits_per_use_db(bits_per_symbol, code_rate)


def _bits_per_use_db(bits_per_symbol: int, code_rate: float) -> float:
    if bits_per_symbol < 1:
        raise InputError(f"bits_per_symbol must be at least 1, got {bits_per_symbol}")
    if not 0 < code_rate <= 1:
        raise InputError(f"code_rate must be in (0, 1], got {code_rate}")
    return 10.0 * math.log10(bits_per_symbol * code_rate)


def awgn_capacity(snr_db: Real) -> Real:
    """Return the capacity of complex AWGN in bits per complex use, ``log2(1 + SNR)``.

    Examples
    --------
    >>> round(awgn_capacity(0.0), 6)
    1.0
    """
    bits = np.log1p(db_to_linear(snr_db)) / math.log(2.0)
    return bits if isinstance(snr_db, np.ndarray) else float(bits)


def _num_samples(height: int, width: int) -> int:
    if height < 1 or width < 1:
        raise InputError(f"height and width must be at least 1, got {height} x {width}")
    return 3 * height * width


def cbr(num_symbols: int, height: int, width: int) -> float:
    """Return the channel bandwidth ratio of ``num_symbols`` complex uses for one RGB image.

    Raises
    ------
    ValueError
        A negative number of symbols or an empty image.

    Examples
    --------
    >>> cbr(73_728, 512, 768)
    0.0625
    """
    if num_symbols < 0:
        raise InputError(f"num_symbols must be at least 0, got {num_symbols}")
    return num_symbols / _num_samples(height, width)


def symbol_budget(cbr: Fraction | float, height: int, width: int) -> int:
    """Return how many complex channel uses a CBR allows for one RGB image, rounded down.

    A float that lies within rounding of a whole number of symbols counts as that number.

    Raises
    ------
    ValueError
        A CBR that is not positive and finite, or an empty image.

    Examples
    --------
    >>> symbol_budget(Fraction(1, 16), 512, 768)
    73728
    """
    if not (math.isfinite(cbr) and cbr > 0):
        raise InputError(f"CBR must be positive and finite, got {cbr}")
    samples = _num_samples(height, width)
    if isinstance(cbr, Fraction):
        return math.floor(cbr * samples)
    return math.floor(cbr * samples * (1 + _ROUNDING))


def parse_cbr(text: str) -> Fraction:
    """Parse a CBR such as ``"1/16"`` or ``"0.0625"`` without rounding.

    Raises
    ------
    ValueError
        Text that is not a positive fraction or decimal number.

    Examples
    --------
    >>> parse_cbr("1/16") == parse_cbr("0.0625")
    True
    """
    stripped = text.strip()
    if _CBR_TEXT.fullmatch(stripped):
        numerator, _, denominator = stripped.partition("/")
        if not denominator or int(denominator):
            value = Fraction(numerator.strip()) / int(denominator or 1)
            if value > 0:
                return value
    raise InputError(f"CBR must be a positive number such as 1/16 or 0.0625, got {text!r}")
