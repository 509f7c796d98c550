"""Rayleigh fading: scatter without a line of sight, ``h ~ CN(0, 1)``.

``E|h|² = 1`` and ``|h|²`` is exponential, so that the SNR of a symbol is exponential with mean
1/N0. Block and fast fading are those of :mod:`channels.rician`, of which this is the case K = 0.

Reference: M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, section 2.2.1.1.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from channels.awgn import add_noise, check_probability
from channels.base import ChannelOutput, check_input, complex_normal
from channels.rician import block_scatter, check_block_length


class _Rayleigh:
    """The gain's law, shared by block and fast fading."""

    def gain_quantile(self, p: float) -> float:
        """Quantile of ``|h|²`` at ``p`` in (0, 1): ``-ln(1 - p)``."""
        check_probability(p)
        return -math.log1p(-p)


class RayleighBlock(_Rayleigh):
    """Rayleigh block fading: one gain per block of ``block_length`` symbols.

    Parameters
    ----------
    block_length
        Symbols per block; 0: one gain per transmission, that is per leading index.

    Raises
    ------
    ValueError
        ``block_length`` negative.
    """

    coherence: Literal["none", "block", "fast"] = "block"

    def __init__(self, *, block_length: int = 0) -> None:
        self.block_length = check_block_length(block_length)

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        return add_noise(block_scatter(x, self.block_length, rng), x, noise, rng)


class RayleighFast(_Rayleigh):
    """Rayleigh fast fading: a fresh gain for every symbol."""

    coherence: Literal["none", "block", "fast"] = "fast"

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        return add_noise(complex_normal(x.shape, x, rng), x, noise, rng)
