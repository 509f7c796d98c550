"""Frequency-selective channels as seen by OFDM: one gain per subcarrier and OFDM symbol.

``H(f, t) = Σ a_l(t) exp(-j 2π f τ_l)`` with path gains a_l and delays τ_l, and ``E|H|² = 1``. Such
a channel is not a :class:`~channels.base.Channel`, since its symbols overlap in time;
:class:`channels.ofdm.channel.Ofdm` turns it into one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from channels.base import Channel, check_flat
from channels.errors import InputError
from channels.models.carrier_error import CarrierError
from channels.models.jakes import Jakes
from channels.models.middleton import Middleton
from channels.models.phasors import phase_turns
from channels.models.trace import Trace


@dataclass(frozen=True)
class Grid:
    """Resource elements: OFDM symbols in time, subcarriers in frequency."""

    num_times: int
    """OFDM symbols, at least 1."""
    period_s: float
    """Duration of an OFDM symbol with its cyclic prefix, in seconds."""
    num_subcarriers: int
    spacing_hz: float
    """Subcarrier spacing in Hz."""

    @property
    def frequencies_hz(self) -> Tensor:
        """Frequencies relative to the carrier, float64 (num_subcarriers,), ascending."""
        index = torch.arange(self.num_subcarriers, dtype=torch.float64) - self.num_subcarriers // 2
        return index * self.spacing_hz


class Multipath(Protocol):
    """A channel with memory, wide-sense stationary in time and frequency."""

    max_delay_s: float
    """Delay of the last path in seconds; that of the first is 0."""

    def frequency_response(
        self, shape: torch.Size, grid: Grid, like: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Draw the gains of independent transmissions.

        Parameters
        ----------
        shape
            Number of transmissions along each leading axis.
        grid
            Resource elements whose gains are drawn.
        like
            Complex tensor that sets the type and device of the result.
        rng
            Source of the fading.

        Returns
        -------
        Tensor
            Complex ``(*shape, num_times, num_subcarriers)``, ``E|H|² = 1``.
        """
        ...

    def correlation(self, frequency_hz: Tensor, time_s: Tensor) -> Tensor:
        """Return ``E H(f + frequency_hz, t + time_s) H*(f, t)``.

        Parameters
        ----------
        frequency_hz, time_s
            Differences, float64, broadcastable to each other.

        Returns
        -------
        Tensor
            complex128, their common shape.
        """
        ...


def response(gains: Tensor, delays_s: Tensor, grid: Grid) -> Tensor:
    """Convert path gains into the gains of resource elements.

    Parameters
    ----------
    gains
        Complex (..., num_paths, num_times).
    delays_s
        float64 (num_paths,), in seconds.
    grid
        Resource elements; ``num_times`` as in ``gains``.

    Returns
    -------
    Tensor
        Complex (..., num_times, num_subcarriers).
    """
    turns = phase_turns(-delays_s[:, None] * grid.frequencies_hz)
    return gains.transpose(-1, -2) @ turns.to(gains.device, gains.dtype)


class Flat:
    """A flat channel that fades between OFDM symbols, equally on all subcarriers.

    Parameters
    ----------
    channel
        The flat channel. Its "symbol" is an OFDM symbol: block lengths and Doppler refer to it.
    period_s
        Duration of an OFDM symbol with its cyclic prefix, in seconds.

    Raises
    ------
    ValueError
        A channel that is itself OFDM or the like, that does not report an error of its gain to the
        receiver, whose noise is not Gaussian, or whose ``E|h|²`` is not 1.
    """

    max_delay_s = 0.0

    def __init__(self, channel: Channel, *, period_s: float) -> None:
        check_flat(channel, "OFDM")
        if getattr(channel, "mismatched", False):
            raise InputError(
                f"OFDM uses the gain that {type(channel).__name__} reports, and would lose the "
                "error that it does not report"
            )
        if isinstance(channel, Middleton):
            raise InputError("OFDM adds Gaussian noise, and would lose the impulses of middleton")
        if isinstance(channel, Trace) and not channel.normalised:
            raise InputError("OFDM needs gains with E|h|² = 1: set normalise=true for trace")
        self.channel = channel
        self.period_s = period_s

    def frequency_response(
        self, shape: torch.Size, grid: Grid, like: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Draw gains; see :class:`Multipath`."""
        ones = torch.ones((*shape, grid.num_times), dtype=like.dtype, device=like.device)
        h = self.channel(ones, 0.0, rng).h
        return h[..., None].expand(*h.shape, grid.num_subcarriers)

    def correlation(self, frequency_hz: Tensor, time_s: Tensor) -> Tensor:
        """Return the correlation; see :class:`Multipath`.

        Raises
        ------
        ValueError
            A gain that changes abruptly, so that pilots at other times carry no information.
        """
        lag = time_s / self.period_s + 0 * frequency_hz
        if isinstance(self.channel, Jakes | Trace):
            return self.channel.autocorrelation(lag).to(torch.complex128)
        held = self.channel.coherence == "none" or getattr(self.channel, "block_length", None) == 0
        if isinstance(self.channel, CarrierError):
            raise InputError(
                "the gain of a carrier error turns from symbol to symbol and cannot be estimated "
                "from pilots: use estimation=perfect"
            )
        if not held:
            raise InputError(
                f"the gain of {type(self.channel).__name__} changes abruptly and cannot be "
                "estimated from pilots: use estimation=perfect, block_length=0 or jakes"
            )
        return torch.ones_like(lag, dtype=torch.complex128)
