"""Rician fading: a line of sight plus scatter, ``h = √(K/(K+1)) + √(1/(K+1))·CN(0, 1)``.

``E|h|² = 1`` and ``2(K+1)|h|²`` is noncentral chi-square with 2 degrees of freedom and
noncentrality ``2K``. K, the power of the line of sight over that of the scatter, is given in dB.

The gain is constant over blocks of ``block_length`` symbols and independent from block to block
(block fading), or independent from symbol to symbol (fast fading, as behind an ideal interleaver).
Flat; no Doppler within a block; the line of sight keeps phase 0.

Reference: M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, section 2.2.1.2.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from scipy.stats import ncx2
from torch import Tensor

from channels.awgn import add_noise, check_probability
from channels.base import ChannelOutput, check_input, complex_normal
from channels.units import db_to_linear


def block_scatter(x: Tensor, block_length: int, rng: torch.Generator) -> Tensor:
    """Draw one CN(0, 1) number per block and hold it: complex, shape and device of ``x``.

    ``block_length`` 0 means one block per leading index. The last block may be shorter.
    """
    num_symbols = x.shape[-1]
    length = block_length or num_symbols
    blocks = -(-num_symbols // length)
    drawn = complex_normal(torch.Size((*x.shape[:-1], blocks)), x, rng)
    return drawn.repeat_interleave(length, dim=-1)[..., :num_symbols]


def check_block_length(block_length: int) -> int:
    """Return ``block_length``; raise ``ValueError`` unless it is a whole number of at least 0."""
    if block_length != int(block_length) or block_length < 0:
        raise ValueError(
            f"block_length must be 0 (one block per transmission) or more, got {block_length}"
        )
    return int(block_length)


class _Rician:
    """The gain's law, shared by block and fast fading."""

    def __init__(self, k_db: float) -> None:
        if not -100 <= k_db <= 100:
            raise ValueError(f"k_db must be between -100 and 100 dB, got {k_db}")
        self.k_db = float(k_db)
        self._k = db_to_linear(self.k_db)

    def _gain(self, scatter: Tensor) -> Tensor:
        return math.sqrt(self._k / (self._k + 1)) + scatter * math.sqrt(1 / (self._k + 1))

    def gain_quantile(self, p: float) -> float:
        """Quantile of ``|h|²`` at ``p`` in (0, 1)."""
        check_probability(p)
        return float(ncx2.ppf(p, 2, 2 * self._k)) / (2 * (self._k + 1))


class RicianBlock(_Rician):
    """Rician block fading: one gain per block of ``block_length`` symbols.

    Parameters
    ----------
    k_db
        Power of the line of sight over that of the scatter, -100 to 100 dB.
    block_length
        Symbols per block; 0: one gain per transmission, that is per leading index.

    Raises
    ------
    ValueError
        ``k_db`` outside -100 to 100 dB, ``block_length`` negative.
    """

    coherence: Literal["none", "block", "fast"] = "block"

    def __init__(self, *, k_db: float = 6.0, block_length: int = 0) -> None:
        super().__init__(k_db)
        self.block_length = check_block_length(block_length)

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        return add_noise(self._gain(block_scatter(x, self.block_length, rng)), x, noise, rng)


class RicianFast(_Rician):
    """Rician fast fading: a fresh gain for every symbol.

    Parameters
    ----------
    k_db
        Power of the line of sight over that of the scatter, -100 to 100 dB.
    """

    coherence: Literal["none", "block", "fast"] = "fast"

    def __init__(self, *, k_db: float = 6.0) -> None:
        super().__init__(k_db)

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        return add_noise(self._gain(complex_normal(x.shape, x, rng)), x, noise, rng)
