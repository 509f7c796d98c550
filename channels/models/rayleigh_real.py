"""Rayleigh fading as the public code of WITT and SwinJSCC has it: ``y_k = r_k·x_k + n_k``.

The gain r is real, positive, and drawn anew for every symbol: ``r = √(a² + b²)/√2`` with a and b
standard normal, hence a Rayleigh variable with ``E r² = 1`` and ``E r = √π/2``. Nobody equalises,
and the receiver is not told r (class ``Channel``, ``rayleigh_noise_layer`` of ``net/channel.py`` in
github.com/KeYang8/WITT at commit 50b1ed9).

The receiver knows the law of r, and no value of it. Two kinds of receivers use that:

- One of bits computes the exact LLRs. The variation of r lies along x and leaves its phase alone,
  so that with ``a = 1 + |x|²/N0`` and ``t = Re(y·x*)/(N0·√a)`` ::

      p(y|x) ∝ (1 + √π·t·exp(t²)·erfc(-t)) / a

  which is the integral of ``2r·exp(-r²)·exp(-|y - r·x|²/N0)`` over r. The sender chooses schemes
  by the mutual information of these LLRs.
- One of analog symbols gets the mean gain as ``h``, and counts the rest of the gain as Gaussian
  noise, ``N0 + (1 - π/4)·|x|²``, in the mean over symbols of power 1. The SNR of such a receiver
  ends at 5.6 dB, however little noise there is.

A receiver that is told r has the channel ``rayleigh_fast``: for it, a rotation that it knows
changes nothing.

Leaves out: the phase of a real channel, which the repositories take to be corrected.

References
----------
K. Yang et al., "WITT: A wireless image transmission transformer for semantic communications",
ICASSP 2023, arXiv:2211.00937.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from channels.base import ChannelOutput, Coherence, add_noise, check_input, complex_normal
from channels.modulation import constellation, modulate
from channels.units import noise_var_from_snr_db

MEAN_GAIN = math.sqrt(math.pi) / 2
"""E r, of a Rayleigh variable with mean power 1."""
GAIN_VAR = 1 - math.pi / 4
"""The variance of r."""

_LEAST_NOISE = 1e-5  # N0 below which LLRs are held constant; float32 resolves it beside GAIN_VAR
_NODES = 4096  # of the table of _log_law
_CHUNK = 1 << 12  # symbols whose likelihoods are computed at once
_SAMPLES = 1 << 16  # symbols that measure the information, to ±0.02 dB


class RayleighRealOutput(ChannelOutput):
    """Symbols with a real Rayleigh gain each, and the mean gain and all that is not the mean."""

    def llr(self, bits_per_symbol: int) -> Tensor:
        """Compute exact LLRs, float32 (..., num_symbols · bits_per_symbol), clipped to ±87.

        Examples
        --------
        >>> bits = torch.tensor([0, 1, 1, 0], dtype=torch.uint8)
        >>> received = RayleighReal()(modulate(bits, 4), 0.0, torch.Generator().manual_seed(0))
        >>> (received.llr(4)[:2] > 0).tolist()  # the signs are sure, the amplitudes are not
        [False, True]
        """
        y, _, total = self
        noise = (total.detach() - GAIN_VAR).clamp_min(_LEAST_NOISE).expand(y.shape).reshape(-1, 1)
        parts = torch.view_as_real(y.detach().resolve_conj()).reshape(-1, 2)
        some = [slice(start, start + _CHUNK) for start in range(0, len(parts), _CHUNK)]
        llrs = [_llr(parts[one].float(), noise[one].float(), bits_per_symbol) for one in some]
        return torch.cat(llrs).reshape(*y.shape[:-1], y.shape[-1] * bits_per_symbol)


def _llr(y: Tensor, noise: Tensor, bits_per_symbol: int) -> Tensor:
    """Compute LLRs (n, bits) of symbols (n, 2), real and imaginary part, under N0 (n, 1)."""
    points = torch.view_as_real(constellation(bits_per_symbol)).to(y.device)
    spread = 1 + points.square().sum(dim=-1) / noise
    t = y @ points.T / (noise * spread.sqrt())
    log = _log_law(t) - spread.log()
    likelihood = (log - log.amax(dim=-1, keepdim=True)).exp()
    index = torch.arange(len(points), device=y.device).unsqueeze(-1)
    labels = (index >> torch.arange(bits_per_symbol - 1, -1, -1, device=y.device)) & 1
    ones, zeros = (likelihood @ (labels == bit).to(likelihood) for bit in (1, 0))
    tiny = torch.finfo(likelihood.dtype).tiny
    return ones.clamp_min(tiny).log() - zeros.clamp_min(tiny).log()


def _log_law(t: Tensor) -> Tensor:
    """Compute ``log(1 + √π·t·exp(t²)·erfc(-t))``, without overflow or cancellation.

    With ``u = |t|`` and ``c = 1 - √π·u·erfcx(u)``, it is ``log c`` for negative t, and
    ``u² + log(c·exp(-u²) + 2√π·u)`` otherwise. ``log c + log(1 + 2u²)`` is smooth and stays within
    0.4; it is interpolated in a table over ``u/(1 + u)``.
    """
    u = t.abs()
    table = _table().to(t)
    place = (u / (1 + u) * _NODES).clamp_max(_NODES - 1)
    index = place.long()
    at = table[index]
    log_c = at + (table[index + 1] - at) * (place - index) - torch.log1p(2 * u * u)
    above = u * u + ((log_c - u * u).exp() + 2 * math.sqrt(math.pi) * u).log()
    return torch.where(t < 0, log_c, above)


@functools.cache
def _table() -> Tensor:
    """Return ``log c + log(1 + 2u²)`` of :func:`_log_law` at u/(1 + u) = 0, 1/4096, … 1."""
    place = torch.arange(_NODES, dtype=torch.float64) / _NODES
    u = place / (1 - place)
    c = 1 - math.sqrt(math.pi) * u * torch.special.erfcx(u)
    return torch.cat([c.log() + torch.log1p(2 * u * u), torch.zeros(1, dtype=torch.float64)])


class RayleighReal:
    """A real Rayleigh gain for every symbol, of which the receiver knows the law alone.

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
        return RayleighRealOutput(y, torch.full_like(x, MEAN_GAIN).detach(), noise + GAIN_VAR)

    def information(self, bits_per_symbol: int, snr_db: float) -> float:
        """Return the mutual information of the exact LLRs, in bits per symbol; see above.

        It is measured on 65,536 symbols from a fixed seed: the mean of ``1 - log2(1 + exp(∓LLR))``
        over the bits.

        Examples
        --------
        >>> channel = RayleighReal()
        >>> [round(channel.information(bits, 11.3), 1) for bits in (2, 4, 6)]
        [1.8, 2.4, 2.3]
        """
        return _information(bits_per_symbol, snr_db)


@functools.lru_cache(maxsize=256)
def _information(bits_per_symbol: int, snr_db: float) -> float:
    rng = torch.Generator().manual_seed(0)
    bits = torch.randint(2, (_SAMPLES * bits_per_symbol,), generator=rng, dtype=torch.uint8)
    received = RayleighReal()(modulate(bits, bits_per_symbol), noise_var_from_snr_db(snr_db), rng)
    against = torch.where(bits == 1, -1.0, 1.0) * received.llr(bits_per_symbol)
    lost = torch.nn.functional.softplus(against).double().mean() / math.log(2)
    return bits_per_symbol * max(0.0, 1 - float(lost))
