"""Bit error rates of uncoded modulation.

Hard decisions choose the nearest symbol, with perfect knowledge of h.

References
----------
K. Cho, D. Yoon, "On the general BER expression of one- and two-dimensional amplitude
modulations", IEEE Trans. Commun. 50(7), 2002, DOI 10.1109/TCOMM.2002.800818.
M. K. Simon, S. M. Hinedi, W. C. Lindsey, Digital Communication Techniques, chapter 5: phase errors.
M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, chapters 5 and 8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfc, ndtr, roots_legendre

from channels.errors import InputError
from channels.theory.gain_law import Array, _gains, _linear
from channels.units import check_bits_per_symbol, db_to_linear, linear_to_db


@lru_cache
def _erfc_terms(bits_per_symbol: int) -> tuple[Array, Array]:
    """Return weights w and factors a such that BER = Σ w·erfc(√(a·SNR)) (Cho & Yoon)."""
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
    """Compute the exact bit error rate on AWGN, averaged over the bits of a symbol.

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

    Examples
    --------
    BPSK has the error rate Q(√(2·SNR)), the tail of a Gaussian:

    >>> from statistics import NormalDist
    >>> tail = NormalDist().cdf(-math.sqrt(2))
    >>> bool(abs(ber_awgn(1, 0.0) - tail) < 1e-12)
    True
    """
    return _sum_terms(bits_per_symbol, snr_db, lambda z: np.asarray(erfc(np.sqrt(z))))


def ber_rayleigh(bits_per_symbol: int, snr_db: ArrayLike) -> Array:
    """Compute the exact bit error rate on Rayleigh fading at mean Es/N0 ``snr_db``.

    Every term averages to ``E erfc(√(z·|h|²)) = 1 - √(z/(1+z))``, computed without cancellation.

    Examples
    --------
    Without diversity, ten times the SNR divides the error rate by ten only:

    >>> rates = ber_rayleigh(2, [30.0, 40.0])
    >>> round(float(rates[0] / rates[1]), 1)
    10.0
    """
    return _sum_terms(bits_per_symbol, snr_db, lambda z: 1 / ((1 + z) * (1 + np.sqrt(z / (1 + z)))))


def ber_mrc(bits_per_symbol: int, num_branches: int, snr_db: ArrayLike) -> Array:
    """Compute the exact bit error rate of maximum-ratio combining over Rayleigh branches.

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
        Another ``bits_per_symbol``, or ``num_branches`` below 1.

    Examples
    --------
    Two branches give diversity order 2: ten times the SNR divides the error rate by a hundred.

    >>> rates = ber_mrc(2, 2, [30.0, 40.0])
    >>> round(float(rates[0] / rates[1]))
    100
    """
    if num_branches < 1:
        raise InputError(f"num_branches must be at least 1, got {num_branches}")

    def mean_erfc(z: Array) -> Array:
        # q is computed without cancellation, as in ber_rayleigh.
        q = 0.5 / ((1 + z) * (1 + np.sqrt(z / (1 + z))))
        terms = [math.comb(num_branches - 1 + i, i) * (1 - q) ** i for i in range(num_branches)]
        return np.asarray(2 * q**num_branches * np.sum(terms, axis=0))

    return _sum_terms(bits_per_symbol, snr_db, mean_erfc)


def ber_rician(bits_per_symbol: int, snr_db: ArrayLike, k_db: float) -> Array:
    """Compute the bit error rate on Rician fading with factor ``k_db``, at mean Es/N0 ``snr_db``.

    Craig's form ``erfc(√z) = (2/π)∫₀^{π/2} exp(-z/sin²θ) dθ`` turns the mean over the gain into
    one integral over its moment-generating function, computed with 128 Gauss-Legendre nodes.

    Examples
    --------
    A weak line of sight gives Rayleigh fading, a strong one AWGN:

    >>> limits = [ber_rayleigh(2, 10.0), ber_awgn(2, 10.0)]
    >>> bool(np.allclose([ber_rician(2, 10.0, k_db) for k_db in (-60, 80)], limits, rtol=1e-3))
    True
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
    """Compute the bit error rate on flat fading with any gain distribution, at a mean Es/N0.

    It is the mean of :func:`ber_awgn` over the quantiles of ``|h|²`` at ``p = 1/(1 + e^{-t})``,
    computed by the trapezoidal rule in t from -45 to 30 in steps of 0.25. This reaches the deep
    fades that dominate the rate at high SNR. For distributions as smooth as Rayleigh's, the
    relative error is 1e-11 up to a mean SNR of 80 dB, and 1e-7 up to 120 dB.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        Mean Es/N0 in dB, any shape.
    gain_quantile
        Quantile of ``|h|²``, as in :class:`channels.base.KnownLaw`.

    Examples
    --------
    >>> from channels.models.rayleigh import RayleighFast
    >>> rate = ber_fading(2, 10.0, RayleighFast().gain_quantile)
    >>> bool(np.isclose(rate, ber_rayleigh(2, 10.0), rtol=1e-9))
    True
    """
    _, p, gains_db = _gains(gain_quantile)
    rates = ber_awgn(bits_per_symbol, np.asarray(snr_db, dtype=np.float64)[..., None] + gains_db)
    return np.asarray(rates @ (p * (1 - p)) * 0.25)


