"""Additive white Gaussian noise: ``y = x + n``, ``n ~ CN(0, N0)``, ``h = 1``.

Symbols have mean power 1, so that the SNR is 1/N0. There is no fading and no phase or timing error.
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
    """Additive white Gaussian noise.

    Examples
    --------
    >>> import torch
    >>> x = torch.ones(100_000, dtype=torch.complex64)
    >>> y, h, noise_var = Awgn()(x, 0.1, torch.Generator().manual_seed(0))
    >>> round(float((y - x).abs().square().mean()), 2)
    0.1
    """

    coherence: Coherence = "none"

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        # A single number, seen x.numel() times: a multiplication can detect this and skip work.
        h = x.detach().new_ones(()).expand(x.shape)
        return ChannelOutput(draw_noise(x, noise, rng).add_(x), h, noise)

    def gain_quantile(self, p: float) -> float:
        """Return the quantile of ``|h|²`` at ``p`` in (0, 1), which is always 1."""
        check_probability(p)
        return 1.0
