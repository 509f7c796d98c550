"""Replay of measured gains: ``y = h·x + n`` with h from a file (:mod:`channels.models.trace_file`).

Every row of the trace lasts for ``hold`` symbols, and the last is followed by the first. Each
transmission starts at its own symbol, drawn uniformly over the replayed trace, so that the gain
has the empirical distribution at any time; or all start at the first. ``E|h|² = 1`` over the trace
unless ``normalise=false``, which interprets its values relative to the SNR of the link.

Leaves out: interpolation between rows, and the phase if the file only has dB (h is then real).
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels.base import Coherence, check_probability
from channels.errors import InputError
from channels.models.fading import Fading
from channels.models.trace_file import read_gains

STARTS = ("random", "first")
_MAX_HOLD = 10**9


def check_replay(hold: int, start: str) -> None:
    """Refuse, by name, invalid options of a replay."""
    if not 1 <= hold <= _MAX_HOLD or hold != int(hold):
        raise InputError(
            f"hold must be a whole number of symbols per row, 1 to {_MAX_HOLD}, got {hold}"
        )
    if start not in STARTS:
        raise InputError(f"start must be one of {', '.join(STARTS)}, got {start!r}")


def replay_rows(
    shape: torch.Size, num_times: int, num_rows: int, hold: int, start: str, rng: torch.Generator
) -> Tensor:
    """Return the trace's row at every time of every transmission: int64 ``(*shape, num_times)``."""
    num_starts = num_rows * hold if start == "random" else 1
    first = torch.randint(num_starts, (*shape, 1), device=rng.device, generator=rng)
    time = torch.arange(num_times, device=rng.device)
    return (first + time).div(hold, rounding_mode="floor") % num_rows


def autocorrelation(gains: NDArray[np.complex128], hold: int, lag: Tensor) -> Tensor:
    """Return ``E h(t+lag) h*(t)`` over a replay that starts anywhere.

    Parameters
    ----------
    gains
        complex128 (num_rows, ...); every column is a separate trace.
    hold
        Symbols per row.
    lag
        Lag in symbols, real, any shape.

    Returns
    -------
    Tensor
        complex128 ``(*lag.shape, ...)``. Linear between multiples of ``hold``.
    """
    rows = len(gains)
    spectrum = np.abs(np.fft.fft(gains, axis=0)) ** 2
    table = torch.from_numpy(np.fft.ifft(spectrum, axis=0) / rows)
    steps = lag.double().cpu() / hold
    whole = steps.floor()
    share = (steps - whole).reshape(*lag.shape, *[1] * (gains.ndim - 1))
    index = whole.long()
    return (1 - share) * table[index % rows] + share * table[(index + 1) % rows]


class Trace(Fading):
    r"""Measured gains from a file, in the order of the file.

    Parameters
    ----------
    file
        Path of a CSV or NPZ file; see :mod:`channels.models.trace_file`.
    hold
        Symbols per row, 1 to 10⁹.
    start
        ``"random"``: every transmission starts anywhere in the trace; ``"first"``: at its first
        row.
    normalise
        Whether to scale the gains to ``E|h|² = 1`` over the trace.

    Raises
    ------
    ValueError
        An unusable file, which the message names, or an option outside these ranges.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "gains.csv"
    ...     _ = path.write_text("gain_db\n0\n3\n-3\n")
    ...     trace = Trace(file=str(path), hold=2, start="first")
    >>> h = trace(torch.ones(6, dtype=torch.complex64), 0.0, torch.Generator()).h
    >>> (20 * (h / h[0]).abs().log10()).round().int().tolist()  # two symbols per row
    [0, 0, 3, 3, -3, -3]
    """

    coherence: Coherence = "varying"

    def __init__(
        self, *, file: str = "", hold: int = 1, start: str = "random", normalise: bool = True
    ) -> None:
        check_replay(hold, start)
        gains = read_gains(file)
        if gains.ndim != 1:
            raise InputError(
                f"trace file {file!r} has {gains.shape[1]} taps; a flat channel needs h of shape "
                "(time,), and ofdm:over=cir:file=PATH uses taps"
            )
        power = np.abs(gains) ** 2
        self.gains_in_time = gains / math.sqrt(power.mean()) if normalise else gains
        """The trace, complex128 (num_rows,)."""
        self.hold, self.start, self.normalised = int(hold), start, normalise

    @functools.cached_property
    def _sorted_powers(self) -> NDArray[np.float64]:
        return np.sort(np.abs(self.gains_in_time) ** 2)

    def _at(self, rows: Tensor, like: Tensor) -> Tensor:
        table = torch.from_numpy(self.gains_in_time).to(like.device, like.dtype)
        return table[rows.to(like.device)]

    def draw(self, shape: torch.Size, like: Tensor, rng: torch.Generator) -> Tensor:
        """Draw independent gains from the trace; see :class:`channels.models.fading.Fading`."""
        return self._at(
            torch.randint(len(self.gains_in_time), shape, device=rng.device, generator=rng), like
        )

    def gains(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Replay the trace, starting each transmission at its own row."""
        num_rows = len(self.gains_in_time)
        rows = replay_rows(x.shape[:-1], x.shape[-1], num_rows, self.hold, self.start, rng)
        return self._at(rows, x)

    def gain_quantile(self, p: float) -> float:
        """Return the quantile of ``|h|²`` at ``p`` in (0, 1): that of the trace, with steps."""
        check_probability(p)
        powers = self._sorted_powers
        return float(powers[math.ceil(p * len(powers)) - 1])

    def autocorrelation(self, lag: Tensor) -> Tensor:
        """Return ``E h(t+lag) h*(t)``, complex128, at lags in symbols, for random starts."""
        return autocorrelation(self.gains_in_time, self.hold, lag)
