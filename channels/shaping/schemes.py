"""The shaped efficiencies that links use, and the SNR that each was measured to need.

``data/shaped.json`` holds what ``python -m experiments.benchmarks.shaped.thresholds`` measured on
AWGN, for blocks of full and of half length, at the efficiencies :data:`MEASURED`. The gap to
capacity in dB changes slowly with the efficiency. An efficiency in between therefore takes the
larger gap of its two neighbours, and a length in between that of the half length, and a margin for
the steps of the lifting size.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files

import numpy as np

from channels.errors import InputError
from channels.units import linear_to_db

MAX_SYMBOLS = {4: 2880, 6: 1664, 8: 1248}
"""Symbols of the longest block, that with the largest lifting size, by bits per symbol."""
MEASURED: dict[int, tuple[float, ...]] = {
    4: (1.4, 2.2, 2.6),
    6: (2.2, 3.0, 3.8),
    8: (3.8, 4.8, 5.8),
}
"""Efficiencies in bits per symbol at which thresholds were measured, by bits per symbol."""
LOWEST = {4: 1.4, 6: 2.625, 8: 3.84}
"""Lowest efficiencies that links use. Very strong shaping of 64-QAM leaves an error floor."""
STEPS = {4: 0.025, 6: 0.025, 8: 0.04}
"""Steps of the efficiencies that links use, in bits per symbol."""
_ALIKE = 0.95  # from this share of the longest block on, a block counts as of full length
_BETWEEN_DB = 0.1  # extra margin of shorter blocks, for the steps of the lifting size


def shaped_efficiencies() -> tuple[tuple[int, float], ...]:
    """Return the shaped schemes of links: bits per symbol, and efficiency in bits per symbol."""
    pairs: list[tuple[int, float]] = []
    for bits, measured in MEASURED.items():
        count = round((measured[-1] - LOWEST[bits]) / STEPS[bits])
        pairs += [(bits, round(LOWEST[bits] + step * STEPS[bits], 6)) for step in range(count + 1)]
    return tuple(pairs)


def shaped_snr_db(
    bits_per_symbol: int, efficiency: float, num_symbols: int
) -> tuple[float, float, float]:
    """Return the SNRs in dB at which a block is lost with probability 1e-1, 1e-2 and 1e-3 on AWGN.

    Parameters
    ----------
    bits_per_symbol
        4, 6 or 8.
    efficiency
        Bits per symbol, within the range of :data:`MEASURED`.
    num_symbols
        Length of the block, from half of the longest to the longest.

    Raises
    ------
    ValueError
        An efficiency or a length that is not in the table.

    Examples
    --------
    >>> from channels.units import awgn_capacity
    >>> awgn_capacity(shaped_snr_db(6, 3.2, 1664)[2]) < 3.55
    True
    """
    efficiency, longest = round(efficiency, 6), MAX_SYMBOLS[bits_per_symbol]
    known = MEASURED[bits_per_symbol]
    if not known[0] <= efficiency <= known[-1]:
        raise InputError(
            f"shaped schemes of {bits_per_symbol} bits per symbol carry {known[0]} to {known[-1]} "
            f"bits per symbol, got {efficiency}"
        )
    if not longest // 2 <= num_symbols <= longest:
        raise InputError(
            f"shaped blocks of {bits_per_symbol} bits per symbol have {longest // 2} to {longest} "
            f"symbols, got {num_symbols}"
        )
    length = longest if num_symbols >= _ALIKE * longest else longest // 2
    margin_db = 0.0 if length == longest or num_symbols == length else _BETWEEN_DB
    neighbours = max(e for e in known if e <= efficiency), min(e for e in known if e >= efficiency)
    table = _table()
    gaps = [np.array(table[bits_per_symbol, e, length]) - capacity_db(e) for e in neighbours]
    first, second, third = (np.max(gaps, axis=0) + capacity_db(efficiency) + margin_db).tolist()
    return first, second, third


def capacity_db(efficiency: float) -> float:
    """Return the SNR in dB at which the capacity of AWGN is ``efficiency`` bits per use."""
    return float(linear_to_db(2.0**efficiency - 1))


@functools.cache
def _table() -> dict[tuple[int, float, int], tuple[float, ...]]:
    text = files("channels").joinpath("data/shaped.json").read_text("utf-8")
    return {
        (row["bits_per_symbol"], row["efficiency"], row["num_symbols"]): tuple(row["snr_db"])
        for row in json.loads(text)["rows"]
    }
