"""The losses of attacks on masks, which the attacker makes small.

References
----------
C. Zhang et al., "Attack-SAM: towards attacking segment anything model with adversarial examples",
2023, arXiv:2305.00866: a mask is where the logits are positive, and a logit beyond the threshold
±10 gets no more gradient ("ClipMSE").
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

THRESHOLD = 10.0
"""Logit beyond which a pixel counts as won."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""Of logits (B, H, W) and the true mask (H, W): a scalar."""


def removal(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the loss of making the mask vanish: the mean of ``(max(y, -10) + 10)²``.

    Examples
    --------
    >>> float(removal(torch.tensor([[[-20.0, 0.0]]]), torch.ones(1, 2)))  # 0 and 100
    50.0
    """
    del truth
    return (logits.clamp(min=-THRESHOLD) + THRESHOLD).square().mean()


def enlargement(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the loss of making the mask cover everything: the mean of ``(min(y, 10) - 10)²``."""
    del truth
    return (logits.clamp(max=THRESHOLD) - THRESHOLD).square().mean()


def mirror(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the loss of making the mask its own mirror image, left and right exchanged."""
    wanted = truth.flip(-1).expand_as(logits) > 0
    inside = (logits.clamp(max=THRESHOLD) - THRESHOLD).square()
    outside = (logits.clamp(min=-THRESHOLD) + THRESHOLD).square()
    return torch.where(wanted, inside, outside).mean()


GOALS: dict[str, Loss] = {"removal": removal, "enlargement": enlargement, "mirror": mirror}
"""The loss of each goal, by name."""
