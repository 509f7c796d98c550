"""Carrier frequency and phase errors over a flat channel: ``y_k = h_k·x_k·exp(jθ_k) + n_k``.

    θ_k = 2π·cfo·k + φ + w_k,   w_0 = 0,   w_{k+1} - w_k ~ N(0, 2π·linewidth)

The frequency offset ``cfo`` is in cycles per symbol. The phase φ is fixed, or uniform for every
transmission. The phase noise w is the Wiener process of free-running oscillators, whose carrier has
a Lorentzian spectrum; ``linewidth`` is its full width at half maximum (of sender and receiver
together) times the symbol duration.

The receiver is told the h of the underlying channel but not θ, so that ``y - h·x`` contains
``h·x·(exp(jθ) - 1)`` besides the noise; ``known=true`` tells it both. The use of pilots is left to
the receiver (:mod:`channels.packets.pilots`). ``E|h|² = 1`` as without the error.

Leaves out: the rotation within a symbol, with its loss of power (``sinc² cfo``) and intersymbol
interference; timing errors; noise that is not white in frequency, such as that of a locked loop.

References
----------
T. Pollet, M. Van Bladel, M. Moeneclaey, "BER sensitivity of OFDM systems to carrier frequency
offset and Wiener phase noise", IEEE Trans. Commun. 43(2/3/4), 1995, DOI 10.1109/26.380034.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from channels.base import Channel, ChannelOutput, Coherence, check_flat, check_input
from channels.catalogue import CHANNELS
from channels.errors import InputError
from channels.models.phasors import phase_turns


class CarrierError:
    """A flat channel with a carrier frequency and phase error.

    Parameters
    ----------
    over
        A flat channel by name with options, several of them in quotes
        (``over="rician:k_db=9,block_length=100"``).
    cfo
        Frequency offset in cycles per symbol, -0.5 to 0.5.
    phase_deg
        Phase at the first symbol in degrees, -360 to 360.
    random_phase
        Whether to add a uniform phase, one per transmission.
    linewidth
        Linewidth of the oscillators times the symbol duration, 0 to 1.
    known
        Whether ``h`` includes the error.

    Raises
    ------
    ValueError
        A value outside these ranges, or a channel that is not flat.

    Examples
    --------
    A quarter of a cycle per symbol turns each symbol by 90° more:

    >>> x = torch.ones(4, dtype=torch.complex64)
    >>> y = CarrierError(cfo=0.25)(x, 0.0, torch.Generator()).y
    >>> bool(torch.allclose(y, torch.tensor([1, 1j, -1, -1j]), atol=1e-6))
    True
    """

    coherence: Coherence = "varying"

    def __init__(
        self,
        *,
        over: str = "awgn",
        cfo: float = 1e-4,
        phase_deg: float = 0.0,
        random_phase: bool = False,
        linewidth: float = 0.0,
        known: bool = False,
    ) -> None:
        if not -0.5 <= cfo <= 0.5:
            raise InputError(f"cfo must be between -0.5 and 0.5 cycles per symbol, got {cfo}")
        if not -360 <= phase_deg <= 360:
            raise InputError(f"phase_deg must be between -360 and 360 degrees, got {phase_deg}")
        if not 0 <= linewidth <= 1:
            raise InputError(f"linewidth must be between 0 and 1 per symbol, got {linewidth}")
        self.channel: Channel = CHANNELS.create(over)
        check_flat(self.channel, "a carrier error")
        self.block_length: int = getattr(self.channel, "block_length", 0)
        """Block length of the underlying channel, which determines the layout of pilots."""
        self.cfo, self.phase_deg, self.linewidth = float(cfo), float(phase_deg), float(linewidth)
        self.random_phase, self.known = random_phase, known
        self.mismatched = not known or getattr(self.channel, "mismatched", False)
        """Whether the receiver is left unaware of a part of the gain."""

    def __call__(self, x: Tensor, noise_var: float | Tensor, rng: torch.Generator) -> ChannelOutput:
        """Send ``x``, complex (..., num_symbols), with noise of total variance ``noise_var``.

        Raises
        ------
        ValueError
            Symbols that are real, empty or not finite; noise that is negative or not finite.
        """
        check_input(x, noise_var)
        turns = self._draw_turns(x, rng)
        # For a flat channel, rotating the input equals rotating the output.
        y, h, noise = self.channel(x * turns, noise_var, rng)
        return ChannelOutput(y, h * turns if self.known else h, noise)

    def _draw_turns(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Draw ``exp(jθ)``, broadcastable to ``x``, in double precision against phase drift."""
        num_symbols = x.shape[-1]
        time = torch.arange(num_symbols, dtype=torch.float64, device=rng.device)
        cycles = (self.cfo * time).frac() + self.phase_deg / 360
        if self.random_phase:
            cycles = cycles + torch.rand(
                (*x.shape[:-1], 1), dtype=torch.float64, device=rng.device, generator=rng
            )
        if self.linewidth:
            steps = torch.randn(x.shape, dtype=torch.float64, device=rng.device, generator=rng)
            steps[..., 0] = 0
            cycles = cycles + steps.cumsum(dim=-1) * math.sqrt(self.linewidth / (2 * math.pi))
        return phase_turns(cycles).to(x.device, x.dtype)
