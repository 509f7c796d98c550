"""The Fréchet distance of two sets of features, which is FID if the features are Inception's.

Each set is taken for a normal distribution with the mean m and the covariance C of its samples.
The squared Fréchet distance of both is::

    FID = ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2 (C₁ C₂)^½).

Reference: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
Equilibrium", NIPS 2017, arXiv:1706.08500, equation 6.

The root is not computed, because the covariance of fewer samples than dimensions is singular. With
C = AᵀA for the centred samples A, divided by √(n − 1), its trace is the sum of the singular values
of A₁A₂ᵀ. A QR decomposition replaces each A by a matrix of at most as many rows as columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def frechet_distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the squared Fréchet distance of two sets of samples.

    It is 0 for equal sets. With few samples it is too large, the more so the fewer there are.

    Parameters
    ----------
    one, other
        (N, D) float, a sample in each row; the sets may have different numbers N of at least two.

    Examples
    --------
    >>> samples = np.random.default_rng(0).normal(size=(100, 2))
    >>> round(frechet_distance(samples, samples + [3, 4]), 6)  # only the means differ, by 5
    25.0
    """
    difference = one.mean(axis=0) - other.mean(axis=0)
    roots: list[Any] = [
        np.linalg.qr((x - x.mean(axis=0)) / np.sqrt(len(x) - 1), mode="r") for x in (one, other)
    ]
    traces = sum(np.square(root).sum() for root in roots)
    common = np.linalg.norm(roots[0] @ roots[1].T, "nuc")
    return max(float(difference @ difference + traces - 2 * common), 0.0)  # but for rounding
