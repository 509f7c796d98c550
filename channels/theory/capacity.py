"""Capacity, outage, and the limits of codes of finite length.

References
----------
Y. Polyanskiy, H. V. Poor, S. Verdú, "Channel coding rate in the finite blocklength regime", IEEE
Trans. Inf. Theory 56(5), 2010, DOI 10.1109/TIT.2010.2043769.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.special import exp1, expit, log_ndtr

from channels.errors import InputError
from channels.theory.gain_law import Array, _gains, _linear
from channels.units import awgn_capacity, db_to_linear, linear_to_db


def rayleigh_capacity(snr_db: ArrayLike) -> Array:
    """Compute the ergodic capacity of Rayleigh fading in bits per use, ``e^{1/γ}·E1(1/γ)/ln 2``.

    The receiver knows h.

    Examples
    --------
    Fading costs at most γ_Euler/ln 2 = 0.83 bits per use, at high SNR:

    >>> from channels.units import awgn_capacity
    >>> round(float(awgn_capacity(60.0) - rayleigh_capacity(60.0)), 2)
    0.83
    """
    x = 1 / _linear(snr_db)
    # Above 50, e^x would approach overflow; 20 terms of the series are exact there.
    terms = [math.factorial(n) * (-1.0 / np.maximum(x, 50.0)) ** n for n in range(20)]
    series = np.sum(terms, axis=0) / np.maximum(x, 50.0)
    near = np.minimum(x, 50.0)
    return np.asarray(np.where(x > 50.0, series, np.exp(near) * exp1(near)) / math.log(2.0))


def outage_rayleigh(snr_db: ArrayLike, rate: float) -> Array:
    """Compute the probability that Rayleigh block fading cannot carry ``rate`` bits per use.

    The mean SNR in dB may have any shape; the rate is at least 0.

    Examples
    --------
    >>> round(float(outage_rayleigh(20.0, rate=1.0)), 4)  # 1 - exp(-1/100)
    0.01
    """
    return np.asarray(-np.expm1(-(2.0**rate - 1) / _linear(snr_db)))


def outage_rician(snr_db: ArrayLike, rate: float, k_db: float) -> Array:
    """Compute the probability that Rician block fading cannot carry ``rate`` bits per use.

    The mean SNR in dB may have any shape; the rate is at least 0.

    Examples
    --------
    A line of sight makes deep fades rarer:

    >>> bool(outage_rician(20.0, 1.0, k_db=10.0) < 0.1 * outage_rayleigh(20.0, 1.0))
    True
    """
    from scipy.stats import ncx2  # takes most of a second to import

    k = db_to_linear(float(k_db))
    threshold = (2.0**rate - 1) / _linear(snr_db)
    return np.asarray(ncx2.cdf(2 * (k + 1) * threshold, 2, 2 * k))


def outage_fading(snr_db: ArrayLike, rate: float, gain_quantile: Callable[[float], float]) -> Array:
    """Compute the probability that block fading of any distribution cannot carry ``rate``.

    It is the inverse of the quantile of ``|h|²`` at ``(2^rate - 1)/SNR``, interpolated between
    quantiles (monotone cubic). The relative error is 1e-4 down to probabilities of 1e-19.

    Parameters
    ----------
    snr_db
        Mean Es/N0 in dB, any shape.
    rate
        Bits per complex channel use, above 0.
    gain_quantile
        Quantile of ``|h|²``, increasing in p, as in :class:`channels.base.KnownLaw`.

    Examples
    --------
    >>> from channels.models.rayleigh import RayleighBlock
    >>> outage = outage_fading(20.0, 1.0, RayleighBlock().gain_quantile)
    >>> bool(np.isclose(outage, outage_rayleigh(20.0, 1.0), rtol=1e-3))
    True
    """
    t, _, gains_db = _gains(gain_quantile)
    needed_db = linear_to_db(2.0**rate - 1) - np.asarray(snr_db, dtype=np.float64)
    inverse = PchipInterpolator(gains_db, t)
    return np.asarray(expit(inverse(np.clip(needed_db, gains_db[0], gains_db[-1]))))


def normal_approximation_bler(num_info_bits: int, num_uses: int, snr_db: ArrayLike) -> Array:
    """Compute the block error rate of the best code on complex AWGN by the normal approximation.

    ``num_uses`` complex uses are ``n = 2·num_uses`` real ones with
    ``ε ≈ Q((n·C - k + ½·log2 n)/√(n·V))``, ``C = ½·log2(1+γ)`` and
    ``V = γ(γ+2)/(2(γ+1)²)·log2²e`` (Polyanskiy et al., section IV). This is an approximation and
    not a bound; it is good from about 100 uses on.

    Raises
    ------
    ValueError
        ``num_info_bits`` or ``num_uses`` below 1.

    Examples
    --------
    At the same rate and SNR, longer codes fail more rarely:

    >>> short, long = (float(normal_approximation_bler(k, k, 1.0)) for k in (100, 1000))
    >>> long < 0.01 * short
    True
    """
    if num_info_bits < 1 or num_uses < 1:
        raise InputError(
            f"num_info_bits and num_uses must be at least 1, got {num_info_bits} and {num_uses}"
        )
    snr = _linear(snr_db)
    n = 2 * num_uses
    capacity = awgn_capacity(np.asarray(snr_db, dtype=np.float64)) / 2
    dispersion = snr * (snr + 2) / (2 * (snr + 1) ** 2) * math.log2(math.e) ** 2
    margin = n * capacity - num_info_bits + 0.5 * math.log2(n)
    return np.asarray(np.exp(log_ndtr(-margin / np.sqrt(n * dispersion))))


CAPACITIES: dict[str, Callable[[float], float]] = {
    "awgn": awgn_capacity,
    "rayleigh_fast": lambda snr_db: float(rayleigh_capacity(snr_db)),
}
"""Functions that return bits per complex channel use at a mean SNR in dB, by channel name."""


def capacity(channel: str, snr_db: float) -> float:
    """Compute the capacity of a channel in bits per complex use.

    Raises
    ------
    ValueError
        A channel without a known capacity.

    Examples
    --------
    >>> round(float(capacity("awgn", 0.0)), 6)
    1.0
    """
    name = channel.partition(":")[0]
    if name not in CAPACITIES:
        choices = ", ".join(CAPACITIES)
        raise InputError(f"no capacity, so no bound, for channel {channel!r}; choices: {choices}")
    return CAPACITIES[name](snr_db)
