"""The binary erasure channel: every bit is lost with probability ``p``, on its own.

The receiver knows which: a lost bit has LLR 0, any other is certain. It is what a decoder of
packets sees of lost ones, spread by an interleaver. No memory, no errors.

References
----------
P. Elias, "Coding for two noisy channels", Information Theory (3rd London Symposium), 1955.
T. M. Cover, J. A. Thomas, Elements of Information Theory, section 7.1.5.
"""

from __future__ import annotations

import torch
from torch import Tensor

from channels.discrete.events import CERTAIN_LLR, check_bits, check_share, draw_events


class BinaryErasure:
    """Bits that are lost at random.

    Parameters
    ----------
    p
        Probability of an erasure, 0 to 1.

    Raises
    ------
    ValueError
        ``p`` outside [0, 1].
    """

    def __init__(self, *, p: float = 0.1) -> None:
        check_share("p", p)
        self.p = float(p)

    @property
    def capacity(self) -> float:
        """Bits per use: ``1 - p``."""
        return 1 - self.p

    def __call__(self, bits: Tensor, rng: torch.Generator) -> Tensor:
        """Send ``bits``, uint8 (..., num_bits) of 0 and 1.

        Returns
        -------
        Tensor
            LLRs log p(b=1)/p(b=0), float32, shape and device of ``bits``: 0 for an erased bit, else
            ±100, which is as good as certain.

        Raises
        ------
        ValueError
            Another dtype, no bits, or other values than 0 and 1.
        """
        check_bits(bits)
        erased = draw_events(bits.shape, self.p, rng).to(bits.device)
        known = torch.where(bits == 1, CERTAIN_LLR, -CERTAIN_LLR).float()
        return known.masked_fill(erased, 0.0)
