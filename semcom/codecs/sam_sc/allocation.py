"""Which cells get how many symbols, by their importance.

How much each further symbol of a cell lowers the error is measured at the end of the training, as
a mean over many pictures, so that a cell's importance alone decides, as in the paper. A cell sends
its latents in their order. After the last of them it sends them again, and the receiver combines
the copies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from semcom.codecs.parts.cells import weights_of
from semcom.codecs.sam_sc.network import CHANNELS

SYMBOLS = CHANNELS // 2
"""Symbols that carry all latents of a cell once."""
COUNTS = (0, 1, 2, 4, 8, 16, 32, SYMBOLS)
"""Numbers of symbols of a cell for which the error is measured."""
SNRS_DB = (-5, 0, 5, 10, 15, 20, 25, 30)
"""Es/N0 in dB for which it is measured."""
MOST = 255
"""Symbols that a cell gets at most."""

Array = NDArray[np.floating[Any]]


def error_curve(errors: Array, snr_db: float) -> Array:
    """Return the mean squared error of a cell by its number of symbols, 0 to 255.

    ``errors`` are those measured for ``COUNTS`` and ``SNRS_DB``. A cell that sends all latents
    ``r`` times is taken for one that sends them once at an SNR that is ``r`` times as large.
    """
    over_snr = PchipInterpolator(SNRS_DB, np.log(errors), axis=1)

    def at(snr: Array | float) -> Array:
        values: Array = np.exp(over_snr(np.clip(snr, SNRS_DB[0], SNRS_DB[-1])))
        return values

    once = PchipInterpolator(np.log2(np.array(COUNTS) + 1.0), np.log(at(snr_db)))
    counts = np.arange(SYMBOLS)
    again = np.arange(SYMBOLS, MOST + 1) / SYMBOLS
    repeated = at(snr_db + 10 * np.log10(again))[-1]
    return np.concatenate([np.exp(once(np.log2(counts + 1.0))), repeated])


def allocate(levels: NDArray[np.int8], num_symbols: int, curve: Array) -> NDArray[np.uint8]:
    """Return the number of symbols of each cell, in the shape of ``levels``.

    The symbols are given in the order of what each gains: the importance of its cell times the
    fall of the error. Cells of one level differ by at most one symbol.
    """
    drops = np.minimum.accumulate(np.maximum(-np.diff(curve), 0))
    found, inverse, sizes = np.unique(levels, return_inverse=True, return_counts=True)
    gains = weights_of(found)[:, None] * drops
    order = np.argsort(-gains, axis=None, kind="stable")
    of_level = order // len(drops)
    given = np.cumsum(sizes[of_level])
    whole = int(np.searchsorted(given, num_symbols, side="right"))
    counts = np.bincount(of_level[:whole], minlength=len(found))
    inverse = inverse.reshape(-1)
    symbols = counts[inverse]
    if whole < len(order):
        left = num_symbols - (int(given[whole - 1]) if whole else 0)
        symbols[np.flatnonzero(inverse == of_level[whole])[:left]] += 1
    return symbols.reshape(levels.shape).astype(np.uint8)
