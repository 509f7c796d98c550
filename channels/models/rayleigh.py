"""Rayleigh fading: scatter without a line of sight, ``h ~ CN(0, 1)``.

``E|h|² = 1`` and ``|h|²`` is exponential, so that the SNR of a symbol is exponential with mean
1/N0. Block and fast fading are as in :mod:`channels.models.fading`.

Reference: M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, section 2.2.1.1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import check_probability, complex_normal
from channels.models.fading import BlockFading, Fading, FastFading


class RayleighLaw(Fading):
    """``h ~ CN(0, 1)``."""

    def draw(self, shape: torch.Size, like: Tensor, rng: torch.Generator) -> Tensor:
        """Draw independent gains; see :class:`channels.models.fading.Fading`."""
        return complex_normal(shape, like, rng)

    def gain_quantile(self, p: float) -> float:
        """Return the quantile of ``|h|²`` at ``p`` in (0, 1), which is ``-ln(1 - p)``."""
        check_probability(p)
        return -math.log1p(-p)


class RayleighBlock(RayleighLaw, BlockFading):
    """Rayleigh block fading: one gain per block (option ``block_length``).

    Examples
    --------
    The gain is exceeded in 90 % of all blocks by -ln(0.9), 9.8 dB below the mean:

    >>> round(RayleighBlock(block_length=100).gain_quantile(0.1), 4)
    0.1054
    """


class RayleighFast(RayleighLaw, FastFading):
    """Rayleigh fast fading: an independent gain for every symbol.

    Examples
    --------
    >>> RayleighFast().coherence
    'fast'
    """