def ber_middleton(bits_per_symbol: int, snr_db: ArrayLike, a: float, gamma: float) -> Array:
    """Compute the bit error rate in Middleton's class A noise with nearest-symbol decisions.

    The nearest symbol does not depend on the noise variance. The rate is therefore the mean of
    :func:`ber_awgn` over the Poisson distribution of the impulses, here up to 1e-16 of its mass.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    snr_db
        Es/N0 in dB with the mean noise N0, any shape.
    a, gamma
        Impulsive index and ratio of Gaussian to impulsive power, above 0.

    Raises
    ------
    ValueError
        An unknown ``bits_per_symbol``, or ``a`` or ``gamma`` not above 0.

    Examples
    --------
    Rare, strong impulses cause errors at an SNR at which Gaussian noise of the same mean power
    causes hardly any:

    >>> bool(ber_middleton(2, 15.0, a=0.1, gamma=0.1) > 1e4 * ber_awgn(2, 15.0))
    True
    """
    from scipy.stats import poisson  # takes most of a second to import

    if not (a > 0 and gamma > 0):
        raise InputError(f"a and gamma must be above 0, got {a} and {gamma}")
    impulses = np.arange(poisson.isf(1e-16, a) + 1)
    spread_db = np.asarray(linear_to_db((impulses / a + gamma) / (1 + gamma)))
    rates = ber_awgn(bits_per_symbol, np.asarray(snr_db, dtype=np.float64)[..., None] - spread_db)
    return np.asarray(rates @ poisson.pmf(impulses, a))


def ber_qpsk_phase_error(snr_db: ArrayLike, phase_rad: ArrayLike) -> Array:
    """Compute the bit error rate of QPSK on AWGN with a phase error unknown to the receiver.

    ``½[Q(√γ(cos φ - sin φ)) + Q(√γ(cos φ + sin φ))]``: turned by φ, the symbol ``(1+j)/√2`` has the
    amplitudes ``cos(π/4+φ)`` and ``sin(π/4+φ)``, each in noise of variance 1/(2γ).

    Parameters
    ----------
    snr_db
        γ = Es/N0 in dB, any shape.
    phase_rad
        φ in radians, broadcastable to ``snr_db``.

    Examples
    --------
    >>> ber_qpsk_phase_error(10.0, np.radians([0, 15, 30])).round(4).tolist()
    [0.0008, 0.0064, 0.0618]
    """
    root = np.sqrt(_linear(snr_db))
    cos, sin = np.cos(phase_rad), np.sin(phase_rad)
    return np.asarray((ndtr(-root * (cos - sin)) + ndtr(-root * (cos + sin))) / 2)
