"""Closed forms that the simulator is tested against, and that link adaptation reads.

SNR is Es/N0 in dB per complex symbol; on fading channels its mean (``E|h|² = 1``). Arrays in,
arrays of the same shape out. Hard decisions take the nearest symbol; knowledge of h is perfect.

References
----------
K. Cho, D. Yoon, "On the general BER expression of one- and two-dimensional amplitude
modulations", IEEE Trans. Commun. 50(7), 2002, DOI 10.1109/TCOMM.2002.800818.
M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, chapters 5 and 8.
G. Caire, G. Taricco, E. Biglieri, "Bit-interleaved coded modulation", IEEE Trans. Inf. Theory
44(3), 1998, DOI 10.1109/18.669123.
Y. Polyanskiy, H. V. Poor, S. Verdú, "Channel coding rate in the finite blocklength regime", IEEE
Trans. Inf. Theory 56(5), 2010, DOI 10.1109/TIT.2010.2043769.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import erfc, exp1, expit, log_ndtr, roots_hermite, roots_legendre

from channels.units import awgn_capacity, check_bits_per_symbol, db_to_linear, linear_to_db

Array = NDArray[np.float64]

_TABLE_DB = np.arange(-50.0, 50.1, 0.2)
_NUM_QUANTILES = 256


def _linear(snr_db: ArrayLike) -> Array:
    return db_to_linear(np.asarray(snr_db, dtype=np.float64))


@lru_cache
def _erfc_terms(bits_per_symbol: int) -> tuple[Array, Array]:
    """Weights w and factors a such that BER = Σ w·erfc(√(a·SNR)) (Cho & Yoon)."""
    check_bits_per_symbol(bits_per_symbol)
    if bits_per_symbol == 1:
        return np.array([0.5]), np.array([1.0])
    num_bits = bits_per_symbol // 2
    levels = 2**num_bits
    weights = np.zeros(levels)
    for k in range(1, num_bits + 1):
        for i in range(levels - levels // 2**k):
            ratio = i * 2 ** (k - 1) / levels
            sign = -1 if math.floor(ratio) % 2 else 1
            weights[i] += sign * (2 ** (k - 1) - math.floor(ratio + 0.5))
    odd = 2 * np.arange(levels) + 1
    return weights / (levels * num_bits), odd**2 * 1.5 / (levels**2 - 1)


def _sum_terms(
    bits_per_symbol: int, snr_db: ArrayLike, mean_erfc: Callable[[Array], Array]
) -> Array:
    weights, factors = _erfc_terms(bits_per_symbol)
    return np.asarray(mean_erfc(_linear(snr_db)[..., None] * factors) @ weights)


def ber_awgn(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Exact bit error rate on AWGN, averaged over a symbol's bits.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8 (Gray-mapped BPSK to 256-QAM).
    snr_db
        Es/N0 in dB, any shape.

    Raises
    ------
    ValueError
        Another ``bits_per_symbol``.
    """
    return _sum_terms(bits_per_symbol, snr_db, lambda z: np.asarray(erfc(np.sqrt(z))))


