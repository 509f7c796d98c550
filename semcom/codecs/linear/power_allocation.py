"""The power of each coefficient in a linear analog code.

A coefficient s of variance λ is sent as the amplitude ``g·s`` through real noise of variance σ²,
with the power ``p = g²λ``. The linear estimate of least squared error, ``ŝ = gλ/(p+σ²)·y``, leaves
``λσ²/(p+σ²)``. The powers that minimise ``Σ w·λσ²/(p+σ²)`` with ``Σ p`` given are by Lagrange

    p = max(0, σ·√(wλ)·L - σ²),     with L such that the sum is right.

At low noise this is ``g²λ ∝ √(wλ)``, the rule of SoftCast with weights added; at high noise,
coefficients of small ``wλ`` are better not sent.

Reference: K.-H. Lee, D. Petersen, "Optimal linear coding for vector channels", IEEE Trans. Commun.
24(12), 1976, DOI 10.1109/TCOM.1976.1093255.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def allocate_power(
    worth: Array, counts: NDArray[np.int64], noise_var: float, total: float
) -> Array:
    """Return the power of a coefficient of each group, (groups,).

    Parameters
    ----------
    worth
        Weight times variance of the coefficients of each group, (groups,), at least 0.
    counts
        Coefficients in each group, (groups,).
    noise_var
        Variance σ² of the real noise, above 0.
    total
        Power of all coefficients together, at least 0.

    Examples
    --------
    >>> allocate_power(np.array([16.0, 1.0, 0.0]), np.array([1, 2, 9]), 0.01, 6.0)
    array([4.01 , 0.995, 0.   ])
    """
    order = np.argsort(-worth, kind="stable")
    root, number = np.sqrt(worth[order]), np.asarray(counts, dtype=np.float64)[order]
    std = noise_var**0.5
    share = np.cumsum(number * root)
    # Levels if the groups up to each one get power; the right ones then all get more than none.
    level = np.divide(
        total + noise_var * np.cumsum(number),
        std * share,
        out=np.zeros_like(share),
        where=share > 0,
    )
    served = np.flatnonzero(root * level > std)
    power: Array = np.zeros_like(root)
    if len(served):
        power[order] = np.maximum(0, std * root * level[served[-1]] - noise_var)
    return power


def lmmse_error(variance: Array, power: Array, noise_var: float) -> Array:
    """Return the mean squared error ``λσ²/(p+σ²)`` of a coefficient's linear estimate."""
    return np.asarray(variance * noise_var / (power + noise_var))
