"""Rayleigh fading as the public code of WITT and SwinJSCC has it: ``y_k = r_k·x_k + n_k``.

The gain r is real, positive, and drawn anew for every symbol: ``r = √(a² + b²)/√2`` with a and b
standard normal, hence a Rayleigh variable with ``E r² = 1`` and ``E r = √π/2``. Nobody equalises,
and the receiver is not told r (class ``Channel``, ``rayleigh_noise_layer`` of ``net/channel.py`` in
github.com/KeYang8/WITT at commit 50b1ed9).

The receiver of this model knows the mean and the variance of r: it gets the mean gain as ``h``, and
counts the rest of the gain as Gaussian noise, ``N0 + (1 - π/4)·|x|²``, in the mean over symbols of
power 1. The SNR of such a receiver ends at 5.6 dB, however little noise there is. QPSK is decoded
from signs and suffers less than that; the amplitudes of 16-QAM suffer fully. A receiver that is
told r has the channel ``rayleigh_fast``: for it, a rotation that it knows changes nothing.

Leaves out: the phase of a real channel, which the repositories take to be corrected; and a demapper
for the exact law of r. The variation of r lies along x and leaves its phase alone, so that with
``a = 1 + |x|²/N0`` and ``t = Re(y·x*)/(N0·√a)``, ``p(y|x) ∝ (1 + √π·t·exp(t²)·erfc(-t))/a``. A
receiver with these LLRs decodes 16-QAM of rate 1/2 at 11.3 dB, where this one needs some 14 dB.

References
----------
K. Yang et al., "WITT: A wireless image transmission transformer for semantic communications",
ICASSP 2023, arXiv:2211.00937.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import ChannelOutput, Coherence, add_noise, check_input, complex_normal

MEAN_GAIN = math.sqrt(math.pi) / 2
"""E r, of a Rayleigh variable with mean power 1."""
GAIN_VAR = 1 - math.pi / 4
"""The variance of r."""


class RayleighReal:
    """A real Rayleigh gain for every symbol, of which the receiver knows the mean and the variance.

    Examples
    --------
    >>> x = torch.ones(100_000, dtype=torch.complex64)
    >>> y, h, noise_var = RayleighReal()(x, 0.0, torch.Generator().manual_seed(0))
    >>> bool((y.real > 0).all()), bool((y.imag == 0).all())
    (True, True)
    >>> round(float(h[0].real), 3), round(float(noise_var), 3)
    (0.886, 0.215)
    """

    coherence: Coherence = "fast"
    estimated = True
    """The gain that the receiver gets is the mean, with an error that counts as noise."""

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        noise = check_input(x, noise_var)
        gains = complex_normal(x.shape, x, rng).abs().to(x.dtype)
        y, _, noise = add_noise(gains, x, noise, rng)
        return ChannelOutput(y, torch.full_like(x, MEAN_GAIN).detach(), noise + GAIN_VAR)
