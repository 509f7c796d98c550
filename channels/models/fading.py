"""Flat fading: a distribution of the gain, constant over blocks or independent for every symbol.

``y = h·x + n`` with ``E|h|² = 1``. A model consists of two parts. A distribution defines how a gain
is drawn and the quantiles of its power; :class:`BlockFading` and :class:`FastFading` define how
long a gain lasts:

    class RayleighBlock(RayleighLaw, BlockFading): ...

Fast fading is an ideally interleaved version of a varying channel. No Doppler within a block.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from channels.base import MAX_BLOCK_LENGTH, ChannelOutput, Coherence, add_noise, check_input
from channels.errors import InputError


class Fading(ABC):
    """A fading channel: a distribution of the gain, and how long a gain lasts."""

    @abstractmethod
    def draw(self, shape: torch.Size, like: Tensor, rng: torch.Generator) -> Tensor:
        """Draw independent gains: complex, ``E|h|² = 1``, dtype and device of ``like``."""

    @abstractmethod
    def gain_quantile(self, p: float) -> float:
        """Return the quantile of ``|h|²`` at ``p`` in (0, 1)."""

    @abstractmethod
    def gains(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Return the gain of every symbol of ``x``, complex, of its shape."""

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        return add_noise(self.gains(x, rng), x, noise, rng)


class BlockFading(Fading):
    """One gain per block of ``block_length`` symbols, independent from block to block.

    Parameters
    ----------
    block_length
        Symbols per block, up to 10⁹; 0: one gain per transmission, that is, per leading index.
        The last block of a transmission may be shorter.

    Raises
    ------
    ValueError
        ``block_length`` outside this range or not an integer.

    Examples
    --------
    A subclass adds the distribution; :mod:`channels.models` has Rayleigh, Rician and Nakagami:

    >>> from channels.models.rayleigh import RayleighBlock
    >>> h = RayleighBlock(block_length=3).gains(torch.ones(6) + 0j, torch.Generator())
    >>> bool((h[:3] == h[0]).all()), bool(h[2] == h[3])
    (True, False)
    """

    coherence: Coherence = "block"

    def __init__(self, *, block_length: int = 0) -> None:
        if not 0 <= block_length <= MAX_BLOCK_LENGTH or block_length != int(block_length):
            raise InputError(
                f"block_length must be 0 (one block per transmission) to {MAX_BLOCK_LENGTH} "
                f"symbols, got {block_length}"
            )
        self.block_length = int(block_length)

    def gains(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Draw one gain per block and repeat it."""
        num_symbols = x.shape[-1]
        length = min(self.block_length or num_symbols, num_symbols)
        drawn = self.draw(torch.Size((*x.shape[:-1], -(-num_symbols // length))), x, rng)
        return drawn.repeat_interleave(length, dim=-1)[..., :num_symbols]


class FastFading(Fading):
    """An independent gain for every symbol.

    Examples
    --------
    >>> from channels.models.rayleigh import RayleighFast
    >>> h = RayleighFast().gains(torch.ones(100_000) + 0j, torch.Generator().manual_seed(0))
    >>> round(float(h.abs().square().mean()), 1)  # E|h|² = 1
    1.0
    """

    coherence: Coherence = "fast"

    def gains(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Draw a gain for every symbol."""
        return self.draw(x.shape, x, rng)
