"""The binary erasure channel: every bit is erased independently with probability ``p``.

The receiver knows which bits are erased: an erased bit has LLR 0, and any other bit is certain. The
channel models lost packets as a code across packets sees them through an interleaver. It has no
memory and makes no errors.

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
    """Binary erasure channel.

    Parameters
    ----------
    p
        Probability of an erasure, 0 to 1.

    Raises
    ------
    ValueError
        If ``p`` is outside [0, 1].

    Examples
    --------
    >>> bits = torch.tensor([0, 1, 1], dtype=torch.uint8)
    >>> BinaryErasure(p=0.0)(bits, torch.Generator().manual_seed(0))
    tensor([-100.,  100.,  100.])
    >>> BinaryErasure(p=0.1).capacity
    0.9
    """

    def __init__(self, *, p: float = 0.1) -> None:
        check_share("p", p)
        self.p = float(p)

    @property
    def capacity(self) -> float:
        """Capacity in bits per use: ``1 - p``."""
        return 1 - self.p

    def __call__(self, bits: Tensor, rng: torch.Generator) -> Tensor:
        """Send ``bits``, uint8 (..., num_bits) of 0 and 1.

        Returns
        -------
        Tensor
            LLRs log p(b=1)/p(b=0), float32, with the shape and device of ``bits``: 0 for an erased
            bit, and otherwise ±100, which is practically certain.

        Raises
        ------
        ValueError
            If ``bits`` has another dtype, is empty, or holds values other than 0 and 1.
        """
        check_bits(bits)
        erased = draw_events(bits.shape, self.p, rng).to(bits.device)
        known = torch.where(bits == 1, CERTAIN_LLR, -CERTAIN_LLR).float()
        return known.masked_fill(erased, 0.0)
