"""Delay lines: tables, correlation in frequency and time, and OFDM in the time domain."""

import math

import numpy as np
import pytest
import torch
from scipy import special

from channels.models.awgn import Awgn
from channels.models.jakes import Jakes
from channels.models.rayleigh import RayleighBlock, RayleighFast
from channels.ofdm.channel import Ofdm
from channels.ofdm.multipath import Flat, Grid, response
from channels.ofdm.profiles import PROFILES
from channels.ofdm.tdl import Tdl

LIKE = torch.ones(1, dtype=torch.complex128)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("profile", PROFILES)
def test_delay_spread_is_what_was_asked_for(profile: str) -> None:
    """The tables are scaled to an rms delay spread of 1, but for their rounding."""
    tdl = Tdl(profile=profile, delay_spread_ns=300.0)
    assert float(tdl.powers.sum()) == pytest.approx(1.0, rel=1e-12)
    mean = float(tdl.powers @ tdl.delays_s)
    rms = math.sqrt(float(tdl.powers @ tdl.delays_s.square()) - mean**2)
    assert rms == pytest.approx(300e-9, rel=0.01)
    assert tdl.max_delay_s == float(tdl.delays_s.max())
    assert tdl.line_of_sight == (profile in "de")


@pytest.mark.parametrize("profile", PROFILES)
def test_correlation_is_that_of_the_power_delay_profile(profile: str) -> None:
    """Samples against Σ P exp(-j2πfτ)·J0(2πf_D t), written out here; LoS turns with 0.7 f_D."""
    tdl = Tdl(profile=profile, delay_spread_ns=200.0, doppler_hz=100.0)
    grid = Grid(num_times=4, period_s=1.5e-3, num_subcarriers=9, spacing_hz=150e3)
    num = 6_000
    h = tdl.frequency_response(torch.Size([num]), grid, LIKE, rng(1))
    products = h * h[:, :1, :1].conj()
    for time in range(4):
        for carrier in range(9):
            rotated = tdl.powers * np.exp(-2j * math.pi * 150e3 * carrier * tdl.delays_s.numpy())
            fading = np.full(len(rotated), special.j0(2 * math.pi * 100 * 1.5e-3 * time))
            fading = fading.astype(complex)
            if profile in "de":
                fading[0] = np.exp(2j * math.pi * 70 * 1.5e-3 * time)
            expected = complex((rotated.numpy() * fading).sum())
            lag = torch.tensor(1.5e-3 * time, dtype=torch.float64)
            shift = torch.tensor(150e3 * carrier, dtype=torch.float64)
            assert complex(tdl.correlation(shift, lag)) == pytest.approx(expected, abs=1e-12)
            sample = products[:, time, carrier]
            error = 4 * math.sqrt(float(sample.var()) / num)
            assert abs(complex(sample.mean()) - expected) < error + 1e-12


def sample_taps(gains: torch.Tensor, delays_s: torch.Tensor, rate_hz: float) -> torch.Tensor:
    """Return the impulse response of (B, num_paths, num_times), delays rounded to samples."""
    index = (delays_s * rate_hz).round().long()
    taps = gains.new_zeros((*gains.shape[:-2], int(index.max()) + 1, gains.shape[-1]))
    return taps.index_add(-2, index, gains)


def test_time_domain_ofdm_is_one_gain_per_subcarrier() -> None:
    """Prefix, convolution with the taps, prefix off, transform: H·X, from paths on the samples."""
    size, prefix, num_symbols = 64, 16, 5
    grid = Grid(1, 1.0, size, 15e3)
    sample_rate = size * grid.spacing_hz
    tdl = Tdl(profile="c", delay_spread_ns=1800.0)
    gains = tdl.path_gains(torch.Size([3]), 1, 1.0, LIKE, rng(2))
    taps = sample_taps(gains, tdl.delays_s, sample_rate)[..., 0].numpy()
    assert 8 < taps.shape[-1] <= prefix + 1
    on_samples = (tdl.delays_s * sample_rate).round() / sample_rate
    expected = response(gains, on_samples, grid)[:, 0].numpy()

    data = torch.randn((num_symbols, size), dtype=torch.complex128, generator=rng(3)).numpy()
    signal = np.fft.ifft(np.fft.ifftshift(data, axes=-1), norm="ortho")
    with_prefix = np.concatenate([signal[:, -prefix:], signal], axis=-1)
    for row in range(3):
        received = np.convolve(with_prefix.ravel(), taps[row])[: with_prefix.size]
        bodies = received.reshape(num_symbols, -1)[:, prefix:]
        carriers = np.fft.fftshift(np.fft.fft(bodies, norm="ortho"), axes=-1)
        np.testing.assert_allclose(carriers, expected[row] * data, atol=1e-12)


def test_a_prefix_shorter_than_the_channel_lets_symbols_overlap() -> None:
    """So the check of the prefix is there for a reason."""
    taps = np.array([1.0, 0, 0, 0, 0.5])
    data = torch.randn((2, 16), dtype=torch.complex128, generator=rng(3)).numpy()
    signal = np.fft.ifft(data, norm="ortho")
    for prefix, holds in ((4, True), (3, False)):
        with_prefix = np.concatenate([signal[:, -prefix:], signal], axis=-1)
        received = np.convolve(with_prefix.ravel(), taps)[: with_prefix.size]
        carriers = np.fft.fft(received.reshape(2, -1)[:, prefix:], norm="ortho")
        assert np.allclose(carriers, np.fft.fft(taps, 16) * data) == holds


def test_without_doppler_gains_last() -> None:
    grid = Grid(4, 1e-3, 3, 15e3)
    for profile in ("a", "d"):
        h = Tdl(profile=profile).frequency_response(torch.Size([2]), grid, LIKE, rng())
        torch.testing.assert_close(h, h[:, :1].expand_as(h))


def test_flat_channels_are_alike_on_all_subcarriers() -> None:
    grid = Grid(6, 1e-4, 3, 15e3)
    lag = torch.arange(3, dtype=torch.float64) * 1e-4
    for channel, expected in (
        (Awgn(), torch.ones(3)),
        (RayleighBlock(), torch.ones(3)),
        (Jakes(doppler=0.1), torch.from_numpy(special.j0(0.2 * math.pi * np.arange(3)))),
    ):
        flat = Flat(channel, period_s=1e-4)
        h = flat.frequency_response(torch.Size([2]), grid, LIKE, rng())
        assert h.shape == (2, 6, 3)
        assert bool((h == h[..., :1]).all())
        correlation = flat.correlation(torch.zeros(1, dtype=torch.float64), lag)
        torch.testing.assert_close(correlation, expected.to(torch.complex128))


def test_bad_requests_are_refused() -> None:
    lag = torch.zeros(1, dtype=torch.float64)
    for call, message in (
        (lambda: Tdl(profile="f"), "profile must be one of a, b, c, d, e, got 'f'"),
        (lambda: Tdl(delay_spread_ns=-1.0), "delay_spread_ns must be between 0 and 1e\\+09"),
        (lambda: Tdl(doppler_hz=math.nan), "doppler_hz must be between 0 and 1e\\+06, got nan"),
        (lambda: Flat(Ofdm(), period_s=1.0), "flat fading channel, not Ofdm"),
        (lambda: Flat(RayleighFast(), period_s=1.0).correlation(lag, lag), "gain .* abruptly"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
