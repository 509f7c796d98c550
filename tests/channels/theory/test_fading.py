"""The laws of the fading channels: their margins, their motion, and what follows for outage.

Bounds are four standard errors, or a Kolmogorov-Smirnov test at one in a thousand, at fixed seeds.
"""

import cmath
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import special, stats

from channels import theory
from channels.base import Channel
from channels.catalogue import CHANNELS
from channels.models.jakes import Jakes, jakes_process, waves
from channels.models.nakagami import NakagamiBlock, NakagamiFast
from channels.ofdm.tdl import Tdl
from channels.units import db_to_linear

NUM = 20_000
LAWS = {
    "rayleigh": stats.expon(),
    "rayleigh_fast": stats.expon(),
    "jakes": stats.expon(),
    "jakes:doppler=0.3": stats.expon(),
    "rician:k_db=3": stats.ncx2(2, 2 * 10**0.3, scale=0.5 / (1 + 10**0.3)),
    "rician_fast:k_db=9": stats.ncx2(2, 2 * 10**0.9, scale=0.5 / (1 + 10**0.9)),
    "nakagami": stats.gamma(2, scale=1 / 2),
    "nakagami:m=0.5": stats.gamma(0.5, scale=2),
    "nakagami_fast:m=0.7": stats.gamma(0.7, scale=1 / 0.7),
    "nakagami_fast:m=1": stats.expon(),
    "nakagami_fast:m=30": stats.gamma(30, scale=1 / 30),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gains(channel: Channel, num_symbols: int = 3) -> np.ndarray:
    """The last gain of independent transmissions."""
    x = torch.ones(NUM, num_symbols, dtype=torch.complex64)
    h: np.ndarray = channel(x, 0.0, rng(3)).h[:, -1].numpy()
    return h


@pytest.mark.parametrize("spec", LAWS)
def test_power_gain(spec: str) -> None:
    power = np.abs(gains(CHANNELS.create(spec))).astype(np.float64) ** 2
    assert stats.kstest(power, LAWS[spec].cdf).pvalue > 1e-3
    # Sharp enough to fail: at one part in ten too much power.
    assert stats.kstest(1.1 * power, LAWS[spec].cdf).pvalue < 1e-3


@pytest.mark.parametrize("spec", [spec for spec in LAWS if "rician" not in spec])
def test_phase_is_uniform_and_tells_nothing_of_the_power(spec: str) -> None:
    h = gains(CHANNELS.create(spec))
    phase = np.angle(h)
    assert stats.kstest(phase, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3
    power = np.abs(h) ** 2
    for part in (np.cos(phase), np.sin(phase)):
        assert abs(np.corrcoef(power, part)[0, 1]) < 4 / math.sqrt(NUM)


@pytest.mark.parametrize("p", [1e-6, 0.01, 0.5, 0.9, 1 - 1e-6])
def test_quantiles_are_exact(p: float) -> None:
    for spec, law in LAWS.items():
        quantile = CHANNELS.create(spec).gain_quantile(p)
        assert quantile == pytest.approx(law.ppf(p), rel=1e-6), spec


@pytest.mark.parametrize("spec", LAWS)
def test_outage(spec: str) -> None:
    """How often log2(1 + SNR·|h|²) falls short of the rate, against the law's distribution."""
    power = np.abs(gains(CHANNELS.create(spec))) ** 2
    rate = 1.5
    for snr_db in (2.0, 8.0):
        threshold = (2**rate - 1) / db_to_linear(snr_db)
        expected = LAWS[spec].cdf(threshold)
        error = math.sqrt(expected * (1 - expected) / NUM)
        measured = np.mean(power < threshold)
        assert abs(measured - expected) < 4 * error
        # Sharp enough to fail: at an SNR that is 2 dB off.
        assert abs(measured - LAWS[spec].cdf(threshold * 10**0.2)) > 4 * error


def test_outage_of_rayleigh_is_what_theory_says() -> None:
    for channel in (Jakes(), NakagamiBlock(m=1.0)):
        measured = np.mean(np.log2(1 + db_to_linear(8.0) * np.abs(gains(channel)) ** 2) < 1.5)
        expected = float(theory.outage_rayleigh(8.0, 1.5))
        assert abs(measured - expected) < 4 * math.sqrt(expected * (1 - expected) / NUM)


@pytest.mark.parametrize("doppler", [0.001, 0.03, 0.45])
def test_doppler_autocorrelation_is_bessels(doppler: float) -> None:
    """At lags up to three wavelengths, on both sides of the factors' joint in time."""
    lags = np.unique(np.linspace(0, 3 / doppler, 25).round().astype(int))
    num_rows = 4_000
    h = jakes_process(
        torch.Size([num_rows]),
        int(lags[-1]) + 6,
        doppler,
        torch.ones(1, dtype=torch.complex128),
        rng(5),
    )
    for start in (0, 5):
        products = h[:, start + lags] * h[:, start, None].conj()
        error = products.var(dim=0).div(num_rows).sqrt().numpy()
        expected = special.j0(2 * math.pi * doppler * lags)
        assert bool((np.abs(products.mean(dim=0).numpy() - expected) < 4 * error + 1e-12).all())
    closed = Jakes(doppler=doppler).autocorrelation(torch.from_numpy(lags))
    np.testing.assert_allclose(closed.numpy(), expected, rtol=1e-12)


def test_two_times_are_nearly_gaussian_together() -> None:
    """E|h1|²|h2|² = 1 + |ρ|² for Gaussian pairs; 32 waves leave it within their 1/N."""
    h = jakes_process(torch.Size([NUM]), 8, 0.05, torch.ones(1, dtype=torch.complex128), rng(6))
    fourth = (h[:, 0].abs() * h[:, 7].abs()).square()
    expected = 1 + special.j0(2 * math.pi * 0.05 * 7) ** 2
    error = 4 * float(fourth.std()) / math.sqrt(NUM)
    assert abs(float(fourth.mean()) - expected) < error + 1 / 32


@pytest.mark.parametrize("num_times", [1, 2, 99, 100, 101, 100_000])
def test_waves_keep_their_phase(num_times: int) -> None:
    """Against exact fractions: single precision would be lost after 100,000 symbols."""
    frequency = Fraction(489, 1000)
    coarse, fine = waves(torch.tensor([float(frequency)], dtype=torch.float64), num_times)
    got = (coarse[0, :, None] * fine[0]).flatten()
    assert len(got) >= num_times
    for time in {0, 1, num_times // 2, num_times - 1} & set(range(num_times)):
        expected = cmath.exp(2j * math.pi * float(frequency * time % 1))
        assert complex(got[time]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("profile", ["a", "b", "c", "d", "e"])
def test_taps_have_their_powers_and_laws(profile: str) -> None:
    tdl = Tdl(profile=profile, doppler_hz=50.0)
    like = torch.ones(1, dtype=torch.complex64)
    num = NUM // 4
    taps = tdl.path_gains(torch.Size([num]), 2, 1e-3, like, rng(8))[..., -1].to(torch.complex128)
    power = taps.abs().square() / tdl.powers
    if tdl.line_of_sight:
        torch.testing.assert_close(power[:, 0], torch.ones_like(power[:, 0]), rtol=1e-5, atol=0)
        phase = taps[:, 0].angle().numpy()
        assert stats.kstest(phase, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3
        power, taps = power[:, 1:], taps[:, 1:]
    for tap in range(power.shape[1]):
        assert stats.kstest(power[:, tap].numpy(), stats.expon.cdf).pvalue > 1e-4
    covariance = torch.corrcoef(taps.T).abs()
    assert float((covariance - torch.eye(len(covariance))).max()) < 4 / math.sqrt(num)


@pytest.mark.parametrize(("profile", "k_db"), [("d", 13.3), ("e", 22.0)])
def test_first_tap_is_rician(profile: str, k_db: float) -> None:
    """Clause 7.7.2 gives the K-factor; the two rows of the table at delay 0 make it up."""
    tdl = Tdl(profile=profile)
    assert 10 * math.log10(float(tdl.powers[0] / tdl.powers[1])) == pytest.approx(k_db, abs=1e-9)
    like = torch.ones(1, dtype=torch.complex64)
    taps = tdl.path_gains(torch.Size([NUM]), 1, 1e-3, like, rng(9))[..., 0]
    first = taps[:, :2].sum(dim=-1).abs().double().numpy()
    k = 10 ** (k_db / 10)
    scale = math.sqrt(float(tdl.powers[:2].sum()) / (2 * (k + 1)))
    assert stats.kstest(first, stats.rice(b=math.sqrt(2 * k), scale=scale).cdf).pvalue > 1e-3


@pytest.mark.parametrize("m", [0.4, 0.0, -1.0, math.nan, math.inf])
def test_nakagami_shape_out_of_range(m: float) -> None:
    for kind in (NakagamiBlock, NakagamiFast):
        with pytest.raises(ValueError, match=r"m must be between 0.5 and 1000"):
            kind(m=m)


@pytest.mark.parametrize("doppler", [0.0, 0.5, -0.1, math.nan])
def test_doppler_out_of_range(doppler: float) -> None:
    with pytest.raises(ValueError, match=r"doppler must be in \(0, 0.5\)"):
        Jakes(doppler=doppler)
