"""OFDM: what it costs, how well it estimates, and that its error rates follow the theory."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from channels import theory
from channels.base import ChannelOutput
from channels.catalogue import CHANNELS
from channels.modulation import demodulate, modulate
from channels.ofdm.channel import Ofdm, ofdm_tdl

NUM_ROWS = 600


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ones(*shape: int) -> torch.Tensor:
    return torch.ones(shape, dtype=torch.complex64)


def send_both(noise_var: float, num_symbols: int, **options: float | str) -> list[ChannelOutput]:
    """One realisation as the receiver and as a genie know it; pilots are drawn after the data."""
    x = ones(NUM_ROWS, num_symbols)
    estimated, perfect = (
        CHANNELS.create("ofdm:" + ",".join(f"{k}={v}" for k, v in {**options, **more}.items()))(
            x, noise_var, rng(4)
        )
        for more in ({}, {"estimation": "perfect"})
    )
    assert torch.equal(estimated.y, perfect.y)
    return [estimated, perfect]


@pytest.mark.parametrize(
    ("options", "num_data", "per_slot"),
    [
        ({}, 14 * 72 - 2 * 36, 14 * (72 + 6)),
        ({"pilot_step": 1}, 12 * 72, 14 * (72 + 6)),
        ({"pilot_step": 5, "subcarriers": 12}, 14 * 12 - 2 * 3, 14 * (12 + 1)),
        ({"slot": 1, "pilot_symbols": 1, "prefix_us": 10.0}, 36, 72 + 11),
        ({"pilot_symbols": 0, "estimation": "perfect"}, 14 * 72, 14 * (72 + 6)),
        ({"spacing_khz": 30.0, "prefix_us": 0.0, "over": "awgn"}, 14 * 72 - 2 * 36, 14 * 72),
    ],
)
def test_pilots_and_prefix_are_paid_for(
    options: dict[str, float | str], num_data: int, per_slot: int
) -> None:
    channel = CHANNELS.create("ofdm:" + ",".join(f"{k}={v}" for k, v in options.items()))
    for num_symbols, num_slots in ((1, 1), (num_data, 1), (num_data + 1, 2), (5 * num_data, 5)):
        assert channel.num_uses(num_symbols) == num_slots * per_slot
        assert channel(ones(num_symbols), 0.1, rng()).y.shape == (num_symbols,)
    layout = channel.layout
    assert sorted([*layout.pilots.tolist(), *layout.data.tolist()]) == list(
        range(channel.slot_grid.num_times * channel.slot_grid.num_subcarriers)
    )


def test_a_prefix_of_whole_samples_gains_none() -> None:
    assert Ofdm(prefix_us=10.0, spacing_khz=100.0, subcarriers=10).prefix == 10


@pytest.mark.parametrize("over", ["tdl_a", "tdl_d"])
@pytest.mark.parametrize("estimation", ["ls", "lmmse"])
@pytest.mark.parametrize("snr_db", [0.0, 30.0])
def test_error_of_the_estimate_is_what_it_predicts(
    over: str, estimation: str, snr_db: float
) -> None:
    """At every data element of two slots, and in the mean, with Doppler and a long delay spread."""
    noise_var = 10 ** (-snr_db / 10)
    estimated, perfect = send_both(
        noise_var,
        1_500,
        over=over,
        estimation=estimation,
        delay_spread_ns=300.0,
        doppler_hz=150.0,
    )
    error = (estimated.h - perfect.h).abs().square().double()
    predicted = (estimated.noise_var - noise_var).double()
    assert float((predicted[0] - predicted).abs().max()) == 0  # statistics, not the realisation
    ratio = error / predicted
    assert float((ratio.mean(dim=0) - 1).abs().max()) < 6 / math.sqrt(NUM_ROWS)
    per_row = error.mean(dim=-1)
    bound = 4 * float(per_row.std()) / math.sqrt(NUM_ROWS)
    assert abs(float(per_row.mean()) - float(predicted.mean())) < bound


@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 30.0])
def test_lmmse_errs_less_than_ls(snr_db: float) -> None:
    noise_var = 10 ** (-snr_db / 10)
    predicted = {}
    for estimation in ("ls", "lmmse"):
        options = {"estimation": estimation, "delay_spread_ns": 300.0}
        estimated, perfect = send_both(noise_var, 936, **options)
        measured = (estimated.h - perfect.h).abs().square().mean()
        predicted[estimation] = (estimated.noise_var[0].double() - noise_var, float(measured))
    assert bool((predicted["lmmse"][0] < predicted["ls"][0]).all())
    assert predicted["lmmse"][1] < predicted["ls"][1]


def test_lmmse_error_is_uncorrelated_with_the_estimate() -> None:
    estimated, perfect = send_both(0.1, 100, doppler_hz=100.0)
    product = ((perfect.h - estimated.h) * estimated.h.conj()).mean(dim=0)
    spread = ((perfect.h - estimated.h) * estimated.h.conj()).abs().std(dim=0)
    assert bool((product.abs() < 5 * spread / math.sqrt(NUM_ROWS)).all())


def test_lmmse_of_a_constant_gain_is_the_mean_of_the_pilots() -> None:
    """One gain, P pilots: MMSE N0/(N0 + P), whatever the position."""
    channel = Ofdm(over="rayleigh", pilot_symbols=1, pilot_step=9)
    assert len(channel.estimator.values) == 1  # what else there is in the covariance is rounding
    output = channel(ones(2, 100), 0.5, rng())
    expected = 0.5 + 0.5 / (0.5 + 8)
    torch.testing.assert_close(output.noise_var, torch.full((2, 100), expected))


@pytest.mark.parametrize("subcarriers", [72, 600])
def test_lmmse_without_noise_does_not_blow_up_rounding(subcarriers: int) -> None:
    """The smallest eigenvalues that count lie far below what single precision resolves."""
    channel = Ofdm(over="tdl_c", delay_spread_ns=500.0, doppler_hz=0.0, subcarriers=subcarriers)
    y, h, noise_var = channel(ones(4, 3_000), 0.0, rng())
    assert float((y - h).abs().square().mean()) < 1e-7
    assert float(noise_var.max()) < 1e-6


def test_ls_between_two_pilots_is_a_straight_line() -> None:
    channel = Ofdm(
        over="tdl_a", estimation="ls", subcarriers=5, slot=1, pilot_symbols=1, pilot_step=4
    )
    pilots = torch.tensor([1.0, 5.0], dtype=torch.complex64)
    estimate, _ = channel.estimator(pilots, torch.tensor([0.0]))
    assert estimate.tolist() == [2, 3, 4]


def qpsk_errors(channel: Ofdm, snr_db: float) -> tuple[float, float, float]:
    """Bit error rate, its standard error, and the mean reported noise."""
    num_rows, num_symbols = 2_500, 40
    generator = rng(6)
    bits = torch.randint(0, 2, (num_rows, 2 * num_symbols), generator=generator, dtype=torch.uint8)
    output = channel(modulate(bits, 2), 10 ** (-snr_db / 10), generator)
    wrong = ((demodulate(*output, 2) > 0) != (bits == 1)).double().mean(dim=-1)
    error = float(wrong.std()) / math.sqrt(num_rows)
    return float(wrong.mean()), error, float(output.noise_var.double().mean())


@pytest.mark.parametrize("over", ["tdl_a", "tdl_c", "rayleigh"])
@pytest.mark.parametrize("snr_db", [5.0, 15.0])
def test_error_rate_with_perfect_knowledge_is_that_of_rayleigh(over: str, snr_db: float) -> None:
    channel = Ofdm(over=over, estimation="perfect", delay_spread_ns=500.0, doppler_hz=200.0)
    rate, error, noise_var = qpsk_errors(channel, snr_db)
    assert noise_var == pytest.approx(10 ** (-snr_db / 10), rel=1e-6)
    assert abs(rate - float(theory.ber_rayleigh(2, snr_db))) < 4 * error


@pytest.mark.parametrize("snr_db", [5.0, 15.0])
def test_error_rate_with_lmmse_is_that_of_its_effective_snr(snr_db: float) -> None:
    """y = ĥx + (ex + n) with ĥ ~ CN(0, 1-σ²) apart from e: Rayleigh at (1-σ²)/(N0+σ²)."""
    channel = Ofdm(over="tdl_b", delay_spread_ns=300.0, doppler_hz=250.0, pilot_symbols=1)
    rate, error, _ = qpsk_errors(channel, snr_db)
    noise_var = 10 ** (-snr_db / 10)
    total = channel(ones(1, 40), noise_var, rng()).noise_var[0].double().numpy()
    effective_db = 10 * np.log10((1 - (total - noise_var)) / total)
    expected = float(theory.ber_rayleigh(2, effective_db).mean())
    assert abs(rate - expected) < 4 * error
    assert expected > 1.05 * float(theory.ber_rayleigh(2, snr_db))


def test_over_awgn_with_perfect_knowledge_is_awgn() -> None:
    channel = Ofdm(over="awgn", estimation="perfect")
    rate, error, _ = qpsk_errors(channel, 4.0)
    assert abs(rate - float(theory.ber_awgn(2, 4.0))) < 4 * error


def test_fading_runs_on_from_slot_to_slot() -> None:
    channel = Ofdm(doppler_hz=10.0, estimation="perfect", subcarriers=8, spacing_khz=15.0)
    num_data = len(channel.layout.data)
    h = channel(ones(NUM_ROWS, 3 * num_data), 0.0, rng()).h
    step = (h[:, num_data] - h[:, num_data - 8]).abs().square().mean()
    apart = (h[:, 2 * num_data] - h[:, 0]).abs().square().mean()
    expected = [
        2 - 2 * float(channel.multipath.correlation(torch.zeros(1), torch.tensor([lag])).real)
        for lag in (channel.slot_grid.period_s, 28 * channel.slot_grid.period_s)
    ]
    for measured, value in zip((step, apart), expected, strict=True):
        assert float(measured) == pytest.approx(value, rel=0.2)


def test_options_reach_the_channel() -> None:
    channel = CHANNELS.create("ofdm:over=jakes:doppler=0.02,estimation=ls")
    assert channel.multipath.channel.doppler == 0.02
    tdl = ofdm_tdl(profile="e", delay_spread_ns=30.0, doppler_hz=7.0, estimation="perfect")
    assert tdl.multipath.line_of_sight
    assert tdl.multipath.max_delay_s == pytest.approx(20.6519 * 30e-9)
    assert tdl.multipath.doppler_hz == 7.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ofdm(over="tdl_x"), "profile must be one of a, b, c, d, e, got 'x'"),
        (lambda: Ofdm(over="ofdm"), "flat fading channel, not Ofdm"),
        (lambda: Ofdm(over="nothing"), "unknown channel 'nothing'"),
        (lambda: Ofdm(over="rayleigh_fast"), "RayleighFast changes.*estimation=perfect"),
        (lambda: Ofdm(over="tdl_e", delay_spread_ns=300.0), "prefix of 5.56 µs .* after 6.2 µs"),
        (lambda: Ofdm(doppler_hz=301.0), r"doppler_hz must be between 0 and 0.02 .*\(300 Hz\)"),
        (lambda: Ofdm(over="awgn", doppler_hz=-1.0), "doppler_hz must be at least 0.*got -1.0$"),
        (lambda: Ofdm(over="awgn", doppler_hz=math.inf), "and finite, got inf$"),
        (lambda: Ofdm(over="jakes:doppler=0.4"), r"doppler of jakes.* at most 0.0217 .* got 0.4"),
        (
            lambda: Ofdm(over="carrier_error:known=true"),
            "carrier error turns .*=perfect$",
        ),
        (lambda: Ofdm(estimation="mmse"), "one of lmmse, ls, perfect, got 'mmse'"),
        (lambda: Ofdm(subcarriers=1), "subcarriers must be between 2 and 1024, got 1"),
        (lambda: Ofdm(spacing_khz=0.0), r"spacing_khz must be between 0.001 and 1e\+06, got 0"),
        (lambda: Ofdm(prefix_us=-1.0), "prefix_us must be between 0 and 10000, got -1"),
        (lambda: Ofdm(slot=0), "slot must be between 1 and 227 OFDM symbols of 72 subc.*got 0"),
        (lambda: Ofdm(slot=228), "slot must be between 1 and 227 OFDM symbols of 72 su.*got 228"),
        (lambda: Ofdm(slot=1001, subcarriers=2, pilot_step=1), "between 1 and 1000 OFDM.*1001"),
        (lambda: Ofdm(slot=200, pilot_symbols=29), "at most 1024 pilots with .* lmmse.*got 1044"),
        (lambda: Ofdm(pilot_symbols=0), "pilot_symbols must be between 1 and the 14"),
        (lambda: Ofdm(pilot_symbols=15), "pilot_symbols must be between 1 and the 14"),
        (lambda: Ofdm(pilot_step=73), "pilot_step must be between 1 and 72"),
        (lambda: Ofdm(pilot_symbols=14, pilot_step=1), "pilots fill the whole slot"),
    ],
)
def test_bad_options_are_refused(make: Callable[[], Ofdm], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_noise_must_not_vary_within_a_transmission() -> None:
    with pytest.raises(ValueError, match="constant within a transmission"):
        Ofdm()(ones(2, 3), torch.ones(2, 3), rng())
