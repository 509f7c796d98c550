"""Closed forms for spatial multiplexing over i.i.d. Rayleigh fading (:mod:`channels.mimo.channel`).

SNR is 1/N0 in dB, the ratio of the total transmit power to the noise of one receive antenna. The
receiver knows H and the transmitter does not. For diversity without multiplexing see
:func:`channels.theory.ber_mrc`.

References
----------
I. E. Telatar, "Capacity of multi-antenna Gaussian channels", Eur. Trans. Telecommun. 10(6), 1999,
DOI 10.1002/ett.4460100604, theorem 2.
J. H. Winters, J. Salz, R. D. Gitlin, "The impact of antenna diversity on the capacity of wireless
communication systems", IEEE Trans. Commun. 42(2/3/4), 1994, DOI 10.1109/TCOMM.1994.582882.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import eval_genlaguerre, gammaln

from channels.errors import InputError
from channels.theory.ber import ber_mrc
from channels.units import db_to_linear

Array = NDArray[np.float64]

_STEP = 0.05  # step of the quadrature in log λ


def mimo_capacity(num_tx: int, num_rx: int, snr_db: ArrayLike) -> Array:
    """Compute the ergodic capacity ``E log2 det(I + HHᴴ/(nt·N0))`` in bits per channel use.

    With ``m = min(nt, nr)`` and ``n = max(nt, nr)``, an eigenvalue λ of ``HHᴴ`` has the density
    ``(1/m)·Σ_{k<m} k!/(k+n-m)!·L_k^{n-m}(λ)²·λ^{n-m}·e^{-λ}``. The mean of
    ``m·log2(1 + λ/(nt·N0))`` is computed by the trapezoidal rule in log λ, with an error of 1e-10.

    Parameters
    ----------
    num_tx, num_rx
        Antennas, at least 1 each.
    snr_db
        SNR in dB, any shape.

    Raises
    ------
    ValueError
        Fewer than one antenna at either end.

    Examples
    --------
    At high SNR, twice the antennas carry twice the bits per 3 dB of SNR:

    >>> low, high = mimo_capacity(2, 2, [60.0, 60.0 + 10 * math.log10(2)])
    >>> round(float(high - low), 3)
    2.0
    """
    if num_tx < 1 or num_rx < 1:
        raise InputError(f"antennas must be at least 1 at each end, got {num_tx} and {num_rx}")
    few, surplus = min(num_tx, num_rx), abs(num_rx - num_tx)
    # Beyond these limits the density is below rounding.
    log_eigenvalue = np.arange(-40.0, math.log(200 + 8 * (num_tx + num_rx)), _STEP)
    eigenvalue = np.exp(log_eigenvalue)
    density = np.zeros_like(eigenvalue)
    for k in range(few):
        log_scale = gammaln(k + 1) - gammaln(k + surplus + 1) + surplus * log_eigenvalue
        polynomial = eval_genlaguerre(k, surplus, eigenvalue)
        density += np.exp(log_scale - eigenvalue) * polynomial**2
    snr = db_to_linear(np.asarray(snr_db, dtype=np.float64)) / num_tx
    bits = np.log1p(snr[..., None] * eigenvalue) / math.log(2)
    return np.asarray(bits @ (density * eigenvalue) * _STEP)


def ber_zf(bits_per_symbol: int, num_tx: int, num_rx: int, snr_db: ArrayLike) -> Array:
    """Compute the exact bit error rate after zero forcing.

    Every stream behaves as if sent alone at ``SNR/nt`` to ``nr - nt + 1`` receive antennas.

    Parameters
    ----------
    bits_per_symbol
        1, 2, 4, 6 or 8.
    num_tx, num_rx
        Antennas, num_tx ≤ num_rx.
    snr_db
        SNR in dB, any shape.

    Raises
    ------
    ValueError
        Another ``bits_per_symbol``, or fewer receive than transmit antennas.

    Examples
    --------
    With as many streams as antennas no diversity is left:

    >>> from channels.theory.ber import ber_rayleigh
    >>> bool(np.isclose(ber_zf(2, 2, 2, 20.0), ber_rayleigh(2, 20.0 - 10 * math.log10(2))))
    True
    """
    if not 1 <= num_tx <= num_rx:
        raise InputError(f"zero forcing needs 1 <= num_tx <= num_rx, got {num_tx} and {num_rx}")
    per_stream_db = np.asarray(snr_db, dtype=np.float64) - 10 * math.log10(num_tx)
    return ber_mrc(bits_per_symbol, num_rx - num_tx + 1, per_stream_db)
