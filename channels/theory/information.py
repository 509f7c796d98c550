"""Mutual information of QAM with bit-interleaved coding, and SNRs of equal information.

References
----------
G. Caire, G. Taricco, E. Biglieri, "Bit-interleaved coded modulation", IEEE Trans. Inf. Theory
44(3), 1998, DOI 10.1109/18.669123.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import roots_hermite

from channels.theory.gain_law import Array, _linear
from channels.units import check_bits_per_symbol, linear_to_db

_TABLE_DB = np.arange(-50.0, 50.1, 0.2)
_NUM_QUANTILES = 256
_CHUNK = 32  # SNRs that are processed at once


def _gray_pam(num_bits: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return odd levels (2**num_bits,) and their Gray labels (2**num_bits, num_bits)."""
    index = np.arange(2**num_bits)
    gray = index ^ (index >> 1)
    bits = (gray[:, None] >> np.arange(num_bits)) & 1 == 1
    return np.asarray(2.0 * index - (2**num_bits - 1)), bits


def bicm_mutual_information(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Compute the mutual information of bit-interleaved coded modulation, in bits per use.

    This is the rate of an ideal binary code with an exact bit-wise demapper: the sum over bits of
    ``1 - E log2(1 + exp(∓LLR))``, with Gauss-Hermite quadrature over the noise, per PAM dimension.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        Es/N0 in dB, any shape.

    Examples
    --------
    QPSK carries two bits per use at high SNR, and never more than the channel's capacity:

    >>> from channels.units import awgn_capacity
    >>> low, high = bicm_mutual_information(2, [0.0, 30.0])
    >>> bool(low < awgn_capacity(0.0)), round(float(high), 6)
    (True, 2.0)
    """
    check_bits_per_symbol(bits_per_symbol)
    dimensions = 1 if bits_per_symbol == 1 else 2
    num_bits = bits_per_symbol // dimensions
    levels, bits = _gray_pam(num_bits)
    # Noise of variance 1/2 per dimension; the levels are scaled to energy SNR per symbol.
    unit = math.sqrt(1 / (dimensions * float(np.mean(levels**2))))
    nodes, weights = roots_hermite(96)
    flat = np.sqrt(_linear(snr_db)).reshape(-1)
    chunks = np.array_split(flat, -(-len(flat) // _CHUNK)) if len(flat) else []
    losses = [_pam_loss(a[:, None] * unit * levels, bits, nodes, weights) for a in chunks]
    loss = np.concatenate(losses) if losses else flat
    return np.asarray(dimensions * (num_bits - loss).clip(0.0).reshape(np.shape(snr_db)))


def _pam_loss(levels: Array, bits: NDArray[np.bool_], nodes: Array, weights: Array) -> Array:
    """Compute the equivocation of PAM symbols: Σ_bits E log2(Σ_a p(y|a) / Σ_{a: same bit} p(y|a)).

    ``levels`` (num_snrs, L), ``bits`` (L, num_bits); the result has shape (num_snrs,).
    """
    # By symmetry the lower half of the levels represents all of them.
    half = levels.shape[1] // 2
    received = levels[:, :half, None] + nodes
    metric = -((received[..., None] - levels[:, None, None]) ** 2)
    # Nodes reach a distance of 13, where exp(metric) may underflow: subtract that of the nearest.
    shift = metric.max(axis=-1, keepdims=True)
    likelihood = np.exp(metric - shift)
    total = np.log(likelihood.sum(axis=-1))
    loss = np.zeros(len(levels))
    for bit in bits.T:
        # (half, L): levels that agree with the sent one in this bit.
        agrees = (bit[:half, None] == bit).astype(np.float64)
        same = np.einsum("shnl,hl->shn", likelihood, agrees)
        with np.errstate(divide="ignore"):
            gap = total - np.log(same)
        # If all levels that agree underflow, the exact sum is that of the nearest of them.
        lost = np.isinf(gap)
        if lost.any():
            nearest = np.where(agrees[None, :, None] > 0, metric - shift, -np.inf).max(axis=-1)
            gap = np.where(lost, total - nearest, gap)
        loss += (gap @ weights).sum(axis=-1)
    return loss / (half * math.sqrt(math.pi) * math.log(2.0))


@lru_cache
def _mutual_information_table(bits_per_symbol: int) -> Array:
    return np.maximum.accumulate(bicm_mutual_information(bits_per_symbol, _TABLE_DB))


def effective_snr_db(
    bits_per_symbol: int, mean_snr_db: float, gain_quantile: Callable[[float], float]
) -> float:
    """Find the AWGN SNR in dB with the mean BICM mutual information of fast fading.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    mean_snr_db
        Mean Es/N0 in dB.
    gain_quantile
        Quantile of ``|h|²``, as in :class:`channels.base.KnownLaw`. The mean is computed by the
        midpoint rule over 256 quantiles.

    Returns
    -------
    float
        SNR in dB from a table with steps of 0.2 dB between -50 and 50 dB. The interpolation errs
        by at most 0.01 dB. The midpoint rule misses the deepest fades, which decide where nearly
        all symbols are certain: for Rayleigh fading, the result is too high by 0.2 dB for QPSK at
        30 dB and by 3 dB at 40 dB. If the mutual information reaches ``bits_per_symbol`` in double
        precision (BPSK: 15 dB), a lower bound.

    Examples
    --------
    >>> round(effective_snr_db(2, 10.0, lambda p: 1.0), 2)  # no fading
    10.0
    >>> from channels.models.rayleigh import RayleighFast
    >>> effective_snr_db(2, 10.0, RayleighFast().gain_quantile) < 8
    True
    """
    check_bits_per_symbol(bits_per_symbol)
    probability = (np.arange(_NUM_QUANTILES) + 0.5) / _NUM_QUANTILES
    gains = np.array([gain_quantile(float(p)) for p in probability])
    return float(equivalent_snr_db(bits_per_symbol, mean_snr_db + np.asarray(linear_to_db(gains))))


def equivalent_snr_db(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Find the AWGN SNR in dB with the mean BICM mutual information of symbols at these SNRs.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        SNR of every symbol in dB, (..., num_symbols); below -50 dB, it counts as -50 dB.

    Returns
    -------
    NDArray[np.float64]
        Shape (...,), -50 dB or more; as exact as :func:`effective_snr_db`, and likewise a lower
        bound where the mutual information reaches ``bits_per_symbol``.

    Examples
    --------
    Half of the symbols are lost in a fade, which costs more than the mean SNR suggests:

    >>> bool(equivalent_snr_db(2, [-40.0, 3.0]) < -1)
    True
    """
    mean = information_of_snr_db(bits_per_symbol, snr_db).mean(axis=-1)
    return snr_db_of_information(bits_per_symbol, mean)


def information_of_snr_db(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Look up :func:`bicm_mutual_information` in a table, for many SNRs in dB, any shape.

    Outside of -50 to 50 dB, the result is that of the nearer end.

    Examples
    --------
    >>> exact = bicm_mutual_information(4, 7.3)
    >>> bool(abs(information_of_snr_db(4, 7.3) - exact) < 1e-3)
    True
    """
    check_bits_per_symbol(bits_per_symbol)
    snrs = np.asarray(snr_db, dtype=np.float64)
    return np.asarray(np.interp(snrs, _TABLE_DB, _mutual_information_table(bits_per_symbol)))


def snr_db_of_information(bits_per_symbol: int, bits: ArrayLike) -> Array:
    """Look up the SNR in dB at which :func:`bicm_mutual_information` is ``bits``, any shape.

    The result is at least -50 dB. For ``bits`` that reach ``bits_per_symbol`` or exceed it, it is
    the least SNR at which the table does (QPSK: 18.6 dB).

    Examples
    --------
    >>> snr_db = snr_db_of_information(4, 2.0)  # half of 16-QAM's four bits
    >>> bool(abs(bicm_mutual_information(4, snr_db) - 2.0) < 1e-3)
    True
    """
    check_bits_per_symbol(bits_per_symbol)
    table = _mutual_information_table(bits_per_symbol)
    rising = np.concatenate(([True], np.diff(table) > 0))
    wanted = np.asarray(bits, dtype=np.float64)
    return np.asarray(np.interp(wanted, table[rising], _TABLE_DB[rising]))
