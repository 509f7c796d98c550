"""The inner loop of :mod:`channels.shaping.block`: LLRs of amplitudes that are not equally likely.

One axis of a symbol at a time. The likelihood of the level ``±a`` is
``exp(±matched·a - gain·a²)``, times its prior probability; the LLR of a bit is the logarithm of a
quotient of sums over the levels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel

F32 = NDArray[np.float32]
_SMALLEST = np.float32(1e-30)


@kernel
def demap_shaped(
    matched: F32, gain: F32, amplitudes: F32, log_priors: F32, labels: NDArray[np.uint8]
) -> F32:
    """Compute the exact LLRs log p(b=1)/p(b=0) of every axis.

    Parameters
    ----------
    matched
        ``2·Re(conj(h)·y)/N0`` of every axis, float32 (n,).
    gain
        ``|h|²/N0`` of every axis, float32 (n,).
    amplitudes, log_priors
        Amplitudes, above 0, and the logarithms of their probabilities, float32 (L,).
    labels
        Bits of every amplitude, uint8 (L, m - 1).

    Returns
    -------
    NDArray[np.float32]
        (n, m): the sign (1 is negative), then the bits of the label; at most 70 in magnitude.
    """
    num_levels, num_labels = labels.shape
    llr = np.empty((matched.size, num_labels + 1), dtype=np.float32)
    ones, zeros = np.empty((2, num_labels), dtype=np.float32)
    metrics = np.empty(2 * num_levels, dtype=np.float32)
    for i in range(matched.size):
        best = np.float32(-np.inf)
        for a in range(num_levels):
            base = log_priors[a] - gain[i] * amplitudes[a] * amplitudes[a]
            tilt = matched[i] * amplitudes[a]
            metrics[a], metrics[num_levels + a] = base + tilt, base - tilt
            best = max(best, base + abs(tilt))
        ones[:] = zeros[:] = 0
        positive = negative = np.float32(0)
        for a in range(num_levels):
            plus = np.exp(metrics[a] - best)
            minus = np.exp(metrics[num_levels + a] - best)
            positive += plus
            negative += minus
            for b in range(num_labels):
                if labels[a, b]:
                    ones[b] += plus + minus
                else:
                    zeros[b] += plus + minus
        llr[i, 0] = np.log(max(negative, _SMALLEST)) - np.log(max(positive, _SMALLEST))
        for b in range(num_labels):
            llr[i, b + 1] = np.log(max(ones[b], _SMALLEST)) - np.log(max(zeros[b], _SMALLEST))
    return llr
