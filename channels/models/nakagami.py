"""Nakagami-m fading: ``|h|²`` is Gamma distributed with shape ``m`` and mean 1; uniform phase.

``m = 1`` is Rayleigh, ``m = 1/2`` the one-sided Gaussian (worse than Rayleigh), ``m → ∞`` no
fading. ``E|h|² = 1``. Block and fast fading are as in :mod:`channels.models.fading`.

References
----------
M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, section 2.2.1.4.
G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM Trans. Math.
Softw. 26(3), 2000, DOI 10.1145/358407.358414: how the gains are drawn.
"""

from __future__ import annotations

import math

import torch
from scipy.special import gammaincinv
from torch import Tensor

from channels.base import check_probability
from channels.errors import InputError
from channels.models.fading import BlockFading, Fading, FastFading


def draw_gamma(shape: torch.Size, m: float, rng: torch.Generator) -> Tensor:
    """Draw Gamma variables of shape ``m``, at least 0.5, and scale 1.

    Marsaglia and Tsang's rejection method is exact and keeps more than 95 % of its candidates. It
    needs ``m ≥ 1``; below, a variable of shape ``m + 1`` times ``U^(1/m)`` has shape ``m``.

    Returns
    -------
    Tensor
        float64 of ``shape``, on the device of ``rng``.
    """
    num = shape.numel()
    d = (m if m >= 1 else m + 1) - 1 / 3
    kept = torch.empty(0, dtype=torch.float64, device=rng.device)
    while len(kept) < num:
        size = num - len(kept) + 16
        normal = torch.randn(size, dtype=torch.float64, device=rng.device, generator=rng)
        uniform = torch.rand(size, dtype=torch.float64, device=rng.device, generator=rng)
        v = (1 + normal / math.sqrt(9 * d)) ** 3
        # log(v) is NaN for negative v, which makes the comparison false.
        fits = uniform.log() < 0.5 * normal**2 + d * (1 - v + v.log())
        kept = torch.cat([kept, d * v[fits]])
    drawn = kept[:num].reshape(shape)
    if m < 1:
        uniform = torch.rand(shape, dtype=torch.float64, device=rng.device, generator=rng)
        drawn = drawn * uniform ** (1 / m)
    return drawn


class NakagamiLaw(Fading):
    """``|h|² ~ Gamma(m, 1/m)``, with a uniform phase; ``m`` from 0.5 to 1000."""

    m: float
    """Shape: the inverse of the variance of ``|h|²``."""

    def _set_m(self, m: float) -> None:
        if not 0.5 <= m <= 1000:
            raise InputError(f"m must be between 0.5 and 1000, got {m}")
        self.m = float(m)

    def draw(self, shape: torch.Size, like: Tensor, rng: torch.Generator) -> Tensor:
        """Draw independent gains; see :class:`channels.models.fading.Fading`."""
        radius = (draw_gamma(shape, self.m, rng) / self.m).sqrt()
        turns = torch.rand(shape, dtype=torch.float64, device=rng.device, generator=rng)
        return torch.polar(radius, 2 * math.pi * turns).to(like.device, like.dtype)

    def gain_quantile(self, p: float) -> float:
        """Return the quantile of ``|h|²`` at ``p`` in (0, 1), by the incomplete Gamma function."""
        check_probability(p)
        return float(gammaincinv(self.m, p)) / self.m


class NakagamiBlock(NakagamiLaw, BlockFading):
    """Nakagami block fading: one gain per block.

    Parameters
    ----------
    m
        Shape, 0.5 to 1000; 1 is Rayleigh.
    block_length
        See :class:`channels.models.fading.BlockFading`.

    Raises
    ------
    ValueError
        ``m`` outside 0.5 to 1000, ``block_length`` negative.

    Examples
    --------
    A larger m makes deep fades rarer; the weakest 10 % of the gains lie below

    >>> [round(NakagamiBlock(m=m).gain_quantile(0.1), 2) for m in (1, 2, 10)]
    [0.11, 0.27, 0.62]
    """

    def __init__(self, *, m: float = 2.0, block_length: int = 0) -> None:
        super().__init__(block_length=block_length)
        self._set_m(m)


class NakagamiFast(NakagamiLaw, FastFading):
    """Nakagami fast fading: an independent gain for every symbol.

    Parameters
    ----------
    m
        Shape, 0.5 to 1000; 1 is Rayleigh.

    Examples
    --------
    >>> NakagamiFast(m=4).coherence
    'fast'
    """

    def __init__(self, *, m: float = 2.0) -> None:
        self._set_m(m)
