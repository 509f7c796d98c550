"""The binary symmetric channel: every bit is flipped independently with probability ``p``.

Its output r is a bit, with ``log p(b=1)/p(b=0) = (2r - 1)·log((1-p)/p)``. It models hard decisions
behind a symmetric memoryless channel. It has no memory and gives no soft values.

Reference: T. M. Cover, J. A. Thomas, Elements of Information Theory, section 7.1.4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.discrete.events import CERTAIN_LLR, check_bits, check_share, draw_events


def binary_entropy(p: float) -> float:
    """Return the entropy of an event of probability ``p``, 0 to 1, in bits.

    Raises
    ------
    ValueError
        ``p`` is no probability.

    Examples
    --------
    >>> binary_entropy(0.5), round(binary_entropy(0.11), 3)
    (1.0, 0.5)
    """
    check_share("p", p)
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)


class BinarySymmetric:
    """Binary symmetric channel.

    Parameters
    ----------
    p
        Probability of a flip, 0 to 1.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1].

    Examples
    --------
    >>> bits = torch.tensor([0, 1, 1], dtype=torch.uint8)
    >>> llr = BinarySymmetric(p=0.05)(bits, torch.Generator().manual_seed(0))
    >>> bool((llr.abs() - 2.944439 < 1e-6).all())  # log(0.95/0.05)
    True
    """

    def __init__(self, *, p: float = 0.05) -> None:
        check_share("p", p)
        self.p = float(p)
        known = math.log((1 - p) / p) if 0 < p < 1 else math.copysign(math.inf, 0.5 - p)
        self.llr = max(-CERTAIN_LLR, min(CERTAIN_LLR, known))
        """LLR of a received 1; it is negative if more than half of the bits are flipped."""

    @property
    def capacity(self) -> float:
        """Capacity in bits per use: ``1 - H2(p)``."""
        return 1 - binary_entropy(self.p)

    def __call__(self, bits: Tensor, rng: torch.Generator) -> Tensor:
        """Send ``bits``, uint8 (..., num_bits) of 0 and 1.

        Returns
        -------
        Tensor
            LLRs log p(b=1)/p(b=0), float32, with the shape and device of ``bits``:
            ``±log((1-p)/p)``, limited to ±100.

        Raises
        ------
        ValueError
            If ``bits`` has another dtype, is empty, or holds values other than 0 and 1.
        """
        check_bits(bits)
        flipped = draw_events(bits.shape, self.p, rng).to(bits.device)
        return torch.where((bits == 1) ^ flipped, self.llr, -self.llr).float()
