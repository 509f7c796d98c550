"""Replay of measured channel impulse responses, for OFDM: ``ofdm:over=cir:file=PATH``.

``H(f, t) = Σ h_l(t) exp(-j 2π f τ_l)`` with taps ``h`` (time, taps) and their ``delay_s`` from an
NPZ file (:mod:`channels.models.trace_file`). A row lasts for ``hold`` OFDM symbols; replay and
starting points are those of :mod:`channels.models.trace`. The first delay is set to 0, and the mean
powers of the taps are scaled to a sum of 1, so that ``E|H|² = 1`` in the mean over trace and
frequency.

Estimators are given the correlation of independently fading taps, ``Σ R_l(Δt) exp(-j 2π Δf τ_l)``.
The taps of a file may be correlated, so it is exact only in the mean over frequency.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from channels.errors import InputError
from channels.models.phasors import phase_turns
from channels.models.trace import autocorrelation, check_replay, replay_rows
from channels.models.trace_file import read_delays, read_gains
from channels.ofdm.multipath import Grid, response


class TraceCir:
    """Measured impulse responses from a file, in the order of the file.

    Parameters
    ----------
    period_s
        Duration of an OFDM symbol with its cyclic prefix, in seconds.
    file
        Path of an NPZ file with ``h`` (time, taps) and ``delay_s`` (taps,).
    hold
        OFDM symbols per row, at least 1.
    start
        ``"random"`` or ``"first"``; see :class:`channels.models.trace.Trace`.

    Raises
    ------
    ValueError
        An unusable file, which the message names, or an option outside these ranges.
    """

    def __init__(
        self, *, period_s: float, file: str = "", hold: int = 1, start: str = "random"
    ) -> None:
        check_replay(hold, start)
        taps = read_gains(file)
        if taps.ndim != 2:
            raise InputError(
                f"trace file {file!r} must have h of shape (time, taps), got {taps.shape}; "
                "use ofdm:over=trace:file=PATH for a flat channel"
            )
        self.delays_s = torch.from_numpy(read_delays(file, taps.shape[1]))
        """Delay of each tap in seconds, float64 (num_taps,); the smallest is 0."""
        self.taps = taps / math.sqrt(np.square(np.abs(taps)).sum(axis=1).mean())
        """The trace, complex128 (num_rows, num_taps)."""
        self.max_delay_s = float(self.delays_s.max())
        self.period_s, self.hold, self.start = period_s, int(hold), start

    def frequency_response(
        self, shape: torch.Size, grid: Grid, like: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Draw gains; see :class:`channels.ofdm.multipath.Multipath`."""
        rows = replay_rows(shape, grid.num_times, len(self.taps), self.hold, self.start, rng)
        table = torch.from_numpy(self.taps).to(like.device, like.dtype)
        return response(table[rows.to(like.device)].transpose(-1, -2), self.delays_s, grid)

    def correlation(self, frequency_hz: Tensor, time_s: Tensor) -> Tensor:
        """Transform the autocorrelation of the taps; see :class:`~.multipath.Multipath`."""
        lag = time_s / self.period_s + 0 * frequency_hz
        turns = phase_turns(-frequency_hz[..., None] * self.delays_s)
        return (autocorrelation(self.taps, self.hold, lag) * turns).sum(dim=-1)
