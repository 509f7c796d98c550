"""The amplifier: its curve, Bussgang's gain and distortion, and what the receiver makes of them."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from channels import theory
from channels.catalogue import CHANNELS
from channels.models.clipping import Clipping, amplify, bussgang_gaussian, bussgang_qam
from channels.modulation import constellation, demodulate, modulate

NUM = 200_000
AMPLIFIERS = [
    (0.0, math.inf),
    (3.0, math.inf),
    (-6.0, math.inf),
    (0.0, 1.0),
    (6.0, 2.0),
    (3.0, 8.0),
]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gaussian(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.complex128, generator=rng(1))


def within(samples: torch.Tensor, expected: float) -> bool:
    """Whether their mean is ``expected`` within four standard errors."""
    error = 4 * float(samples.std()) / math.sqrt(samples.numel())
    return abs(float(samples.mean()) - expected) < error


@pytest.mark.parametrize("smoothness", [0.5, 1.0, 2.0, 40.0, math.inf])
def test_curve(smoothness: float) -> None:
    """The phase stays; the envelope follows the Rapp model, here by its formula, up to A."""
    saturation = 1.5
    radius = torch.tensor([0.0, 1e-20, 0.3, 1.2, 1.5, 4.0, 1e20], dtype=torch.float64)
    x = torch.polar(radius, torch.linspace(-3, 3, 7, dtype=torch.float64))
    y = amplify(x, saturation, smoothness)
    torch.testing.assert_close(y[1:].angle(), x[1:].angle())
    if math.isinf(smoothness):
        expected = radius.clamp(max=saturation)
    else:
        near = radius.clamp(max=100.0)  # beyond, the formula overflows
        bend = (1 + (near / saturation) ** (2 * smoothness)) ** (1 / (2 * smoothness))
        expected = torch.where(radius > 100, torch.full_like(radius, saturation), near / bend)
    torch.testing.assert_close(y.abs(), expected)
    assert float(y.abs().max()) <= saturation * (1 + 1e-12)


@pytest.mark.parametrize("smoothness", [0.7, 3.0, math.inf])
def test_gradient_also_at_nothing_and_far_in_saturation(smoothness: float) -> None:
    x = torch.tensor([0.3 + 0.2j, -1 + 0.9j, 5 - 40j, 1e-3j], dtype=torch.complex128)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda v: amplify(v, 1.1, smoothness), (x,))
    zero = torch.zeros(1, dtype=torch.complex64, requires_grad=True)
    amplify(zero, 1.1, smoothness).real.sum().backward()
    assert zero.grad is not None
    assert complex(zero.grad) == pytest.approx(1.0)


@pytest.mark.parametrize(("backoff_db", "smoothness"), AMPLIFIERS)
def test_gain_and_distortion_of_gaussian_symbols(backoff_db: float, smoothness: float) -> None:
    channel = Clipping(backoff_db=backoff_db, smoothness=smoothness)
    x = gaussian(NUM)
    y = channel(x, 0.0, rng()).y
    product = y * x.conj()
    assert within(product.real / x.abs().square().mean(), channel.alpha)
    rest = y - channel.alpha * x
    assert within(rest.abs().square(), channel.distortion)
    assert within((rest * x.conj()).real, 0.0)
    assert within((rest * x.conj()).imag, 0.0)


@pytest.mark.parametrize("saturation", [0.1, 0.7, 1.4, 3.0, 12.0])
def test_closed_forms(saturation: float) -> None:
    """The soft limiter by quadrature, the Rapp model with p = 1 by incomplete Gamma functions."""

    def mean(power: int) -> float:
        def integrand(r: float) -> float:
            return 2 * r * math.exp(-r * r) * min(r, saturation) ** power * r ** (2 - power)

        points = [min(saturation, 7.0)]
        return float(integrate.quad(integrand, 0, 8, points=points, epsabs=1e-14)[0])

    alpha, distortion = bussgang_gaussian(saturation, math.inf)
    assert alpha == pytest.approx(mean(1), rel=1e-10)
    assert distortion == pytest.approx(mean(2) - mean(1) ** 2, abs=1e-12)

    a2 = saturation**2
    if saturation < 5:  # e^{A²}·Γ(s, A²) with both factors in range
        tails = [special.gamma(s) * special.gammaincc(s, a2) for s in (1.5, 0.5)]
        alpha_p1 = saturation * math.exp(a2) * (tails[0] - a2 * tails[1])
        power_p1 = a2 * (1 - a2 * math.exp(a2) * special.exp1(a2))
        alpha, distortion = bussgang_gaussian(saturation, 1.0)
        assert alpha == pytest.approx(alpha_p1, rel=1e-9)
        assert distortion == pytest.approx(power_p1 - alpha_p1**2, abs=1e-10)


def test_a_smooth_knee_turns_into_a_sharp_one() -> None:
    sharp, smooth = bussgang_gaussian(1.2, math.inf), bussgang_gaussian(1.2, 100.0)
    assert smooth == pytest.approx(sharp, abs=1e-4)
    assert smooth[0] < sharp[0]


@pytest.mark.parametrize("over", ["awgn", "rayleigh_fast"])
@pytest.mark.parametrize("noise_var", [0.0, 0.05])
def test_the_receiver_is_told_the_mean_distortion(over: str, noise_var: float) -> None:
    """For Gaussian symbols ``y - h·x`` has the reported variance, and ``h`` is short by α."""
    channel = Clipping(over=over, backoff_db=1.0)
    x = gaussian(500, 400)
    y, h, reported = channel(x, noise_var, rng())
    underlying = channel.channel(x, noise_var, rng()).h
    torch.testing.assert_close(h, channel.alpha * underlying)
    assert within(((y - h * x).abs().square() / reported).mean(dim=-1), 1.0)
    swallowed = 1 - (channel.alpha**2 + channel.distortion)
    assert swallowed == pytest.approx(math.exp(-(10**0.1)), rel=1e-9)
    assert within(y.abs().square().mean(dim=-1), 1 - swallowed + noise_var)


def test_the_realised_power_is_not_told() -> None:
    """Rows of different power get the same gain and noise: no scaling over the batch or the row."""
    quiet = torch.cat([0.1 * gaussian(1, 50), 3.0 * gaussian(1, 50)])
    y, h, noise_var = Clipping(backoff_db=0.0)(quiet, 0.1, rng())
    assert torch.equal(h[0], h[1])
    assert torch.equal(noise_var.expand(y.shape)[0], noise_var.expand(y.shape)[1])


def test_qpsk_through_a_smooth_amplifier_is_qpsk_of_less_power() -> None:
    """At 0 dB and p = 1 every symbol loses 3 dB; all have one amplitude, so none is distorted."""
    channel = Clipping(backoff_db=0.0, smoothness=1.0, bits_per_symbol=2)
    assert channel.alpha == pytest.approx(math.sqrt(0.5), rel=1e-6)
    assert channel.distortion == pytest.approx(0.0, abs=1e-7)
    bits = torch.randint(0, 2, (NUM, 2), generator=rng(2), dtype=torch.uint8)
    output = channel(modulate(bits, 2), 10**-0.8, rng(3))
    wrong = ((demodulate(*output, 2) > 0) != (bits == 1)).double().mean(dim=-1)
    assert within(wrong, float(theory.ber_awgn(2, 8 - 10 * math.log10(2))))


def test_16qam_has_no_peak_above_2_55_db() -> None:
    for backoff_db, clipped in ((2.6, False), (2.5, True)):
        saturation = 10 ** (backoff_db / 20)
        alpha, distortion = bussgang_qam(saturation, math.inf, 4)
        assert (alpha < 1 - 1e-4) is clipped
        assert (distortion > 1e-6) is clipped


def bit_errors_16qam(received: complex, alpha: float, noise_var: float, sent: complex) -> float:
    """Mean share of wrong bits: Gaussian mass of the decision intervals of both axes."""
    levels = alpha * np.array([-3, -1, 1, 3]) / math.sqrt(10)
    gray = np.array([3, 1, 0, 2])  # of TS 38.211: the sign, then 1 for the outer level
    edges = np.concatenate(([-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]))
    wrong = 0.0
    for got, meant in ((received.real, sent.real), (received.imag, sent.imag)):
        mass = np.diff(stats.norm.cdf((edges - got) / math.sqrt(noise_var / 2)))
        index = round((meant * math.sqrt(10) + 3) / 2)
        flips = [bin(int(code) ^ int(gray[index])).count("1") for code in gray]
        wrong += float(mass @ np.array(flips))
    return wrong / 4


def test_error_rate_of_16qam_by_decision_regions() -> None:
    """Symbols are displaced, and decided upon at the levels that α makes of the constellation."""
    channel = Clipping(backoff_db=0.0, smoothness=2.0, bits_per_symbol=4)
    noise_var = 10**-1.2
    points = constellation(4).to(torch.complex128)
    displaced = amplify(points, channel.saturation, 2.0)
    expected = float(
        np.mean(
            [
                bit_errors_16qam(complex(y), channel.alpha, noise_var, complex(x))
                for y, x in zip(displaced, points, strict=True)
            ]
        )
    )
    bits = torch.randint(0, 2, (NUM, 4), generator=rng(2), dtype=torch.uint8)
    output = channel(modulate(bits, 4), noise_var, rng(3))
    wrong = ((demodulate(*output, 4) > 0) != (bits == 1)).double().mean(dim=-1)
    assert within(wrong, expected)
    assert expected > 1.5 * float(theory.ber_awgn(4, 12.0))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("backoff_db=61", "backoff_db must be between -30 and 60 dB, got 61"),
        ("backoff_db=nan", "backoff_db must be between"),
        ("smoothness=0", "smoothness must be between 0.1 and 100, or inf, got 0.0"),
        ("smoothness=nan", "smoothness must be between"),
        ("bits_per_symbol=3", "bits_per_symbol must be one of 1, 2, 4, 6, 8, got 3"),
        ("over=ofdm", "clipping goes over a flat fading channel, not Ofdm"),
        ("over=clipping", "clipping goes over a flat fading channel, not Clipping"),
    ],
)
def test_bad_options_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CHANNELS.create(f"clipping:{spec}")


def test_ofdm_does_not_go_over_an_amplifier() -> None:
    with pytest.raises(ValueError, match="OFDM goes over a flat fading channel, not Clipping"):
        CHANNELS.create("ofdm:over=clipping")
