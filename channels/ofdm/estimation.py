"""Channel estimation for OFDM: gains of the data from received pilots.

At a pilot of unit power the receiver observes ``p = H + n``, ``n ~ CN(0, N0)``. Both estimators are
linear in the P pilots of a slot, ``ĥ = W p``. The error ``e = h - ĥ`` has the variance

    σ² = E|e|² = R(0) - 2 Re(W r) + W (R + N0 I) Wᴴ

where R is the covariance of the gains at the pilots, and r their covariance with the gain sought.
For data of unit power the error acts as additional noise, ``y = ĥ x + (e x + n)``, and the receiver
assumes a variance of ``N0 + σ²``. It knows the statistics (power delay profile, Doppler, N0) but
not the realisation.

Leaves out: interpolation between slots, boosted pilots, data-aided estimation.

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

# Eigenvalues of the covariance below this share of its trace are rounding errors.
_NEGLIGIBLE = 1e-12


class Estimator(Protocol):
    """A linear estimator for one slot."""

    def __call__(self, pilots: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate the gains at the data.

        Parameters
        ----------
        pilots
            Received divided by transmitted pilots, complex (..., num_pilots), time first.
        noise
            N0, real, broadcastable to (..., 1).

        Returns
        -------
        tuple
            ĥ, complex (..., num_data), and the variance of its error, real, broadcastable to it.
        """
        ...


class Layout:
    """The positions of pilots and data in a slot.

    Parameters
    ----------
    num_times, num_subcarriers
        Size of the slot.
    pilot_times
        OFDM symbols with pilots, ascending.
    pilot_step
        Spacing of the pilots in subcarriers, starting with the first; 1 means all of them.
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
        """Indices of the pilots in the flattened slot, ascending, with frequency fastest."""
        self.data = (~is_pilot).flatten().nonzero().flatten()
        """Indices of the data."""


def _covariances(multipath: Multipath, grid: Grid, layout: Layout) -> tuple[Tensor, Tensor]:
    """Return R between pilots, (P, P), and r between data and pilots, (D, P); complex128."""
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

    ``W = r (R + N0 I)⁻¹`` is computed from the eigenvectors of R, so that one decomposition serves
    every N0. A short delay spread leaves few significant eigenvalues, which makes it cheap. The
    error is uncorrelated with the estimate. Gains with a nonzero mean (rician) are treated as
    scatter.

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
        """Estimate the gains at the data; see :class:`Estimator`."""
        device, dtype = pilots.device, pilots.dtype
        shrink = 1 / (self.values.to(device) + noise.double())
        projected = pilots @ self.analysis.to(device, dtype)
        synthesis = self.synthesis.to(device)
        estimate = (projected * shrink.to(noise.dtype)) @ synthesis.to(dtype).T
        error = 1 - shrink @ synthesis.abs().square().T
        return estimate, error.clamp(min=0).to(noise.dtype)


class LeastSquares:
    """Least squares: the received pilots, interpolated linearly over frequency, then over time.

    Outside the outermost pilots the nearest is used. The receiver needs the statistics only for the
    variance of the error. The error is correlated with the estimate, which the sum ``N0 + σ²``
    ignores, as receivers do.

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
        """Estimate the gains at the data; see :class:`Estimator`."""
        device, dtype = pilots.device, pilots.dtype
        estimate = pilots @ self.weights.to(device, dtype).T
        error = self.interpolation_error.to(device) + noise * self.noise_gain.to(device)
        return estimate, error.clamp(min=0).to(noise.dtype)


def _straight_lines(knots: list[int], length: int) -> Tensor:
    """Return the matrix (length, num_knots) of linear interpolation from ``knots``."""
    rows = [np.interp(np.arange(length), knots, unit) for unit in np.eye(len(knots))]
    return torch.from_numpy(np.stack(rows, axis=1))
