"""Carrier errors: how the phase moves, what it costs, and that pilots find it."""

import cmath
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats

from channels import theory
from channels.base import Channel
from channels.catalogue import CHANNELS
from channels.models.carrier_error import CarrierError
from channels.models.rayleigh import RayleighBlock
from channels.modulation import demodulate, modulate
from channels.ofdm.channel import Ofdm
from channels.packets.pilots import insert_pilots, remove_pilots

NUM_ROWS = 20_000


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.complex128)


def qpsk_errors(channel: Channel, snr_db: float, num_symbols: int) -> tuple[float, float]:
    """Bit error rate and its standard error over transmissions."""
    generator = rng(5)
    bits = torch.randint(0, 2, (NUM_ROWS, 2 * num_symbols), generator=generator, dtype=torch.uint8)
    output = channel(modulate(bits, 2), 10 ** (-snr_db / 10), generator)
    wrong = ((demodulate(*output, 2) > 0) != (bits == 1)).double().mean(dim=-1)
    return float(wrong.mean()), float(wrong.std()) / math.sqrt(NUM_ROWS)


@pytest.mark.parametrize("cfo", [Fraction(1, 4), Fraction(-1, 1000), Fraction(17, 100_000)])
def test_offset_turns_by_so_many_cycles_per_symbol(cfo: Fraction) -> None:
    """Also after 100,000 symbols; the turns by exact arithmetic."""
    channel = CarrierError(cfo=float(cfo), phase_deg=30.0)
    y, h, _ = channel(ones(100_000), 0.0, rng())
    assert bool((h == 1).all())
    for time in (0, 1, 7, 5_000, 99_999):
        cycles = cfo * time + Fraction(30, 360)
        expected = cmath.exp(2j * math.pi * float(cycles % 1))
        assert complex(y[time]) == pytest.approx(expected, abs=1e-9)


