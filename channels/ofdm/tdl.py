"""Tapped delay lines TDL-A to TDL-E of 3GPP TR 38.901 V16.1.0, clause 7.7.2.

Every tap fades independently: Rayleigh with Clarke's Doppler spectrum
(:mod:`channels.models.jakes`). The first tap of D and E also has a specular part (K = 13.3 and
22 dB) of random phase, with a Doppler shift of ``0.7 f_D``. Tables 7.7.2-1 to 5 give delays in
units of the rms delay spread, which is an option, and powers, which are scaled to a sum of 1 so
that ``E|H|² = 1``.

Leaves out: antennas and directions (clause 7.7.1, :mod:`channels.ofdm.cdl`), shadowing.
"""

from __future__ import annotations

import json
import math
from importlib.resources import files

import torch
from scipy.special import j0
from torch import Tensor

from channels.models.jakes import jakes_process
from channels.models.phasors import phase_turns
from channels.ofdm.multipath import Grid, response
from channels.ofdm.profiles import check_profile

_SPECULAR_SHIFT = 0.7  # times the maximum Doppler shift: clause 7.7.2


class Tdl:
    """A tapped delay line.

    Parameters
    ----------
    profile
        ``"a"``, ``"b"``, ``"c"`` (no line of sight), ``"d"`` or ``"e"``.
    delay_spread_ns
        Root mean square delay spread in ns, up to 1e9; the standard lists 10 (very short), 30, 100
        (nominal), 300 and 1000.
    doppler_hz
        Maximum Doppler shift in Hz, up to 1e6; 0 keeps gains constant in a transmission.

    Raises
    ------
    ValueError
        Another profile, or a number outside these ranges.

    Examples
    --------
    >>> tdl = Tdl(profile="a", delay_spread_ns=100.0)
    >>> round(float(tdl.powers.sum()), 6)
    1.0
    >>> mean_delay_s = (tdl.powers * tdl.delays_s).sum()
    >>> spread_s = (tdl.powers * (tdl.delays_s - mean_delay_s) ** 2).sum().sqrt()
    >>> round(float(spread_s * 1e9))  # rms, in ns
    100
    """

    def __init__(
        self, *, profile: str = "a", delay_spread_ns: float = 100.0, doppler_hz: float = 0.0
    ) -> None:
        check_profile(profile, delay_spread_ns, doppler_hz)
        text = files("channels").joinpath("data/tdl.json").read_text()
        table = json.loads(text)["profiles"][profile]
        powers = 10 ** (torch.tensor(table["powers_db"], dtype=torch.float64) / 10)
        self.delays_s = torch.tensor(table["delays"], dtype=torch.float64) * delay_spread_ns * 1e-9
        """Delay of each path in seconds, float64 (num_paths,)."""
        self.powers = powers / powers.sum()
        """Mean power of each path, float64 (num_paths,); the sum is 1."""
        self.line_of_sight: bool = table["line_of_sight"]
        """Whether the first path is specular; the second path then has the same delay."""
        self.doppler_hz = float(doppler_hz)
        self.max_delay_s = float(self.delays_s.max())

    def path_gains(
        self,
        shape: torch.Size,
        num_times: int,
        period_s: float,
        like: Tensor,
        rng: torch.Generator,
    ) -> Tensor:
        """Draw the gains of the paths every ``period_s`` seconds.

        Returns
        -------
        Tensor
            Complex ``(*shape, num_paths, num_times)``, type and device as ``like``.
        """
        num_paths = len(self.powers)
        doppler = self.doppler_hz * period_s
        scatter = torch.Size((*shape, num_paths - self.line_of_sight))
        gains = jakes_process(scatter, num_times, doppler, like, rng)
        if self.line_of_sight:
            start = torch.rand(
                (*shape, 1, 1), dtype=torch.float64, device=rng.device, generator=rng
            )
            shift = _SPECULAR_SHIFT * doppler * torch.arange(num_times, device=rng.device)
            gains = torch.cat([phase_turns(start + shift).to(gains.device, gains.dtype), gains], -2)
        return gains * self.powers.sqrt()[:, None].to(gains.device, gains.real.dtype)

    def frequency_response(
        self, shape: torch.Size, grid: Grid, like: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Draw gains; see :class:`channels.ofdm.multipath.Multipath`."""
        gains = self.path_gains(shape, grid.num_times, grid.period_s, like, rng)
        return response(gains, self.delays_s, grid)

    def correlation(self, frequency_hz: Tensor, time_s: Tensor) -> Tensor:
        """Transform the power delay profile; see :class:`channels.ofdm.multipath.Multipath`."""
        in_frequency = self.powers * phase_turns(-frequency_hz[..., None] * self.delays_s)
        scatter = torch.as_tensor(j0(2 * math.pi * self.doppler_hz * time_s.double().numpy()))
        if not self.line_of_sight:
            return in_frequency.sum(dim=-1) * scatter
        specular = phase_turns(_SPECULAR_SHIFT * self.doppler_hz * time_s)
        return in_frequency[..., 0] * specular + in_frequency[..., 1:].sum(dim=-1) * scatter
