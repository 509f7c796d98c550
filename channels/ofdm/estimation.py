"""Channel estimation for OFDM: from the gains at the pilots to those at the data.

At a pilot of unit power the receiver reads ``p = H + n``, ``n ~ CN(0, N0)``. Both estimators are
linear in the P pilots of one slot, ``ĥ = W p``; the error ``e = h - ĥ`` has the variance

    σ² = E|e|² = R(0) - 2 Re(W r) + W (R + N0 I) Wᴴ

where R is the covariance of the pilots' gains and r that of them with the one sought. On data of
unit power the error acts as further noise, ``y = ĥ x + (e x + n)``, so that the receiver counts
with ``N0 + σ²``. It knows the statistics (power delay profile, Doppler, N0), never the realisation.

Leaves out: interpolation between slots, boosted pilots, estimates that learn from the data.

References
----------
O. Edfors, M. Sandell, J.-J. van de Beek, S. K. Wilson, P. O. Börjesson, "OFDM channel estimation by
singular value decomposition", IEEE Trans. Commun. 46(7), 1998, DOI 10.1109/26.701321.
B. Hassibi, B. M. Hochwald, "How much training is needed in multiple-antenna wireless links?", IEEE
Trans. Inf. Theory 49(4), 2003, DOI 10.1109/TIT.2003.809594: the error as noise.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from channels.ofdm.multipath import Grid, Multipath

# Eigenvalues of the covariance below this share of its trace are rounding.
_NEGLIGIBLE = 1e-12


class Estimator(Protocol):
    """A linear estimator for one slot."""

    def __call__(self, pilots: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate the gains at the data.

        Parameters
        ----------
        pilots
            Received pilots over what was sent, complex (..., num_pilots), time first.
        noise
            N0, real, broadcastable to (..., 1).

        Returns
        -------
        tuple
            ĥ, complex (..., num_data), and the variance of its error, real, broadcastable to it.
        """
        ...


class Layout:
    """Where pilots and data lie in a slot.

    Parameters
    ----------
    num_times, num_subcarriers
        Size of the slot.
    pilot_times
        OFDM symbols with pilots, rising.
    pilot_step
        Every which subcarrier of these is a pilot, from the first on; 1: all of them.
    """

    def __init__(
        self, num_times: int, num_subcarriers: int, pilot_times: list[int], pilot_step: int
    ) -> None:
        self.num_times, self.num_subcarriers = num_times, num_subcarriers
        self.pilot_times = pilot_times
        self.pilot_carriers = list(range(0, num_subcarriers, pilot_step))
        is_pilot = torch.zeros(num_times, num_subcarriers, dtype=torch.bool)
        for time in pilot_times:
            is_pilot[time, self.pilot_carriers] = True
        self.pilots = is_pilot.flatten().nonzero().flatten()
        """Indices of the pilots in the flattened slot, frequency fastest, rising."""
        self.data = (~is_pilot).flatten().nonzero().flatten()
        """Indices of the data."""


def _covariances(multipath: Multipath, grid: Grid, layout: Layout) -> tuple[Tensor, Tensor]:
    """R between pilots, (P, P), and r between data and pilots, (D, P); complex128."""
    num_times, num_carriers = layout.num_times, layout.num_subcarriers
    in_time = torch.arange(1 - num_times, num_times, dtype=torch.float64) * grid.period_s
    in_frequency = torch.arange(1 - num_carriers, num_carriers, dtype=torch.float64)
    table = multipath.correlation(in_frequency * grid.spacing_hz, in_time[:, None])

    def between(a: Tensor, b: Tensor) -> Tensor:
        time = a[:, None] // num_carriers - b // num_carriers
        frequency = a[:, None] % num_carriers - b % num_carriers
        return table[time + num_times - 1, frequency + num_carriers - 1]

    return between(layout.pilots, layout.pilots), between(layout.data, layout.pilots)


class Lmmse:
    """The linear estimator of least mean square error, in time and frequency jointly.

    ``W = r (R + N0 I)⁻¹``, from the eigenvectors of R, so that one decomposition serves every N0;
    the few that matter, as the delay spread is short, make it cheap as well. The error is
    uncorrelated with the estimate. Gains with a mean other than 0 (rician) are taken for scatter.

    Parameters
    ----------
    multipath, grid, layout
        Statistics of the channel and where the pilots lie.
    """

    def __init__(self, multipath: Multipath, grid: Grid, layout: Layout) -> None:
        pilots, cross = _covariances(multipath, grid, layout)
        values, vectors = torch.linalg.eigh(pilots)
        matters = values > _NEGLIGIBLE * len(values)
        self.values = values[matters]
        self.analysis = vectors[:, matters].conj()
        self.synthesis = cross @ vectors[:, matters]

    def __call__(self, pilots: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Estimator`."""
        device, dtype = pilots.device, pilots.dtype
        shrink = 1 / (self.values.to(device) + noise.double())
        projected = pilots @ self.analysis.to(device, dtype)
        synthesis = self.synthesis.to(device)
        estimate = (projected * shrink.to(noise.dtype)) @ synthesis.to(dtype).T
        error = 1 - shrink @ synthesis.abs().square().T
        return estimate, error.clamp(min=0).to(noise.dtype)


class LeastSquares:
    """The pilots as they come, joined by straight lines over frequency, then over time.

    Outside the outermost pilots the nearest is held. The receiver needs no statistics to estimate,
    only to know how far the estimate is to be trusted. The error is correlated with the estimate,
    which the sum ``N0 + σ²`` leaves out, as receivers do.

    Parameters
    ----------
    multipath, grid, layout
        Statistics of the channel and where the pilots lie.
    """

    def __init__(self, multipath: Multipath, grid: Grid, layout: Layout) -> None:
        in_time = _straight_lines(layout.pilot_times, layout.num_times)
        in_frequency = _straight_lines(layout.pilot_carriers, layout.num_subcarriers)
        self.weights = torch.kron(in_time, in_frequency)[layout.data]
        pilots, cross = _covariances(multipath, grid, layout)
        weights = self.weights.to(torch.complex128)
        quadratic = ((weights @ pilots) * weights).sum(dim=-1).real
        self.interpolation_error = 1 - 2 * (weights * cross).sum(dim=-1).real + quadratic
        self.noise_gain = self.weights.square().sum(dim=-1)

    def __call__(self, pilots: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Estimator`."""
        device, dtype = pilots.device, pilots.dtype
        estimate = pilots @ self.weights.to(device, dtype).T
        error = self.interpolation_error.to(device) + noise * self.noise_gain.to(device)
        return estimate, error.clamp(min=0).to(noise.dtype)


def _straight_lines(knots: list[int], length: int) -> Tensor:
    """Matrix (length, num_knots) of linear interpolation from ``knots`` to ``0 … length - 1``."""
    rows = [np.interp(np.arange(length), knots, unit) for unit in np.eye(len(knots))]
    return torch.from_numpy(np.stack(rows, axis=1))
