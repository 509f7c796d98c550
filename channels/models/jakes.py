"""Rayleigh fading of a moving receiver: ``h ~ CN(0, 1)`` with Clarke's autocorrelation.

``E h(t+τ) h*(t) = J0(2π f_D τ)`` for waves that arrive from all directions (Jakes' Doppler
spectrum). A realisation is a sum of ``N = 32`` waves

    h(t) = Σ a_n exp(j 2π f_D t cos α_n),   a_n ~ CN(0, 1/N),   α_n = 2π (n + u_n) / N

with independent uniform ``u_n`` in [0, 1). The strata of the angles cover the circle, so that the
ensemble autocorrelation is exact; the amplitudes are Gaussian, so that every h(t) is exactly
CN(0, 1). (For waves of fixed amplitude, the usual choice, this only holds for many waves.) Given
the angles, h is a Gaussian process. The joint distribution at several times is a mixture of such
processes, which is close to Gaussian for 32 waves.

References
----------
R. H. Clarke, "A statistical theory of mobile-radio reception", Bell Syst. Tech. J. 47(6), 1968,
DOI 10.1002/j.1538-7305.1968.tb00069.x.
Y. R. Zheng, C. Xiao, "Simulation models with correct statistical properties for Rayleigh fading
channels", IEEE Trans. Commun. 51(6), 2003, DOI 10.1109/TCOMM.2003.813259: random angles in strata.
"""

from __future__ import annotations

import math

import torch
from scipy.special import j0
from torch import Tensor

from channels.base import Coherence, complex_normal
from channels.errors import InputError
from channels.models.rayleigh import RayleighLaw

_NUM_WAVES = 32


def waves(frequency: Tensor, num_times: int) -> Tensor:
    """Return ``exp(j 2π f t)`` at ``t = 0, 1, … num_times - 1``, as two factors.

    Since ``exp(j 2π f (B·k + b)) = exp(j 2π f B·k) · exp(j 2π f b)``, only ``2√num_times``
    exponentials have to be computed.

    Parameters
    ----------
    frequency
        Cycles per step, float64 (..., num_waves); in single precision long phases would drift.
    num_times
        Steps, at least 1.

    Returns
    -------
    Tensor
        The factors in k and in b, complex128 (2, ..., num_waves, ⌈√num_times⌉).
    """
    root = math.isqrt(num_times - 1) + 1
    steps = torch.arange(root, dtype=torch.float64, device=frequency.device)
    cycles = torch.stack([frequency[..., None] * (root * steps), frequency[..., None] * steps])
    cycles = 2 * math.pi * cycles.frac()
    return torch.polar(torch.ones_like(cycles), cycles)


def jakes_process(
    shape: torch.Size, num_times: int, doppler: float, like: Tensor, rng: torch.Generator
) -> Tensor:
    """Draw independent realisations of the process.

    Parameters
    ----------
    shape
        Number of realisations along each leading axis.
    num_times
        Length of each realisation, at least 1.
    doppler
        Maximum Doppler shift in cycles per step, at least 0; 0 keeps each gain constant.
    like
        Complex tensor that sets the type and device of the result.
    rng
        Source of angles and amplitudes.

    Returns
    -------
    Tensor
        Complex ``(*shape, num_times)``.
    """
    if doppler == 0:
        return complex_normal(shape, like, rng)[..., None].repeat_interleave(num_times, dim=-1)
    size = torch.Size((*shape, _NUM_WAVES))
    jitter = torch.rand(size, dtype=torch.float64, device=rng.device, generator=rng)
    angle = (torch.arange(_NUM_WAVES, device=rng.device) + jitter) * (2 * math.pi / _NUM_WAVES)
    amplitude = complex_normal(size, like, rng) * _NUM_WAVES**-0.5
    coarse, fine = waves((doppler * angle.cos()).to(like.device), num_times).to(like.dtype)
    h: Tensor = (amplitude[..., None] * coarse).transpose(-1, -2) @ fine
    return h.flatten(-2)[..., :num_times]


class Jakes(RayleighLaw):
    """Rayleigh fading with Clarke's autocorrelation in time.

    Parameters
    ----------
    doppler
        Maximum Doppler shift times the symbol duration, ``f_D·T_s``, in (0, 0.5).

    Raises
    ------
    ValueError
        ``doppler`` outside (0, 0.5).

    Examples
    --------
    The autocorrelation is the Bessel function J0(2π·doppler·lag), with its first zero at 2.405:

    >>> import math
    >>> first_zero = torch.tensor(2.405 / (2 * math.pi * 0.01))
    >>> abs(float(Jakes(doppler=0.01).autocorrelation(first_zero))) < 1e-3
    True
    """

    coherence: Coherence = "varying"

    def __init__(self, *, doppler: float = 0.01) -> None:
        if not 0 < doppler < 0.5:
            raise InputError(f"doppler must be in (0, 0.5) cycles per symbol, got {doppler}")
        self.doppler = float(doppler)

    def gains(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Draw one realisation per transmission."""
        return jakes_process(x.shape[:-1], x.shape[-1], self.doppler, x, rng)

    def autocorrelation(self, lag: Tensor) -> Tensor:
        """Return ``E h(t+lag) h*(t)``, float64, at lags in symbols."""
        return torch.as_tensor(j0(2 * math.pi * self.doppler * lag.double().cpu().numpy()))
