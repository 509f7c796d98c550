"""Additive white Gaussian noise: ``y = x + n``, ``n ~ CN(0, N0)``, ``h = 1``.

Symbols have mean power 1, so that the SNR is 1/N0. No fading, no phase or timing error.
Reference: J. G. Proakis, Digital Communications, chapter 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from channels.base import ChannelOutput, Coherence, check_input, complex_normal


def check_probability(p: float) -> None:
    """Raise ``ValueError`` unless ``p`` lies in (0, 1)."""
    if not 0 < p < 1:
        raise ValueError(f"probability must be in (0, 1), got {p}")


def add_noise(h: Tensor, x: Tensor, noise: Tensor, rng: torch.Generator) -> ChannelOutput:
    """Receive ``h·x`` in noise.

    Parameters
    ----------
    h, x
        Gain and symbols, complex (..., num_symbols), the same shape.
    noise
        Total variance N0, at least 0, real, broadcastable to ``x``.
    rng
        Source of the noise.

    Raises
    ------
    ValueError
        ``noise`` does not broadcast to ``x``.
    """
    return ChannelOutput(draw_noise(x, noise, rng).add_(h * x), h, noise)


def draw_noise(x: Tensor, noise: Tensor, rng: torch.Generator) -> Tensor:
    """Draw the noise that meets ``x``: complex, its shape, of total variance ``noise``."""
    try:
        noise.expand(x.shape)
    except RuntimeError:
        raise ValueError(
            f"noise_var of shape {tuple(noise.shape)} does not broadcast to symbols of shape "
            f"{tuple(x.shape)}"
        ) from None
    if noise.numel() == 1 and not noise.requires_grad:
        return complex_normal(x.shape, x, rng, variance=float(noise))
    return complex_normal(x.shape, x, rng).mul_(noise.sqrt())


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