def test_random_phase_is_uniform_and_lasts_for_a_transmission() -> None:
    y = CarrierError(cfo=0.0, random_phase=True)(ones(NUM_ROWS, 3), 0.0, rng()).y
    assert torch.equal(y[:, 0], y[:, 2])
    phase = y[:, 0].angle().numpy()
    assert stats.kstest(phase, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3


@pytest.mark.parametrize("linewidth", [1e-4, 3e-3])
def test_phase_noise_walks_by_independent_gaussian_steps(linewidth: float) -> None:
    num = 100_000
    h = CarrierError(cfo=0.0, linewidth=linewidth, known=True)(ones(2, num), 0.0, rng()).h
    assert bool((h[:, 0] == 1).all())
    steps = (h[:, 1:] * h[:, :-1].conj()).angle().numpy()
    sigma = math.sqrt(2 * math.pi * linewidth)
    assert float((steps**2).mean()) == pytest.approx(sigma**2, rel=4 * math.sqrt(1 / num))
    assert stats.kstest(steps[0], stats.norm(scale=sigma).cdf).pvalue > 1e-3
    bound = 4 / math.sqrt(num)
    assert abs(np.corrcoef(steps[0, 1:], steps[0, :-1])[0, 1]) < bound
    assert abs(np.corrcoef(steps)[0, 1]) < bound


def test_phase_noise_makes_the_carrier_lorentzian() -> None:
    """The autocorrelation of a line of full width ``linewidth``: exp(-π·linewidth·|lag|)."""
    linewidth, lag = 0.01, 25
    y = CarrierError(cfo=0.0, linewidth=linewidth)(ones(NUM_ROWS, lag + 8), 0.0, rng()).y
    product = y[:, lag + 7] * y[:, 7].conj()
    error = 4 * float(product.real.std()) / math.sqrt(NUM_ROWS)
    assert abs(float(product.real.mean()) - math.exp(-math.pi * linewidth * lag)) < error
    assert abs(float(product.imag.mean())) < 4 * float(product.imag.std()) / math.sqrt(NUM_ROWS)


def test_the_receiver_knows_the_underlying_gain_alone() -> None:
    x = ones(NUM_ROWS, 2)
    blind, told = (
        CarrierError(over="rayleigh", cfo=0.0, phase_deg=90.0, known=known)(x, 0.0, rng(3))
        for known in (False, True)
    )
    torch.testing.assert_close(blind.y, 1j * blind.h * x)
    torch.testing.assert_close(told.h, 1j * blind.h)
    assert torch.equal(told.y, blind.y)
    assert stats.kstest(blind.h[:, 0].abs().square().numpy(), stats.expon.cdf).pvalue > 1e-3


@pytest.mark.parametrize("snr_db", [0.0, 8.0])
@pytest.mark.parametrize("phase_deg", [-20.0, 35.0, 50.0])
def test_error_rate_under_a_constant_phase(snr_db: float, phase_deg: float) -> None:
    rate, error = qpsk_errors(CarrierError(cfo=0.0, phase_deg=phase_deg), snr_db, 10)
    expected = float(theory.ber_qpsk_phase_error(snr_db, math.radians(phase_deg)))
    assert abs(rate - expected) < 4 * error
    assert expected - float(theory.ber_awgn(2, snr_db)) > 8 * error


def test_error_rate_under_a_frequency_offset_is_the_mean_over_its_phases() -> None:
    cfo, num_symbols = 2e-3, 50
    rate, error = qpsk_errors(CarrierError(cfo=cfo), 6.0, num_symbols)
    phases = 2 * math.pi * cfo * np.arange(num_symbols)
    assert abs(rate - float(theory.ber_qpsk_phase_error(6.0, phases).mean())) < 4 * error


def test_error_rate_with_the_phase_known_is_that_of_awgn() -> None:
    channel = CarrierError(cfo=0.01, random_phase=True, linewidth=0.01, known=True)
    rate, error = qpsk_errors(channel, 4.0, 10)
    assert abs(rate - float(theory.ber_awgn(2, 4.0))) < 4 * error


def test_closed_form_at_the_angles_that_are_known() -> None:
    snr_db = np.array([-5.0, 3.0, 10.0])
    np.testing.assert_allclose(theory.ber_qpsk_phase_error(snr_db, 0.0), theory.ber_awgn(2, snr_db))
    # On the border of the decision regions one bit is a coin, the other has all the energy.
    half = (0.5 + theory.ber_awgn(1, snr_db)) / 2
    np.testing.assert_allclose(theory.ber_qpsk_phase_error(snr_db, math.pi / 4), half)
    np.testing.assert_allclose(theory.ber_qpsk_phase_error(snr_db, math.pi / 2), 0.5)
    inverted = 1 - theory.ber_awgn(2, snr_db)
    np.testing.assert_allclose(theory.ber_qpsk_phase_error(snr_db, math.pi), inverted)
    assert theory.ber_qpsk_phase_error(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4)


def test_pilots_find_a_constant_phase() -> None:
    """QPSK on Rayleigh blocks, as in tests/channels/theory/test_ber.py: the phase adds nothing."""
    num_pilots, snr = 2, 10**1.2
    channel = CarrierError(over=f"rayleigh:block_length={num_pilots + 1}", cfo=0.0, phase_deg=70.0)
    assert channel.block_length == num_pilots + 1
    generator = rng(11)
    bits = torch.randint(0, 2, (100_000,), generator=generator, dtype=torch.uint8)
    frame = insert_pilots(modulate(bits, 2), num_pilots, channel.block_length)
    sent = channel(frame, 1 / snr, generator)
    output = remove_pilots(sent.y, sent.noise_var, num_pilots, channel.block_length)
    wrong = ((demodulate(*output, 2) > 0) != (bits == 1)).double().reshape(-1, 2).mean(dim=-1)
    rho2 = snr**2 / ((1 + snr) * (snr + 1 / num_pilots))
    expected = 0.5 * (1 - math.sqrt(rho2 / (2 - rho2)))
    assert abs(float(wrong.mean()) - expected) < 4 * float(wrong.std()) / math.sqrt(len(wrong))


def test_without_an_error_it_is_the_underlying_channel() -> None:
    x = modulate(torch.randint(0, 2, (50, 20), generator=rng(1), dtype=torch.uint8), 2)
    ours = CarrierError(over="rayleigh", cfo=0.0)(x, 0.1, rng())
    theirs = RayleighBlock()(x, 0.1, rng())
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cfo=0.51", r"cfo must be between -0.5 and 0.5 cycles per symbol, got 0.51"),
        ("cfo=nan", "cfo must be between"),
        ("phase_deg=inf", "phase_deg must be between -360 and 360 degrees, got inf"),
        ("linewidth=-1e-3", "linewidth must be between 0 and 1 per symbol, got -0.001"),
        ("linewidth=nan", "linewidth must be between 0 and 1"),
        ("known=perhaps", "known must be true or false"),
        ("over=ofdm", "a carrier error needs a flat fading channel, not Ofdm"),
        ("over=mimo", "a carrier error needs a flat fading channel, not Mimo"),
        ("over=clipping", "a carrier error needs a flat fading channel, not Clipping"),
        ("over=nothing", "unknown channel 'nothing'"),
    ],
)
def test_bad_options_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CHANNELS.create(f"carrier_error:{spec}")


def test_ofdm_does_not_go_over_an_error_that_it_would_lose() -> None:
    with pytest.raises(ValueError, match="CarrierError reports, and would lose the error"):
        Ofdm(over="carrier_error:cfo=0.1", estimation="perfect")
