"""Received values, collected by bit of the mother code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel

MAX_LLR = np.float32(1000.0)
"""Received LLRs are limited to this magnitude: e^-1000 is certainty."""


@kernel
def gather(llr: NDArray[np.float32], runs: NDArray[np.int32], mother: NDArray[np.float32]) -> None:
    """Add up the received values of every bit of the mother code.

    Parameters
    ----------
    llr
        ``log p(b=1)/p(b=0)`` in the order of reception, float32.
    runs
        See :attr:`channels.fec.ldpc.schedule.Schedule.runs`.
    mother
        Overwritten with the sums in the decoders' sign convention, ``log p(b=0)/p(b=1)``, where
        the sign of a sum of bits is the product of their signs. 0 where nothing was received.
    """
    mother[:] = 0
    for r in range(runs.shape[0]):
        target, source, distance, length = runs[r]
        if distance == 2:  # QPSK: with a constant distance the compiler can vectorise
            for i in range(length):
                mother[target + i] -= min(max(llr[source + 2 * i], -MAX_LLR), MAX_LLR)
        else:
            for i in range(length):
                mother[target + i] -= min(max(llr[source + i * distance], -MAX_LLR), MAX_LLR)
