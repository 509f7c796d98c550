"""What shaping can gain: rates of an ideal code with bit-wise demapping of any PAM constellation.

The rate of bit-metric decoding is ``H(A) - Σ_bits H(B|Y)`` per axis. Equally likely levels give the
mutual information of :mod:`channels.theory.information`. There are two ways to come closer to the
Gaussian input that capacity asks for: levels that are not equidistant (geometric shaping, as in
ATSC 3.0), and levels that are not equally likely (probabilistic shaping).

References
----------
G. Böcherer, "Achievable rates for probabilistic shaping", arXiv:1707.01134, equation 57, for the
rate; N. Loghin et al., "Non-uniform constellations for ATSC 3.0", IEEE Trans. Broadcast. 62(1),
2016, DOI 10.1109/TBC.2016.2518620, for levels that are optimised at the SNR at which they serve.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import roots_hermite
from scipy.stats import norm

from channels.errors import InputError
from channels.theory.gain_law import Array
from channels.theory.information import _gray_pam
from channels.units import check_bits_per_symbol, db_to_linear

_NODES = 64
_TINY = 1e-300


def bit_metric_rate(levels: Array, probabilities: Array, snr_db: float) -> float:
    """Compute the rate of QAM with bit-metric decoding over AWGN, in bits per complex use.

    Parameters
    ----------
    levels
        Levels of one axis, ascending, (2**m,); they are scaled to mean power 1/2. Their labels are
        the binary reflected Gray code.
    probabilities
        Their probabilities, (2**m,), with a sum of 1.
    snr_db
        Es/N0 in dB.

    Raises
    ------
    ValueError
        A number of levels that is no power of 2, or probabilities that do not fit.

    Examples
    --------
    >>> from channels.theory import bicm_mutual_information
    >>> plain = bit_metric_rate(np.array([-3.0, -1.0, 1.0, 3.0]), np.full(4, 0.25), 8.0)
    >>> bool(np.isclose(plain, bicm_mutual_information(4, 8.0)))
    True
    """
    num_bits = len(levels).bit_length() - 1
    if len(levels) < 2 or 1 << num_bits != len(levels):
        raise InputError(f"the number of levels must be a power of 2, got {len(levels)}")
    if probabilities.shape != levels.shape or abs(probabilities.sum() - 1) > 1e-9:
        raise InputError(f"need {len(levels)} probabilities with a sum of 1, got {probabilities}")
    _, bits = _gray_pam(num_bits)
    nodes, weights = roots_hermite(_NODES)
    scale = math.sqrt(db_to_linear(snr_db) / (2 * float(probabilities @ levels**2)))
    a = scale * levels
    received = a[:, None] + nodes
    metric = -((received[..., None] - a) ** 2) + np.log(np.maximum(probabilities, _TINY))
    likelihood = np.exp(metric - metric.max(axis=-1, keepdims=True))
    total = likelihood.sum(axis=-1)
    lost = np.zeros_like(total)
    for bit in bits.T:
        same = np.einsum("hnl,hl->hn", likelihood, bit[:, None] == bit)
        lost += np.log2(total) - np.log2(np.maximum(same, _TINY))
    entropy = -(probabilities * np.log2(np.maximum(probabilities, _TINY))).sum()
    return float(2 * (entropy - probabilities @ lost @ weights / math.sqrt(math.pi)))


@functools.cache
def best_levels(bits_per_symbol: int, snr_db: float) -> tuple[float, ...]:
    """Find the levels of one axis that carry most at an SNR, at mean power 1/2.

    The search is deterministic: a quasi-Newton method on the logarithms of the distances, from the
    quantiles of a Gaussian. At low SNRs levels coincide; at SNRs so high that all bits arrive, the
    levels do not matter and are near the start.

    Parameters
    ----------
    bits_per_symbol
        4, 6 or 8.
    snr_db
        Es/N0 in dB.

    Examples
    --------
    >>> np.round(best_levels(4, 10.0), 2).tolist()  # plain 16-QAM has 0.32 and 0.95
    [-0.96, -0.28, 0.28, 0.96]
    """
    check_bits_per_symbol(bits_per_symbol)
    half = 1 << bits_per_symbol // 2 - 1
    uniform = np.full(2 * half, 0.5 / half)

    def levels(logarithms: Array) -> Array:
        positive = np.cumsum(np.exp(logarithms))
        return np.concatenate([-positive[::-1], positive])

    def loss(logarithms: Array) -> float:
        return -bit_metric_rate(levels(logarithms), uniform, snr_db)

    quantiles = norm.ppf(0.5 + (np.arange(half) + 0.5) / (2 * half))
    start = np.log(np.diff(quantiles, prepend=0.0))
    found = levels(minimize(loss, start, method="L-BFGS-B", options={"maxiter": 200}).x)
    return tuple((found / math.sqrt(2 * float(np.mean(found**2)))).tolist())


def geometric_rate(bits_per_symbol: int, snr_db: float) -> float:
    """Return the rate of the best levels at an SNR, in bits per complex use.

    Examples
    --------
    >>> from channels.theory import bicm_mutual_information
    >>> geometric_rate(6, 10.0) - float(bicm_mutual_information(6, 10.0)) > 0.08
    True
    """
    levels = np.array(best_levels(bits_per_symbol, snr_db))
    return bit_metric_rate(levels, np.full(len(levels), 1 / len(levels)), snr_db)


def probabilistic_rate(bits_per_symbol: int, snr_db: float) -> float:
    """Return the rate of equidistant levels with the best Maxwell–Boltzmann probabilities.

    Examples
    --------
    >>> from channels.units import awgn_capacity
    >>> awgn_capacity(10.0) - probabilistic_rate(6, 10.0) < 0.03
    True
    """
    check_bits_per_symbol(bits_per_symbol)
    levels, _ = _gray_pam(bits_per_symbol // 2)

    def loss(steepness: float) -> float:
        weights = np.exp(-steepness * (levels**2 - 1))
        return -bit_metric_rate(levels, weights / weights.sum(), snr_db)

    return -float(minimize_scalar(loss, bounds=(0.0, 0.5), method="bounded").fun)
