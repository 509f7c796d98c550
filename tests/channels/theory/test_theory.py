"""The closed forms against brute force, quadrature, limits and each other."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from channels import theory
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighBlock, RayleighFast
from channels.models.rician import RicianBlock, RicianFast
from channels.modulation import constellation, demodulate, modulate
from channels.units import BITS_PER_SYMBOL, awgn_capacity, db_to_linear, noise_var_from_snr_db

SNRS_DB = np.arange(-10.0, 31.0, 5.0)


def ber_by_regions(bits_per_symbol: int, snr_db: float) -> float:
    """Gaussian mass of every decision interval of the PAM axis, times the bits that it flips."""
    dimensions = 1 if bits_per_symbol == 1 else 2
    num_bits = bits_per_symbol // dimensions
    index = np.arange(2**num_bits)
    levels = 2.0 * index - (2**num_bits - 1)
    levels /= math.sqrt(dimensions * np.mean(levels**2))
    edges = np.concatenate(([-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]))
    sigma = math.sqrt(noise_var_from_snr_db(snr_db) / 2)
    mass = np.diff(stats.norm.cdf((edges - levels[:, None]) / sigma), axis=1)
    gray = index ^ (index >> 1)
    flips = ((gray[:, None, None] ^ gray[:, None]) >> np.arange(num_bits) & 1).sum(axis=-1)
    return float((mass * flips).sum() / (len(levels) * num_bits))


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_awgn_ber_against_decision_regions(bits_per_symbol: int) -> None:
    expected = [ber_by_regions(bits_per_symbol, snr_db) for snr_db in SNRS_DB]
    np.testing.assert_allclose(
        theory.ber_awgn(bits_per_symbol, SNRS_DB), expected, rtol=1e-9, atol=1e-14
    )


def test_known_error_rates() -> None:
    # BPSK needs Eb/N0 = 9.588 dB for 1e-5 (Proakis, figure 4.2-4 and any table of Q).
    assert float(theory.ber_awgn(1, 9.588)) == pytest.approx(1e-5, rel=1e-2)
    # Rayleigh at high SNR: 1/(4·SNR).
    assert float(theory.ber_rayleigh(1, 60.0)) == pytest.approx(0.25e-6, rel=1e-5)
    assert float(theory.ber_rayleigh(1, 150.0)) == pytest.approx(0.25e-15, rel=1e-9)


def average(bits_per_symbol: int, snr_db: float, law: stats.rv_continuous) -> float:
    """Mean of the AWGN error rate over a law of |h|, by adaptive quadrature."""

    def integrand(r: float) -> float:
        at = snr_db + 20 * math.log10(r)
        return float(theory.ber_awgn(bits_per_symbol, at)) * float(law.pdf(r))

    return float(integrate.quad(integrand, 1e-12, 6.0, limit=200, epsabs=1e-12)[0])


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
@pytest.mark.parametrize("snr_db", [0.0, 15.0])
def test_fading_ber_against_quadrature(bits_per_symbol: int, snr_db: float) -> None:
    assert float(theory.ber_rayleigh(bits_per_symbol, snr_db)) == pytest.approx(
        average(bits_per_symbol, snr_db, stats.rayleigh(scale=math.sqrt(0.5))), rel=1e-6
    )
    for k_db in (0.0, 10.0):
        k = db_to_linear(k_db)
        law = stats.rice(b=math.sqrt(2 * k), scale=math.sqrt(0.5 / (k + 1)))
        assert float(theory.ber_rician(bits_per_symbol, snr_db, k_db)) == pytest.approx(
            average(bits_per_symbol, snr_db, law), rel=1e-6
        )


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_rician_lies_between_rayleigh_and_awgn(bits_per_symbol: int) -> None:
    np.testing.assert_allclose(
        theory.ber_rician(bits_per_symbol, SNRS_DB, -80.0),
        theory.ber_rayleigh(bits_per_symbol, SNRS_DB),
        rtol=1e-6,
    )
    low = SNRS_DB[:4]
    np.testing.assert_allclose(
        theory.ber_rician(bits_per_symbol, low, 60.0), theory.ber_awgn(bits_per_symbol, low), 1e-3
    )


def test_shapes_follow_the_input() -> None:
    grid = np.zeros((2, 3))
    for result in (
        theory.ber_awgn(4, grid),
        theory.ber_rayleigh(4, grid),
        theory.ber_rician(4, grid, 3.0),
        theory.rayleigh_capacity(grid),
        theory.outage_rayleigh(grid, 1.0),
        theory.outage_rician(grid, 1.0, 3.0),
        theory.bicm_mutual_information(4, grid),
        theory.normal_approximation_bler(100, 200, grid),
    ):
        assert result.shape == (2, 3)
        assert result.dtype == np.float64
    assert theory.ber_awgn(4, 3.0).shape == ()


@pytest.mark.parametrize("snr_db", [-30.0, -17.0, -16.9, 0.0, 10.0, 30.0])
def test_rayleigh_capacity_against_quadrature(snr_db: float) -> None:
    snr = db_to_linear(snr_db)
    expected = integrate.quad(
        lambda g: math.log2(1 + snr * g) * math.exp(-g), 0, 60, epsabs=1e-14, limit=200
    )[0]
    capacity = float(theory.rayleigh_capacity(snr_db))
    assert capacity == pytest.approx(expected, rel=1e-8)
    assert capacity < awgn_capacity(snr_db)


def test_rayleigh_capacity_has_no_step_where_the_series_begins() -> None:
    x = 50 * np.array([1 - 1e-9, 1 + 1e-9])
    low, high = theory.rayleigh_capacity(-10 * np.log10(x))
    assert low == pytest.approx(high, rel=1e-8)
    assert float(theory.rayleigh_capacity(-290.0)) == pytest.approx(1e-29 / math.log(2), rel=1e-9)


@pytest.mark.parametrize("k_db", [None, 0.0, 6.0])
def test_outage_is_that_of_the_channel(k_db: float | None) -> None:
    snr_db, rate, trials = 8.0, 1.5, 40_000
    x = torch.ones(trials, 1, dtype=torch.complex64)
    channel = RayleighBlock() if k_db is None else RicianBlock(k_db=k_db)
    gain = channel(x, 0.0, torch.Generator().manual_seed(4)).h.abs().square()
    measured = float((torch.log2(1 + db_to_linear(snr_db) * gain) < rate).double().mean())
    if k_db is None:
        expected = float(theory.outage_rayleigh(snr_db, rate))
    else:
        expected = float(theory.outage_rician(snr_db, rate, k_db))
    assert abs(measured - expected) < 4 * math.sqrt(expected * (1 - expected) / trials)


def test_outage_is_the_inverse_of_the_quantile() -> None:
    for p in (1e-4, 0.1, 0.9):
        for channel in (RayleighBlock(), RicianBlock(k_db=4.0)):
            rate = math.log2(1 + db_to_linear(7.0) * channel.gain_quantile(p))
            got = (
                theory.outage_rayleigh(7.0, rate)
                if isinstance(channel, RayleighBlock)
                else theory.outage_rician(7.0, rate, 4.0)
            )
            assert float(got) == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_mutual_information_lies_under_its_bounds(bits_per_symbol: int) -> None:
    snr_db = np.arange(-40.0, 45.0, 1.0)
    information = theory.bicm_mutual_information(bits_per_symbol, snr_db)
    assert bool((information <= awgn_capacity(snr_db) * (1 + 1e-9)).all())  # but for rounding
    assert bool((information <= bits_per_symbol).all())
    assert bool((np.diff(information) >= -1e-9).all())
    assert information[-1] == pytest.approx(bits_per_symbol, abs=1e-6)
    assert 0 < information[0] < 2e-4


def test_qpsk_is_two_bpsk() -> None:
    np.testing.assert_allclose(
        theory.bicm_mutual_information(2, SNRS_DB + 10 * math.log10(2)),
        2 * theory.bicm_mutual_information(1, SNRS_DB),
        rtol=1e-9,
    )


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
@pytest.mark.parametrize("db_per_bit", [0.0, 2.5])
def test_mutual_information_is_what_the_demapper_delivers(
    bits_per_symbol: int, db_per_bit: float
) -> None:
    """Monte Carlo over the exact LLRs: b - Σ E log2(1 + exp(∓LLR))."""
    snr_db = db_per_bit * bits_per_symbol
    rng = torch.Generator().manual_seed(bits_per_symbol)
    bits = torch.randint(0, 2, (40_000 * bits_per_symbol,), generator=rng, dtype=torch.uint8)
    output = Awgn()(modulate(bits, bits_per_symbol), noise_var_from_snr_db(snr_db), rng)
    llr = demodulate(*output, bits_per_symbol, "exact").double()
    loss = torch.nn.functional.softplus((1 - 2.0 * bits) * llr) / math.log(2)
    per_symbol = bits_per_symbol - loss.reshape(-1, bits_per_symbol).sum(dim=-1)
    error = float(per_symbol.std()) / math.sqrt(per_symbol.numel())
    expected = float(theory.bicm_mutual_information(bits_per_symbol, snr_db))
    assert abs(float(per_symbol.mean()) - expected) < 4 * error


def test_mutual_information_against_dense_quadrature() -> None:
    """BPSK: ∫ N(n) log2(1 + exp(-4√γ(√γ+n))) dn, noise variance ½, by the trapezoidal rule."""
    n = np.arange(-8, 8, 1e-3)
    density = np.exp(-(n**2)) / math.sqrt(math.pi) * 1e-3
    for snr_db in (-10.0, 0.0, 5.0, 10.0):
        root = math.sqrt(db_to_linear(snr_db))
        expected = 1 - float(density @ np.logaddexp(0, -4 * root * (root + n))) / math.log(2)
        assert float(theory.bicm_mutual_information(1, snr_db)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("bits_per_symbol", [2, 4, 6, 8])
@pytest.mark.parametrize("db_per_bit", [-1.0, 1.5, 3.0])
def test_mutual_information_of_qam_against_dense_quadrature(
    bits_per_symbol: int, db_per_bit: float
) -> None:
    """I = Σ_bits ∫ ½ Σ_b p(y|b) log2(p(y|b)/p(y)) dy along one axis of the demapper's symbols.

    The trapezoidal rule over what is received; the labels are those of the constellation itself.
    """
    snr_db = db_per_bit * bits_per_symbol
    points = constellation(bits_per_symbol).numpy().astype(np.complex128)
    index = np.arange(len(points))
    sigma = math.sqrt(noise_var_from_snr_db(snr_db) / 2)
    y = np.arange(-3 - 9 * sigma, 3 + 9 * sigma, sigma / 50)
    density = stats.norm.pdf(y, points.real[:, None], sigma)
    expected = 0.0
    for k in range(0, bits_per_symbol, 2):  # b0, b2, … are those of the real axis
        ones = index >> (bits_per_symbol - 1 - k) & 1 == 1
        kinds = np.array([density[ones].mean(axis=0), density[~ones].mean(axis=0)])
        ratio = np.log2(np.maximum(kinds, 1e-300) / np.maximum(kinds.mean(axis=0), 1e-300))
        expected += 2 * float((kinds * ratio).mean(axis=0).sum()) * sigma / 50
    information = float(theory.bicm_mutual_information(bits_per_symbol, snr_db))
    assert information == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("bits_per_symbol", "snr_db"), [(1, 3.0), (2, -20.0), (2, 5.0), (4, 12.0), (8, 25.0)]
)
def test_effective_snr_of_awgn_is_the_snr(bits_per_symbol: int, snr_db: float) -> None:
    got = theory.effective_snr_db(bits_per_symbol, snr_db + 0.07, Awgn().gain_quantile)
    assert got == pytest.approx(snr_db + 0.07, abs=0.01)


@pytest.mark.parametrize("quantile", [RayleighFast().gain_quantile, RicianFast().gain_quantile])
@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_effective_snr_carries_the_mean_information(
    bits_per_symbol: int, quantile: Callable[[float], float]
) -> None:
    mean_snr_db = 3.0 * bits_per_symbol
    effective = theory.effective_snr_db(bits_per_symbol, mean_snr_db, quantile)
    assert effective < mean_snr_db
    p = (np.arange(2000) + 0.5) / 2000
    snrs_db = mean_snr_db + 10 * np.log10([quantile(float(q)) for q in p[::4]])
    mean = theory.bicm_mutual_information(bits_per_symbol, snrs_db).mean()
    assert float(theory.bicm_mutual_information(bits_per_symbol, effective)) == pytest.approx(
        float(mean), abs=0.01
    )


def test_effective_snr_stays_within_its_table() -> None:
    assert theory.effective_snr_db(2, 200.0, Awgn().gain_quantile) > 15
    assert theory.effective_snr_db(2, -200.0, Awgn().gain_quantile) == pytest.approx(-50)


def test_normal_approximation() -> None:
    """Against the rate form of Polyanskiy et al.: R = C - √(V/n)·Q⁻¹(ε) + log2(n)/(2n)."""
    num_uses, snr = 500, 1.0
    n = 2 * num_uses
    capacity = 0.5
    dispersion = 0.5 * (1 - 1 / (1 + snr) ** 2) * math.log2(math.e) ** 2
    for epsilon in (0.5, 1e-1, 1e-3, 1e-6):
        rate = (
            capacity - math.sqrt(dispersion / n) * stats.norm.isf(epsilon) + math.log2(n) / (2 * n)
        )
        # Round to whole bits: the error rate of k bits lies between those of the real rate ± 1.
        num_bits = n * rate
        below = float(theory.normal_approximation_bler(math.floor(num_bits), num_uses, 0.0))
        above = float(theory.normal_approximation_bler(math.ceil(num_bits), num_uses, 0.0))
        assert below <= epsilon * (1 + 1e-9)
        assert above >= epsilon * (1 - 1e-9)
        assert above < epsilon * 1.2


def test_normal_approximation_falls_with_snr_and_sharpens_with_length() -> None:
    snr_db = np.arange(-10.0, 10.0, 0.5)
    short = theory.normal_approximation_bler(200, 400, snr_db)
    long = theory.normal_approximation_bler(2000, 4000, snr_db)
    for rates in (short, long):
        assert bool((np.diff(rates) <= 0).all())
        assert bool(((rates >= 0) & (rates <= 1)).all())
    at = float(np.interp(1e-3, short[::-1], snr_db[::-1]))
    assert float(np.interp(at, snr_db, long)) < 1e-3


def test_bad_requests_are_refused() -> None:
    for call in (
        lambda: theory.ber_awgn(3, 0.0),
        lambda: theory.ber_rayleigh(3, 0.0),
        lambda: theory.ber_rician(3, 0.0, 6.0),
        lambda: theory.bicm_mutual_information(3, 0.0),
        lambda: theory.effective_snr_db(3, 0.0, Awgn().gain_quantile),
    ):
        with pytest.raises(ValueError, match=r"one of 1, 2, 4, 6, 8, got 3"):
            call()
    with pytest.raises(ValueError, match=r"must be at least 1, got 0 and 10"):
        theory.normal_approximation_bler(0, 10, 0.0)
