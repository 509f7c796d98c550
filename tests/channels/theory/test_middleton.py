"""Middleton's class A noise: its law, and error rates in it, against closed forms.

Bounds are four standard errors, or a Kolmogorov-Smirnov test at one in a thousand, at fixed seeds.
"""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import integrate, stats

from channels import theory
from channels.models.middleton import Middleton
from channels.modulation import demodulate, modulate
from channels.units import BITS_PER_SYMBOL, noise_var_from_snr_db

NUM = 100_000
NOISES = [(0.1, 0.1), (0.01, 0.5), (2.0, 0.05)]
NOISE_VAR = 0.3

noises = pytest.mark.parametrize(("a", "gamma"), NOISES)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mixture(a: float, gamma: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and variances of the Gaussians, by the definition, at N0 = 1."""
    m = np.arange(60)
    weights = np.array([math.exp(-a + k * math.log(a) - math.lgamma(k + 1)) for k in m])
    return weights, (m / a + gamma) / (1 + gamma)


def draw(a: float, gamma: float, seed: int = 0) -> NDArray[np.complex128]:
    x = torch.ones(NUM, dtype=torch.complex128)
    noise: NDArray[np.complex128] = (
        Middleton(a=a, gamma=gamma)(x, NOISE_VAR, rng(seed)).y - x
    ).numpy()
    return noise


@noises
def test_noise_law(a: float, gamma: float) -> None:
    """Parts are mixtures of Gaussians, the power one of exponentials; the mean is N0."""
    noise = draw(a, gamma)
    weights, variances = mixture(a, gamma)
    scale = variances * NOISE_VAR
    for part in (noise.real, noise.imag):
        result = stats.kstest(
            part, lambda v: stats.norm.cdf(v[:, None] / np.sqrt(scale / 2)) @ weights
        )
        assert result.pvalue > 1e-3
    power = np.abs(noise) ** 2
    law = stats.kstest(power, lambda v: -np.expm1(-v[:, None] / scale) @ weights)
    assert law.pvalue > 1e-3
    assert stats.kstest(power, stats.expon(scale=NOISE_VAR).cdf).pvalue < 1e-9  # not Gaussian
    assert abs(power.mean() - NOISE_VAR) < 4 * power.std() / math.sqrt(NUM)


@noises
def test_moments_of_the_power(a: float, gamma: float) -> None:
    """``E|n|⁴ = 2 N0² (1 + 1/(A(1+Γ)²))``: how far from Gaussian, for which it is 2 N0²."""
    power2 = np.abs(draw(a, gamma, seed=1)) ** 4
    expected = 2 * NOISE_VAR**2 * (1 + 1 / (a * (1 + gamma) ** 2))
    assert abs(power2.mean() - expected) < 4 * power2.std() / math.sqrt(NUM)


@noises
def test_symbols_are_independent(a: float, gamma: float) -> None:
    power = np.abs(draw(a, gamma)) ** 2
    ranks = stats.rankdata(power)
    assert abs(np.corrcoef(ranks[1:], ranks[:-1])[0, 1]) < 4 / math.sqrt(NUM)


@noises
def test_state(a: float, gamma: float) -> None:
    """Who knows it sees Gaussian noise of a variance with a Poisson law; the noise is the same."""
    x = torch.ones(NUM, dtype=torch.complex128)
    hidden = Middleton(a=a, gamma=gamma)(x, NOISE_VAR, rng(2))
    known = Middleton(a=a, gamma=gamma, state_known=True)(x, NOISE_VAR, rng(2))
    assert torch.equal(hidden.y, known.y)
    assert float(hidden.noise_var) == NOISE_VAR
    white = torch.view_as_real((known.y - x) / (known.noise_var / 2).sqrt()).flatten()
    assert stats.kstest(white.numpy(), stats.norm.cdf).pvalue > 1e-3
    impulses = a * (known.noise_var / NOISE_VAR * (1 + gamma) - gamma)
    torch.testing.assert_close(impulses, impulses.round(), rtol=0, atol=1e-9)
    observed = np.bincount(impulses.round().long().numpy())
    law = stats.poisson(a)
    many = int((law.pmf(np.arange(40)) * NUM >= 10).sum())
    counts = np.append(observed[:many], observed[many:].sum())
    shares = np.append(law.pmf(np.arange(many)), law.sf(many - 1))
    assert stats.chisquare(counts, shares / shares.sum() * NUM).pvalue > 1e-3


@noises
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
@pytest.mark.parametrize("state_known", [False, True])
def test_ber(a: float, gamma: float, bits_per_symbol: int, state_known: bool) -> None:
    """Hard decisions do not need the state."""
    snr_db = 3.0 * bits_per_symbol
    generator = rng(bits_per_symbol)
    bits = torch.randint(0, 2, (NUM * bits_per_symbol,), generator=generator, dtype=torch.uint8)
    channel = Middleton(a=a, gamma=gamma, state_known=state_known)
    output = channel(modulate(bits, bits_per_symbol), noise_var_from_snr_db(snr_db), generator)
    wrong = (demodulate(*output, bits_per_symbol) > 0) != (bits == 1)
    per_symbol = wrong.double().reshape(NUM, -1).mean(dim=-1)
    error = 4 * float(per_symbol.std()) / math.sqrt(NUM)
    expected = float(theory.ber_middleton(bits_per_symbol, snr_db, a, gamma))
    assert error < 0.3 * expected  # enough errors for the bound to mean something
    assert abs(float(per_symbol.mean()) - expected) < error


@noises
@pytest.mark.parametrize("snr_db", [-5.0, 5.0, 15.0])
def test_ber_by_the_characteristic_function(a: float, gamma: float, snr_db: float) -> None:
    """BPSK without the series of Gaussians: Gil-Pelaez' integral over

    ``φ(t) = exp(-t² N0 Γ/(4(1+Γ)) + A (exp(-t² N0/(4A(1+Γ))) - 1))``, for noise in one dimension.
    """
    n0 = noise_var_from_snr_db(snr_db)

    def integrand(t: float) -> float:
        impulses = a * math.expm1(-(t**2) * n0 / (4 * a * (1 + gamma)))
        return math.sin(t) / t * math.exp(-(t**2) * n0 * gamma / (4 * (1 + gamma)) + impulses)

    end = math.sqrt(4 * 40 * (1 + gamma) / (gamma * n0))
    mass = integrate.quad(integrand, 0, end, limit=2_000, epsabs=1e-12)[0]
    expected = 0.5 - mass / math.pi
    assert float(theory.ber_middleton(1, snr_db, a, gamma)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_many_or_weak_impulses_are_gaussian_noise(bits_per_symbol: int) -> None:
    snr_db = np.arange(-10.0, 6.0, 5.0)
    gaussian = theory.ber_awgn(bits_per_symbol, snr_db)
    for a, gamma, tolerance in ((0.1, 1e6, 1e-4), (1e3, 0.1, 5e-3)):
        rates = theory.ber_middleton(bits_per_symbol, snr_db, a, gamma)
        assert rates.shape == snr_db.shape
        np.testing.assert_allclose(rates, gaussian, rtol=tolerance)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"a": 0.0}, "a must be an impulsive index between 1e-6 and 1000, got 0.0"),
        ({"a": math.nan}, "a must be"),
        ({"a": 1e4}, "a must be"),
        ({"gamma": 0.0}, "gamma must be a ratio of powers between 1e-6 and 1e6, got 0.0"),
        ({"gamma": math.inf}, "gamma must be"),
    ],
)
def test_bad_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Middleton(**options)  # type: ignore[arg-type]
