"""FGSM and PGD: noise within ±ε that makes a segmenter err.

ε is that of the camera's own grid of 8 bits, in grey levels: 8 of 255 are severity 4, as in
arXiv:2305.00866. The noise changes the pixels of the picture, never a padding, and after rounding
no pixel has changed by more than ε.

References
----------
I. Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015, arXiv:1412.6572
(FGSM: one step of ε by the sign of the gradient). A. Madry et al., "Towards deep learning models
resistant to adversarial attacks", ICLR 2018, arXiv:1706.06083 (PGD: several smaller steps, each
followed by a projection; here without a random start, so that severities are comparable).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from semcom.disturbances.attacks.losses import GOALS
from semcom.disturbances.attacks.victim import MOST_POINTS, check_victim, source_points, victim
from semcom.errors import InputError
from semcom.types import Image, Prompts, Region

EPSILON = (1, 2, 4, 8, 16)
"""Largest change of a pixel in grey levels, by severity."""
MOST_STEPS = 1000


class GradientAttack:
    """An attack by the sign of the gradient.

    Parameters
    ----------
    victim
        Segmenter whose gradients are used. The sender may use another one (transfer).
    goal
        ``removal``: the mask vanishes; ``enlargement``: it covers everything; ``mirror``: it
        becomes its mirror image.
    points
        Number of points in the true mask that are given as prompts, each by itself, 1 to 400.
    steps
        Number of steps, of a quarter of the largest change each; a single step is the whole of it.
    """

    needs_truth = True
    slow = True

    def __init__(self, victim: str, goal: str, points: int, steps: int) -> None:
        if goal not in GOALS:
            raise InputError(f"unknown goal {goal!r}; choices: {', '.join(GOALS)}")
        if not 1 <= points <= MOST_POINTS:
            raise InputError(f"points must be 1 to {MOST_POINTS}, got {points}")
        if not 1 <= steps <= MOST_STEPS:
            raise InputError(f"steps must be 1 to {MOST_STEPS}, got {steps}")
        check_victim(victim)
        self.victim, self._goal, self._points, self._steps = victim, goal, points, steps

    @property
    def identity(self) -> str:
        """The victim's network, which the result depends on."""
        return str(getattr(victim(self.victim), "provenance", self.victim))

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        assert truth is not None
        if not truth.any():
            return image.copy()
        rng = np.random.default_rng(seed)
        prompts = source_points(truth, self._points, rng)
        epsilon = EPSILON[severity - 1]
        step = epsilon if self._steps == 1 else max(epsilon / 4, 0.5)
        clean = torch.from_numpy(image).permute(2, 0, 1).to(torch.float32)
        change = torch.zeros_like(clean)
        for _ in range(self._steps):
            gradient = self._gradient(clean + change, prompts, torch.from_numpy(truth))
            change = (change - step * gradient.sign()).clamp(-epsilon, epsilon)
            change = (clean + change).clamp(0, 255) - clean
        seen = (clean + change).round().to(torch.uint8)
        return np.ascontiguousarray(seen.permute(1, 2, 0).numpy())

    def _gradient(self, pixels: Tensor, prompts: Prompts, truth: Tensor) -> Tensor:
        """Return the gradient of the loss."""
        with torch.inference_mode(False), torch.enable_grad():
            pixels = pixels.clone().requires_grad_()
            logits = victim(self.victim).logits(pixels, prompts)
            loss = GOALS[self._goal](logits, truth.to(logits.device))
            (gradient,) = torch.autograd.grad(loss, pixels)
        return gradient.cpu()


class Fgsm(GradientAttack):
    """One step of ε by the sign of the gradient."""

    def __init__(
        self, *, victim: str = "mobile_sam", goal: str = "removal", points: int = 1
    ) -> None:
        super().__init__(victim, goal, points, steps=1)


class Pgd(GradientAttack):
    """Ten steps of ε/4, or as many as are asked for; a step is at least half a grey level.

    A single step is ε, as that of :class:`Fgsm`.
    """

    def __init__(
        self,
        *,
        victim: str = "mobile_sam",
        goal: str = "removal",
        points: int = 1,
        steps: int = 10,
    ) -> None:
        super().__init__(victim, goal, points, steps)
