"""A power amplifier that saturates: ``y = h·g(x) + n``, envelope clipping and the Rapp model.

``g(x) = x / (1 + (|x|/A)^{2p})^{1/(2p)}`` with ``A² = 10^(backoff_db/10)``.

The saturation amplitude A lies ``backoff_db`` (input back-off) above the mean power 1 of the
symbols. ``p`` is the smoothness: infinite for the soft limiter, which keeps the phase and cuts the
envelope at A; about 2 to 3 for solid-state amplifiers. The phase is unchanged (no AM/PM).

For symbols of a known law, ``g(x) = α·x + d`` with a distortion d that is uncorrelated with x
(Bussgang's decomposition):

``α = E[g(|x|)·|x|]``, ``σ_d² = E|d|² = E[g(|x|)²] - α²``, ``E|x|² = 1``.

The receiver knows the amplifier and that distribution but not the realisation: it is told ``α·h``
and ``N0 + σ_d²·|h|²``. By default the distribution is that of complex Gaussian symbols, as of
analog codecs. ``bits_per_symbol`` selects a QAM, whose peaks are lower: at a back-off above 2.55 dB
the soft limiter does not affect 16-QAM, which a receiver that assumes Gaussian symbols gets wrong.
The SNR is 1/N0 before the amplifier. The power that it removes, ``1 - α² - σ_d²``, is lost, and
nothing is scaled up again.

Symbols are clipped directly, as samples of a single carrier without pulse shaping. Leaves out:
memory, spectral regrowth, and OFDM, whose samples differ from its symbols.

References
----------
H. Ochiai, H. Imai, "Performance analysis of deliberately clipped OFDM signals", IEEE Trans. Commun.
50(1), 2002, DOI 10.1109/26.975762: α and σ_d² of the soft limiter.
C. Rapp, "Effects of HPA-nonlinearity on a 4-DPSK/OFDM-signal for a digital sound broadcasting
system", 2nd European Conf. Satellite Communications, Liège, 1991.
J. J. Bussgang, "Crosscorrelation functions of amplitude-distorted Gaussian signals", MIT Research
Laboratory of Electronics, Technical Report 216, 1952.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from scipy.special import roots_legendre
from torch import Tensor

from channels.base import Channel, ChannelOutput, Coherence, check_flat, check_input
from channels.catalogue import CHANNELS
from channels.errors import InputError
from channels.modulation import constellation
from channels.units import db_to_linear

# Below this amplitude the gain is 1, which keeps 0/0 out of the gradient.
_MIN_AMPLITUDE = 1e-30
_NUM_NODES = 256


def amplify(x: Tensor, saturation: float, smoothness: float) -> Tensor:
    """Apply the amplifier's ``g(x)`` to ``x``.

    Parameters
    ----------
    x
        Complex, any shape.
    saturation
        A, above 0.
    smoothness
        p, above 0; infinite for the soft limiter.

    Returns
    -------
    Tensor
        Shape and dtype of ``x``; no amplitude exceeds A.
    """
    amplitude = x.abs()
    if math.isinf(smoothness):
        return x * (saturation / amplitude.clamp(min=saturation))
    # Logarithms are used because a power of a peak would overflow.
    power = 2 * smoothness * (amplitude.clamp(min=_MIN_AMPLITUDE) / saturation).log()
    return x * (-torch.logaddexp(power, torch.zeros_like(power)) / (2 * smoothness)).exp()


def bussgang_gaussian(saturation: float, smoothness: float) -> tuple[float, float]:
    """Compute gain α and distortion power σ_d² for complex Gaussian symbols of mean power 1.

    The soft limiter has ``α = 1 - e^{-A²} + (√π/2)·A·erfc(A)`` and ``α² + σ_d² = 1 - e^{-A²}``. The
    Rapp model is integrated over ``r = |x|`` of density ``2r·e^{-r²}``, by Gauss-Legendre
    quadrature on both sides of the knee.

    Parameters
    ----------
    saturation, smoothness
        As for :func:`amplify`.
    """
    if math.isinf(smoothness):
        power = -math.expm1(-(saturation**2))
        alpha = power + math.sqrt(math.pi) / 2 * saturation * math.erfc(saturation)
        return alpha, max(power - alpha**2, 0.0)

    nodes, weights = roots_legendre(_NUM_NODES)
    # The knee lies at A; beyond 6.5 the density is below 1e-17.
    edges = (0.0, min(saturation, 6.0), 6.5)
    r = np.concatenate([low + (nodes + 1) * (high - low) / 2 for low, high in pairwise(edges)])
    weight = np.concatenate([weights * (high - low) / 2 for low, high in pairwise(edges)])
    weight *= 2 * r * np.exp(-(r**2))
    output = amplify(torch.from_numpy(r).to(torch.complex128), saturation, smoothness).real.numpy()
    alpha = float(weight @ (output * r))
    return alpha, max(float(weight @ output**2) - alpha**2, 0.0)


def bussgang_qam(saturation: float, smoothness: float, bits_per_symbol: int) -> tuple[float, float]:
    """Compute gain α and distortion power σ_d² for equally likely symbols of a QAM.

    Parameters
    ----------
    saturation, smoothness
        As for :func:`amplify`.
    bits_per_symbol
        1, 2, 4, 6 or 8.
    """
    amplitude = constellation(bits_per_symbol).abs().double()
    output = amplify(amplitude.to(torch.complex128), saturation, smoothness).real
    alpha = float((output * amplitude).mean())
    return alpha, max(float(output.square().mean()) - alpha**2, 0.0)


class Clipping:
    """A flat channel after an amplifier that saturates.

    Parameters
    ----------
    over
        A flat channel by name with options, several of them in quotes
        (``over="rician:k_db=9,block_length=100"``).
    backoff_db
        Input back-off, A² over the mean power 1, in dB, -30 to 60.
    smoothness
        p of the Rapp model, 0.1 to 100; ``inf`` for the soft limiter.
    bits_per_symbol
        Bits per symbol of the QAM that the receiver expects; 0: Gaussian symbols.

    Raises
    ------
    ValueError
        A value outside these ranges, or a channel that is not flat.

    Examples
    --------
    With a back-off of 0 dB, amplitudes are cut at 1:

    >>> x = torch.tensor([0.5, 2.0, -2j])
    >>> y = Clipping(backoff_db=0)(x, 0.0, torch.Generator()).y
    >>> bool(torch.allclose(y, torch.tensor([0.5, 1.0, -1j])))
    True
    """

    linear = False

    def __init__(
        self,
        *,
        over: str = "awgn",
        backoff_db: float = 3.0,
        smoothness: float = math.inf,
        bits_per_symbol: int = 0,
    ) -> None:
        if not -30 <= backoff_db <= 60:
            raise InputError(f"backoff_db must be between -30 and 60 dB, got {backoff_db}")
        if not (0.1 <= smoothness <= 100 or smoothness == math.inf):
            raise InputError(f"smoothness must be between 0.1 and 100, or inf, got {smoothness}")
        self.channel: Channel = CHANNELS.create(over)
        check_flat(self.channel, "clipping")
        # Without fading the gain is constant but not that of AWGN, which coherence "none" means.
        held = self.channel.coherence == "none"
        self.coherence: Coherence = "varying" if held else self.channel.coherence
        self.block_length: int = getattr(self.channel, "block_length", 0)
        """Block length of the underlying channel."""
        self.saturation: float = math.sqrt(db_to_linear(float(backoff_db)))
        """A, relative to the root mean square of the symbols."""
        self.smoothness = float(smoothness)
        self.alpha, self.distortion = (
            bussgang_qam(self.saturation, self.smoothness, bits_per_symbol)
            if bits_per_symbol
            else bussgang_gaussian(self.saturation, self.smoothness)
        )
        """Bussgang's gain α, and the power σ_d² of the distortion."""

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Returns
        -------
        ChannelOutput
            ``h`` includes α, and ``noise_var`` the distortion; both have the shape of ``x``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        check_input(x, noise_var)
        sent = amplify(x, self.saturation, self.smoothness)
        y, h, noise = self.channel(sent, noise_var, rng)
        distortion = self.distortion * (h.real.square() + h.imag.square())
        return ChannelOutput(y, self.alpha * h, noise + distortion)
