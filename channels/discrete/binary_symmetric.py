"""The binary symmetric channel: every bit is flipped with probability ``p``, on its own.

Its output r is a bit again, with ``log p(b=1)/p(b=0) = (2r - 1)·log((1-p)/p)``. It is what hard
decisions make of a memoryless channel that treats both bits alike. No memory, no soft values.

Reference: T. M. Cover, J. A. Thomas, Elements of Information Theory, section 7.1.4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.discrete.events import CERTAIN_LLR, check_bits, check_share, draw_events


def binary_entropy(p: float) -> float:
    """Entropy of an event of probability ``p``, in bits."""
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)


class BinarySymmetric:
    """Bits that are flipped at random.

    Parameters
    ----------
    p
        Probability of a flip, 0 to 1.

    Raises
    ------
    ValueError
        ``p`` outside [0, 1].
    """

    def __init__(self, *, p: float = 0.05) -> None:
        check_share("p", p)
        self.p = float(p)
        known = math.log((1 - p) / p) if 0 < p < 1 else math.copysign(math.inf, 0.5 - p)
        self.llr = max(-CERTAIN_LLR, min(CERTAIN_LLR, known))
        """LLR of a received 1; negative if bits are flipped more often than not."""

    @property
    def capacity(self) -> float:
        """Bits per use: ``1 - H2(p)``."""
        return 1 - binary_entropy(self.p)

    def __call__(self, bits: Tensor, rng: torch.Generator) -> Tensor:
        """Send ``bits``, uint8 (..., num_bits) of 0 and 1.

        Returns
        -------
        Tensor
            LLRs log p(b=1)/p(b=0), float32, shape and device of ``bits``: ``±log((1-p)/p)``, held
            to ±100.

        Raises
        ------
        ValueError
            Another dtype, no bits, or other values than 0 and 1.
        """
        check_bits(bits)
        flipped = draw_events(bits.shape, self.p, rng).to(bits.device)
        return torch.where((bits == 1) ^ flipped, self.llr, -self.llr).float()
