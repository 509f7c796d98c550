"""What needs Sionna: its clustered delay lines behind our protocol, and its tables beside ours."""

import math

import pytest
import torch
from scipy import stats

pytest.importorskip("sionna", reason="needs the extra sionna")

from sionna.phy import config
from sionna.phy.channel.tr38901 import TDL

from channels.catalogue import CHANNELS
from channels.ofdm.cdl import Cdl
from channels.ofdm.channel import Ofdm
from channels.ofdm.multipath import Grid
from channels.ofdm.profiles import PROFILES
from channels.ofdm.tdl import Tdl

GRID = Grid(num_times=3, period_s=2e-3, num_subcarriers=5, spacing_hz=300e3)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("profile", PROFILES)
def test_correlation_is_that_of_sionnas_rays(profile: str) -> None:
    cdl = Cdl(profile=profile, delay_spread_ns=100.0, doppler_hz=80.0)
    num = 6_000
    like = torch.ones(1, dtype=torch.complex128)
    h = cdl.frequency_response(torch.Size([num]), GRID, like, rng(1))
    assert h.shape == (num, 3, 5)
    products = h * h[:, :1, :1].conj()
    frequency = torch.arange(5, dtype=torch.float64) * GRID.spacing_hz
    time = torch.arange(3, dtype=torch.float64)[:, None] * GRID.period_s
    expected = cdl.correlation(frequency, time)
    assert complex(expected[0, 0]) == pytest.approx(1.0)
    assert float(expected[2, 4].abs()) < 0.9 or cdl.line_of_sight
    error = 4 * products.var(dim=0).div(num).sqrt() + 1e-12
    assert bool(((products.mean(dim=0) - expected).abs() < error).all())


@pytest.mark.parametrize("profile", ["a", "d"])
def test_phase_is_uniform(profile: str) -> None:
    like = torch.ones(1, dtype=torch.complex64)
    h = Cdl(profile=profile).frequency_response(torch.Size([2_000]), GRID, like, rng(2))
    phase = h[:, 0, 0].angle().numpy()
    assert stats.kstest(phase, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3


def test_sionnas_own_generator_goes_on_as_before() -> None:
    channel = CHANNELS.create("cdl:profile=b")
    x = torch.ones(2, 10, dtype=torch.complex64)
    before = config.torch_rng("cpu").get_state()
    first = channel(x, 0.1, rng(3))
    assert torch.equal(config.torch_rng("cpu").get_state(), before)
    config.torch_rng("cpu").manual_seed(5)
    assert torch.equal(channel(x, 0.1, rng(3)).y, first.y)


def test_large_batches_are_drawn_in_parts() -> None:
    like = torch.ones(1, dtype=torch.complex64)
    grid = Grid(num_times=9_000, period_s=1e-4, num_subcarriers=1, spacing_hz=15e3)
    h = Cdl(doppler_hz=10.0).frequency_response(torch.Size([3, 1]), grid, like, rng(4))
    assert h.shape == (3, 1, 9_000, 1)
    assert len({complex(value) for value in h[:, 0, 0, 0]}) == 3


@pytest.mark.parametrize("profile", ["a", "e"])
def test_error_of_the_estimate_is_what_it_predicts(profile: str) -> None:
    x = torch.ones(600, 900, dtype=torch.complex64)
    estimated, perfect = (
        Ofdm(over=f"cdl_{profile}", delay_spread_ns=200.0, doppler_hz=100.0, estimation=name)(
            x, 0.05, rng(5)
        )
        for name in ("lmmse", "perfect")
    )
    error = (estimated.h - perfect.h).abs().square().double().mean(dim=-1)
    predicted = float(estimated.noise_var[0].double().mean()) - 0.05
    assert abs(float(error.mean()) - predicted) < 4 * float(error.std()) / math.sqrt(len(error))


@pytest.mark.parametrize("profile", PROFILES)
def test_our_tables_of_delay_lines_are_sionnas(profile: str) -> None:
    theirs = TDL(profile.upper(), 100e-9, 3.5e9, precision="double", device="cpu")
    ours = Tdl(profile=profile, delay_spread_ns=100.0)
    delays, powers = ours.delays_s, ours.powers
    if ours.line_of_sight:  # theirs join the specular part and the first scatter
        assert float(theirs.k_factor) == pytest.approx(float(powers[0] / powers[1]), rel=1e-6)
        powers = torch.cat([powers[:2].sum(dim=0, keepdim=True), powers[2:]])
        delays = delays[1:]
    torch.testing.assert_close(delays, theirs.delays.double().cpu(), rtol=1e-6, atol=0)
    torch.testing.assert_close(powers, theirs.mean_powers.double().cpu(), rtol=1e-6, atol=0)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="profile must be one of a, b, c, d, e, got 'x'"):
        Cdl(profile="x")
    with pytest.raises(ValueError, match="must be longer than the channel"):
        CHANNELS.create("cdl:profile=e,delay_spread_ns=1000")
