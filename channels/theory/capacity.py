"""Capacity, outage, and what a code of finite length can reach.

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

from channels.theory.gain_law import Array, _gains, _linear
from channels.units import awgn_capacity, db_to_linear, linear_to_db


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


CAPACITIES: dict[str, Callable[[float], float]] = {
    "awgn": awgn_capacity,
    "rayleigh_fast": lambda snr_db: float(rayleigh_capacity(snr_db)),
}
"""Bits per complex channel use at a mean SNR in dB, by the channel's name."""


def capacity(channel: str, snr_db: float) -> float:
    """Capacity of a channel in bits per complex use.

    Raises
    ------
    ValueError
        A channel for which none is known.
    """
    name = channel.partition(":")[0]
    if name not in CAPACITIES:
        choices = ", ".join(CAPACITIES)
        raise ValueError(f"no capacity, so no bound, for channel {channel!r}; choices: {choices}")
    return CAPACITIES[name](snr_db)