def ber_rayleigh(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Exact bit error rate on Rayleigh fading at mean Es/N0 ``snr_db``.

    Every term averages to ``E erfc(√(z·|h|²)) = 1 - √(z/(1+z))``, written without cancellation.
    """
    return _sum_terms(bits_per_symbol, snr_db, lambda z: 1 / ((1 + z) * (1 + np.sqrt(z / (1 + z)))))


def ber_mrc(bits_per_symbol: int, num_branches: int, snr_db: ArrayLike) -> Array:
    """Exact bit error rate of maximum ratio combining over independent Rayleigh branches.

    The gain is ``Gamma(L, 1)``, and ``E erfc(√(z·g)) = 2q^L·Σ_{l<L} C(L-1+l, l)·(1-q)^l`` with
    ``q = ½(1 - √(z/(1+z)))`` (Proakis, section 14.4).

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    num_branches
        L, at least 1.
    snr_db
        Mean Es/N0 of one branch in dB, any shape.

    Raises
    ------
    ValueError
        Another ``bits_per_symbol``, or no branch.
    """
    if num_branches < 1:
        raise ValueError(f"num_branches must be at least 1, got {num_branches}")

    def mean_erfc(z: Array) -> Array:
        # q without cancellation, as for ber_rayleigh.
        q = 0.5 / ((1 + z) * (1 + np.sqrt(z / (1 + z))))
        terms = [math.comb(num_branches - 1 + i, i) * (1 - q) ** i for i in range(num_branches)]
        return np.asarray(2 * q**num_branches * np.sum(terms, axis=0))

    return _sum_terms(bits_per_symbol, snr_db, mean_erfc)


def ber_rician(bits_per_symbol: int, snr_db: ArrayLike, k_db: float) -> Array:
    """Bit error rate on Rician fading with factor ``k_db``, at mean Es/N0 ``snr_db``.

    Craig's form ``erfc(√z) = (2/π)∫₀^{π/2} exp(-z/sin²θ) dθ`` turns the mean over the gain into
    one integral over its moment generating function, taken here with 128 Gauss-Legendre nodes.
    """
    k = db_to_linear(float(k_db))
    nodes, weights = roots_legendre(128)
    inverse_sin2 = 1 / np.sin((nodes + 1) * math.pi / 4) ** 2

    def mean_erfc(z: Array) -> Array:
        s = z[..., None] * inverse_sin2
        mgf = (1 + k) / (1 + k + s) * np.exp(-k * s / (1 + k + s))
        return np.asarray(mgf @ weights / 2)

    return _sum_terms(bits_per_symbol, snr_db, mean_erfc)


def ber_fading(
    bits_per_symbol: int, snr_db: ArrayLike, gain_quantile: Callable[[float], float]
) -> Array:
    """Bit error rate on any flat fading, at mean Es/N0 ``snr_db``, from the law of the gain.

    The mean of :func:`ber_awgn` over the quantiles of ``|h|²`` at ``p = 1/(1 + e^{-t})``, by the
    trapezoidal rule in t from -45 to 30 in steps of 0.25, which reaches the deep fades that decide
    the rate at high SNR. Good to 1e-12 of the rate for laws as smooth as Rayleigh's.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        Mean Es/N0 in dB, any shape.
    gain_quantile
        Quantile of ``|h|²``, as in :class:`channels.base.KnownLaw`.
    """
    _, p, gains_db = _gains(gain_quantile)
    rates = ber_awgn(bits_per_symbol, np.asarray(snr_db, dtype=np.float64)[..., None] + gains_db)
    return np.asarray(rates @ (p * (1 - p)) * 0.25)


def ber_middleton(bits_per_symbol: int, snr_db: ArrayLike, a: float, gamma: float) -> Array:
    """Bit error rate in Middleton's class A noise (:mod:`channels.middleton`), nearest symbol.

    The nearest symbol does not depend on the noise variance, so that the rate is the mean of
    :func:`ber_awgn` over the Poisson law of the impulses, here to all but 1e-16 of its mass.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        Es/N0 in dB with the mean noise N0, any shape.
    a, gamma
        Impulsive index and ratio of Gaussian to impulsive power, above 0.
    """
    from scipy.stats import poisson  # takes most of a second to import

    impulses = np.arange(poisson.isf(1e-16, a) + 1)
    spread_db = np.asarray(linear_to_db((impulses / a + gamma) / (1 + gamma)))
    rates = ber_awgn(bits_per_symbol, np.asarray(snr_db, dtype=np.float64)[..., None] - spread_db)
    return np.asarray(rates @ poisson.pmf(impulses, a))


def _gains(gain_quantile: Callable[[float], float]) -> tuple[Array, Array, Array]:
    """Quantiles of the gain in dB, from far in the one tail to far in the other: t, p, gain."""
    t = np.arange(-45.0, 30.1, 0.25)
    p = 1 / (1 + np.exp(-t))
    gains = np.array([gain_quantile(float(value)) for value in p])
    return t, p, np.asarray(linear_to_db(gains))


def rayleigh_capacity(snr_db: ArrayLike) -> Array:
    """Ergodic capacity of Rayleigh fading, receiver knows h: ``e^{1/γ}·E1(1/γ)/ln 2`` bits/use."""
    x = 1 / _linear(snr_db)
    # From 50 on, e^x would lead towards overflow; 20 terms of the series are exact there.
    terms = [math.factorial(n) * (-1.0 / np.maximum(x, 50.0)) ** n for n in range(20)]
    series = np.sum(terms, axis=0) / np.maximum(x, 50.0)
    near = np.minimum(x, 50.0)
    return np.asarray(np.where(x > 50.0, series, np.exp(near) * exp1(near)) / math.log(2.0))


def outage_rayleigh(snr_db: ArrayLike, rate: float) -> Array:
    """Probability that Rayleigh block fading cannot carry ``rate`` bits per complex use."""
    return np.asarray(-np.expm1(-(2.0**rate - 1) / _linear(snr_db)))


def outage_rician(snr_db: ArrayLike, rate: float, k_db: float) -> Array:
    """Probability that Rician block fading cannot carry ``rate`` bits per complex use."""
    from scipy.stats import ncx2  # takes most of a second to import

    k = db_to_linear(float(k_db))
    threshold = (2.0**rate - 1) / _linear(snr_db)
    return np.asarray(ncx2.cdf(2 * (k + 1) * threshold, 2, 2 * k))


def outage_fading(snr_db: ArrayLike, rate: float, gain_quantile: Callable[[float], float]) -> Array:
    """Probability that block fading of any law cannot carry ``rate`` bits per complex use.

    The inverse of the quantile of ``|h|²`` at ``(2^rate - 1)/SNR``, interpolated between quantiles
    (monotone cubic); good to 1e-4 of the probability down to 1e-19.

    Parameters
    ----------
    snr_db
        Mean Es/N0 in dB, any shape.
    rate
        Bits per complex use, above 0.
    gain_quantile
        Quantile of ``|h|²``, rising in p, as in :class:`channels.base.KnownLaw`.
    """
    t, _, gains_db = _gains(gain_quantile)
    needed_db = linear_to_db(2.0**rate - 1) - np.asarray(snr_db, dtype=np.float64)
    inverse = PchipInterpolator(gains_db, t)
    return np.asarray(expit(inverse(np.clip(needed_db, gains_db[0], gains_db[-1]))))


_CHUNK = 32  # SNRs that are worked on at once


def _gray_pam(num_bits: int) -> tuple[Array, NDArray[np.bool_]]:
    """Odd levels (2**num_bits,) and their bits (2**num_bits, num_bits), binary-reflected Gray."""
    index = np.arange(2**num_bits)
    gray = index ^ (index >> 1)
    bits = (gray[:, None] >> np.arange(num_bits)) & 1 == 1
    return np.asarray(2.0 * index - (2**num_bits - 1)), bits


def bicm_mutual_information(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Mutual information of bit-interleaved coded modulation on AWGN, bits per complex use.

    What an ideal binary code behind a bit-wise exact demapper reaches: the sum over bits of
    ``1 - E log2(1 + exp(∓LLR))``, with the noise by Gauss-Hermite quadrature, per PAM dimension.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        Es/N0 in dB, any shape.
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
    """Equivocation of PAM symbols: Σ_bits E log2(Σ_a p(y|a) / Σ_{a: same bit} p(y|a)).

    ``levels`` (num_snrs, L), ``bits`` (L, num_bits); the result has shape (num_snrs,).
    """
    # By symmetry the lower half of the levels stands for all.
    half = levels.shape[1] // 2
    received = levels[:, :half, None] + nodes
    metric = -((received[..., None] - levels[:, None, None]) ** 2)
    # Nodes reach a distance of 13, so that exp(metric) may underflow: shift by the nearest level.
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
        # Where all that agree underflow, the exact sum: the nearest of them.
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
    """AWGN SNR in dB with the BICM mutual information that a fast-fading channel has on average.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    mean_snr_db
        Mean Es/N0 in dB.
    gain_quantile
        Quantile of ``|h|²``, as in :meth:`channels.base.Channel.gain_quantile`. The mean is the
        midpoint rule over 256 quantiles.

    Returns
    -------
    float
        In dB, read from a table in steps of 0.2 dB between -50 and 50 dB, good to 0.01 dB. Where
        the mutual information reaches ``bits_per_symbol`` in double precision (BPSK: 15 dB), a
        lower bound.
    """
    check_bits_per_symbol(bits_per_symbol)
    probability = (np.arange(_NUM_QUANTILES) + 0.5) / _NUM_QUANTILES
    gains = np.array([gain_quantile(float(p)) for p in probability])
    return float(equivalent_snr_db(bits_per_symbol, mean_snr_db + np.asarray(linear_to_db(gains))))


def equivalent_snr_db(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """AWGN SNR in dB with the mean BICM mutual information of symbols at these SNRs.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        SNR of every symbol in dB, (..., num_symbols).

    Returns
    -------
    NDArray[np.float64]
        Shape (...,); as exact as :func:`effective_snr_db`.
    """
    mean = information_of_snr_db(bits_per_symbol, snr_db).mean(axis=-1)
    return snr_db_of_information(bits_per_symbol, mean)


def information_of_snr_db(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """:func:`bicm_mutual_information` by a table, for many SNRs in dB, any shape."""
    check_bits_per_symbol(bits_per_symbol)
    snrs = np.asarray(snr_db, dtype=np.float64)
    return np.asarray(np.interp(snrs, _TABLE_DB, _mutual_information_table(bits_per_symbol)))


def snr_db_of_information(bits_per_symbol: int, bits: ArrayLike) -> Array:
    """SNR in dB at which :func:`bicm_mutual_information` is ``bits``, any shape, by the table."""
    check_bits_per_symbol(bits_per_symbol)
    table = _mutual_information_table(bits_per_symbol)
    rising = np.concatenate(([True], np.diff(table) > 0))
    wanted = np.asarray(bits, dtype=np.float64)
    return np.asarray(np.interp(wanted, table[rising], _TABLE_DB[rising]))


def normal_approximation_bler(num_info_bits: int, num_uses: int, snr_db: ArrayLike) -> Array:
    """Block error rate of the best code on complex AWGN, normal approximation.

    ``num_uses`` complex uses are ``n = 2·num_uses`` real ones with
    ``ε ≈ Q((n·C - k + ½·log2 n)/√(n·V))``, ``C = ½·log2(1+γ)`` and
    ``V = γ(γ+2)/(2(γ+1)²)·log2²e`` (Polyanskiy et al., section IV). An approximation, not a
    bound; good from about 100 uses on.

    Raises
    ------
    ValueError
        ``num_info_bits`` or ``num_uses`` below 1.
    """
    if num_info_bits < 1 or num_uses < 1:
        raise ValueError(
            f"num_info_bits and num_uses must be at least 1, got {num_info_bits} and {num_uses}"
        )
    snr = _linear(snr_db)
    n = 2 * num_uses
    capacity = awgn_capacity(np.asarray(snr_db, dtype=np.float64)) / 2
    dispersion = snr * (snr + 2) / (2 * (snr + 1) ** 2) * math.log2(math.e) ** 2
    margin = n * capacity - num_info_bits + 0.5 * math.log2(n)
    return np.asarray(np.exp(log_ndtr(-margin / np.sqrt(n * dispersion))))
