"""Rician fading: a line of sight plus scatter, ``h = √(K/(K+1)) + √(1/(K+1))·CN(0, 1)``.

``E|h|² = 1`` and ``2(K+1)|h|²`` is noncentral chi-square with 2 degrees of freedom and
noncentrality ``2K``. K, the power of the line of sight over that of the scatter, is given in dB.
The line of sight keeps phase 0. Block and fast fading are as in :mod:`channels.models.fading`.

Reference: M. K. Simon, M.-S. Alouini, Digital Communication over Fading Channels, section 2.2.1.2.
"""

from __future__ import annotations

import functools
import math

import torch
from scipy.stats import ncx2, norm
from torch import Tensor

from channels.base import check_probability, complex_normal
from channels.errors import InputError
from channels.models.fading import BlockFading, Fading, FastFading
from channels.units import db_to_linear


class RicianLaw(Fading):
    """A line of sight ``k_db`` dB stronger than the scatter, -100 to 100 dB."""

    k: float
    """Power of the line of sight divided by that of the scatter, linear."""

    def _set_k(self, k_db: float) -> None:
        if not -100 <= k_db <= 100:
            raise InputError(f"k_db must be between -100 and 100 dB, got {k_db}")
        self.k = db_to_linear(float(k_db))

    def draw(self, shape: torch.Size, like: Tensor, rng: torch.Generator) -> Tensor:
        """Draw independent gains; see :class:`channels.models.fading.Fading`."""
        scatter = complex_normal(shape, like, rng)
        return math.sqrt(self.k / (self.k + 1)) + scatter * math.sqrt(1 / (self.k + 1))

    def gain_quantile(self, p: float) -> float:
        """Return the quantile of ``|h|²`` at ``p`` in (0, 1)."""
        check_probability(p)
        return _gain_quantile(self.k, p)


class RicianBlock(RicianLaw, BlockFading):
    """Rician block fading: one gain per block.

    Parameters
    ----------
    k_db
        Power of the line of sight relative to that of the scatter, -100 to 100 dB.
    block_length
        See :class:`channels.models.fading.BlockFading`.

    Raises
    ------
    ValueError
        ``k_db`` outside -100 to 100 dB, ``block_length`` negative.

    Examples
    --------
    A stronger line of sight makes deep fades rarer; the weakest 10 % of the gains lie below

    >>> [round(RicianBlock(k_db=k_db).gain_quantile(0.1), 2) for k_db in (-100, 6, 20)]
    [0.11, 0.31, 0.82]
    """

    def __init__(self, *, k_db: float = 6.0, block_length: int = 0) -> None:
        super().__init__(block_length=block_length)
        self._set_k(k_db)


class RicianFast(RicianLaw, FastFading):
    """Rician fast fading: an independent gain for every symbol.

    Parameters
    ----------
    k_db
        Power of the line of sight relative to that of the scatter, -100 to 100 dB.

    Examples
    --------
    >>> RicianFast(k_db=0).coherence
    'fast'
    """

    def __init__(self, *, k_db: float = 6.0) -> None:
        self._set_k(k_db)


@functools.lru_cache(maxsize=1 << 14)  # SciPy takes a millisecond for it, and many are asked anew
def _gain_quantile(k: float, p: float) -> float:
    found = float(ncx2.ppf(p, 2, 2 * k)) / (2 * (k + 1))
    if math.isfinite(found):
        return found
    # SciPy's law fails far in the tails of a very strong line of sight, where it is Gaussian.
    return 1 + float(norm.ppf(p)) * math.sqrt(2 * k + 1) / (k + 1)
