"""Impulsive noise of Middleton's class A: ``y = x + n``, ``h = 1``.

Each symbol encounters ``m ~ Poisson(A)`` interferers, which cause Gaussian noise of variance

    σ_m² = N0 · (m/A + Γ) / (1 + Γ)

so that the mean variance is N0. ``A`` is the impulsive index: the smaller it is, the rarer and the
stronger are the impulses; many impulses make the noise Gaussian again. ``Γ`` is the ratio of
Gaussian to impulsive power. Both parts of the complex noise share m (a circular mixture).

The receiver is told N0 alone, like one without a model of impulses, so that its LLRs are those of
Gaussian noise; ``state_known=true`` tells it ``σ_m²`` of every symbol. Links choose their scheme
as if the noise were Gaussian. Symbols are independent: impulses do not last for several symbols.

References
----------
D. Middleton, "Statistical-physical models of electromagnetic interference", IEEE Trans.
Electromagn. Compat. 19(3), 1977, DOI 10.1109/TEMC.1977.303527.
A. D. Spaulding, D. Middleton, "Optimum reception in an impulsive interference environment, part
I", IEEE Trans. Commun. 25(9), 1977, DOI 10.1109/TCOM.1977.1093943.
"""

from __future__ import annotations

import torch
from torch import Tensor

from channels.base import ChannelOutput, Coherence, check_input, draw_noise
from channels.errors import InputError


class Middleton:
    """Middleton's class A noise.

    Parameters
    ----------
    a
        Impulsive index, 1e-6 to 1000.
    gamma
        Power of the Gaussian part over that of the impulses, 1e-6 to 1e6.
    state_known
        Whether the receiver knows the noise variance of every symbol.

    Raises
    ------
    ValueError
        ``a`` or ``gamma`` outside these ranges.

    Examples
    --------
    The noise of most symbols is far below the mean of 0.1, which rare impulses make up for:

    >>> x = torch.ones(100_000, dtype=torch.complex64)
    >>> y = Middleton()(x, 0.1, torch.Generator().manual_seed(0)).y
    >>> power = (y - x).abs().square()
    >>> round(float(power.mean()), 1), bool(power.median() < 0.01)
    (0.1, True)
    """

    coherence: Coherence = "none"

    def __init__(self, *, a: float = 0.1, gamma: float = 0.1, state_known: bool = False) -> None:
        if not 1e-6 <= a <= 1e3:
            raise InputError(f"a must be an impulsive index between 1e-6 and 1000, got {a}")
        if not 1e-6 <= gamma <= 1e6:
            raise InputError(f"gamma must be a ratio of powers between 1e-6 and 1e6, got {gamma}")
        self.a, self.gamma = float(a), float(gamma)
        self.state_known = self.noise_varies = state_known

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of mean variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        rate = torch.full(x.shape, self.a, dtype=torch.float64, device=rng.device)
        impulses = torch.poisson(rate, generator=rng)
        spread = (impulses / self.a + self.gamma) / (1 + self.gamma)
        per_symbol = spread.to(x.device, noise.dtype)
        drawn = draw_noise(x, noise, rng) * per_symbol.sqrt()
        h = x.detach().new_ones(()).expand(x.shape)
        return ChannelOutput(x + drawn, h, noise * per_symbol if self.state_known else noise)
