"""Clustered delay lines CDL-A to CDL-E of 3GPP TR 38.901, clause 7.7.1, drawn by Sionna.

Each end has one vertically polarised, omnidirectional antenna (downlink); the receiver moves along
the x axis at the speed that gives ``doppler_hz``. Each cluster consists of 20 rays of random phase
whose directions determine their Doppler shifts, so that, unlike for a TDL, the spectrum differs
from Clarke's. The specular path of D and E gets a random phase, common to a transmission.
``E|H|² = 1``.

Needs the extra ``sionna``. Sionna draws from its own generator, which is seeded from ours during
the call and then restored. Leaves out: antenna arrays, shadowing, scaled angles.

Reference: J. Hoydis et al., "Sionna: An open-source library for next-generation physical layer
research", 2022, arXiv:2203.11854.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from channels.errors import InputError
from channels.models.phasors import phase_turns
from channels.ofdm.multipath import Grid, response
from channels.ofdm.profiles import check_profile

_CARRIER_HZ = 3.5e9  # only sets the wavelength, and thus the speed for a Doppler shift
_LIGHT_M_PER_S = 299_792_458.0
# Transmissions times OFDM symbols that Sionna draws at a time; each takes 460 rays.
_BATCH = 20_000


class Cdl:
    """A clustered delay line.

    Parameters
    ----------
    profile
        ``"a"``, ``"b"``, ``"c"`` (no line of sight), ``"d"`` or ``"e"``.
    delay_spread_ns
        Root mean square delay spread in ns, up to 1e9.
    doppler_hz
        Maximum Doppler shift in Hz, up to 1e6.

    Raises
    ------
    ValueError
        Another profile, a number outside these ranges, or no Sionna.
    """

    def __init__(
        self, *, profile: str = "a", delay_spread_ns: float = 100.0, doppler_hz: float = 0.0
    ) -> None:
        check_profile(profile, delay_spread_ns, doppler_hz)
        try:
            from sionna.phy.channel.tr38901 import CDL, PanelArray
        except ImportError:
            raise InputError("CDL needs sionna: pip install 'semcom[sionna]'") from None
        antenna = PanelArray(
            num_rows_per_panel=1,
            num_cols_per_panel=1,
            polarization="single",
            polarization_type="V",
            antenna_pattern="omni",
            carrier_frequency=_CARRIER_HZ,
            precision="double",
            device="cpu",
        )
        speed = doppler_hz * _LIGHT_M_PER_S / _CARRIER_HZ
        self._cdl: Any = CDL(
            model=profile.upper(),
            delay_spread=delay_spread_ns * 1e-9,
            carrier_frequency=_CARRIER_HZ,
            ut_array=antenna,
            bs_array=antenna,
            direction="downlink",
            ut_velocity=torch.tensor([speed, 0.0, 0.0], dtype=torch.float64),
            precision="double",
            device="cpu",
        )
        self.doppler_hz = float(doppler_hz)
        self.line_of_sight = profile in "de"
        self.max_delay_s = float(self._cdl._delays.max())

    def path_gains(
        self, num: int, num_times: int, period_s: float, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draw path gains every ``period_s`` seconds.

        Returns
        -------
        tuple
            Gains, complex128 (num, num_paths, num_times), and delays in seconds, float64
            (num_paths,), both on the CPU.
        """
        from sionna.phy import config

        seed, start = _draw_seed(rng), torch.rand(num, device=rng.device, generator=rng).cpu()
        sionna_rng = config.torch_rng("cpu")
        state = sionna_rng.get_state()
        try:
            sionna_rng.manual_seed(seed)
            gains, delays = self._cdl(num, num_times, 1 / period_s)
        finally:
            sionna_rng.set_state(state)
        gains = gains.reshape(num, -1, num_times) * phase_turns(start)[:, None, None]
        return gains, delays.reshape(num, -1)[0]

    def frequency_response(
        self, shape: torch.Size, grid: Grid, like: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Draw gains; see :class:`channels.ofdm.multipath.Multipath`."""
        most = max(1, _BATCH // grid.num_times)
        parts = []
        for start in range(0, shape.numel(), most):
            num = min(most, shape.numel() - start)
            gains, delays = self.path_gains(num, grid.num_times, grid.period_s, rng)
            parts.append(response(gains.to(like.device, like.dtype), delays, grid))
        return torch.cat(parts).reshape(*shape, grid.num_times, grid.num_subcarriers)

    def correlation(self, frequency_hz: Tensor, time_s: Tensor) -> Tensor:
        """Return the correlation; see :class:`channels.ofdm.multipath.Multipath`.

        It is the mean over the phases of the rays and over their random coupling (clause 7.7.1,
        step 3): within a cluster, any azimuth of arrival may occur with any zenith angle.
        """
        cdl = self._cdl
        cycles = self.doppler_hz * time_s[..., None, None, None]
        towards_x = torch.sin(cdl._zoa)[:, :, None] * torch.cos(cdl._aoa)[:, None, :]
        in_time = phase_turns(cycles * towards_x).mean(dim=(-2, -1))
        in_frequency = phase_turns(-frequency_hz[..., None] * cdl._delays)
        k = float(cdl._k_factor)
        total: Tensor = (cdl._powers * in_frequency * in_time).sum(dim=-1) / (1 + k)
        if self.line_of_sight:
            towards_x = torch.sin(cdl._los_zoa) * torch.cos(cdl._los_aoa)
            specular = phase_turns(self.doppler_hz * time_s * towards_x)
            total = total + k / (1 + k) * specular * in_frequency[..., 0]
        return total


def _draw_seed(rng: torch.Generator) -> int:
    return int(torch.randint(2**63 - 1, (), device=rng.device, generator=rng))
