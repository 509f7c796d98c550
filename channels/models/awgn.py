"""Additive white Gaussian noise: ``y = x + n``, ``n ~ CN(0, N0)``, ``h = 1``.

Symbols have mean power 1, so that the SNR is 1/N0. No fading, no phase or timing error.
Reference: J. G. Proakis, Digital Communications, chapter 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from channels.base import (
    ChannelOutput,
    Coherence,
    check_input,
    check_probability,
    draw_noise,
)


class Awgn:
    """Additive white Gaussian noise."""

    coherence: Coherence = "none"

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        # One number seen x.numel() times: who multiplies by it may notice and save the work.
        h = x.detach().new_ones(()).expand(x.shape)
        return ChannelOutput(draw_noise(x, noise, rng).add_(x), h, noise)

    def gain_quantile(self, p: float) -> float:
        """Quantile of ``|h|²`` at ``p`` in (0, 1): always 1."""
        check_probability(p)
        return 1.0
