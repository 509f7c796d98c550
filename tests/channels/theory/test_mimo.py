"""Closed forms for several antennas against quadrature, limits and drawn matrices."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from channels import theory
from channels.theory.mimo import ber_zf, mimo_capacity
from channels.units import BITS_PER_SYMBOL, db_to_linear

SNRS_DB = np.array([-20.0, -5.0, 0.0, 10.0, 25.0])


def gamma_mean(value: Callable[[float], float], shape: int) -> float:
    law = stats.gamma(shape)
    # Per decade, since error rates change over many.
    edges = [0.0, *(10.0**k for k in range(-6, 1)), 3.0, 10.0, 40.0, 100.0]
    parts = (
        integrate.quad(lambda g: value(g) * law.pdf(g), low, high, epsabs=0, epsrel=1e-11)[0]
        for low, high in pairwise(edges)
    )
    return float(sum(parts))


@pytest.mark.parametrize("bits_per_symbol", BITS_PER_SYMBOL)
def test_one_branch_is_rayleigh(bits_per_symbol: int) -> None:
    one = theory.ber_mrc(bits_per_symbol, 1, SNRS_DB)
    np.testing.assert_allclose(one, theory.ber_rayleigh(bits_per_symbol, SNRS_DB), rtol=1e-12)


@pytest.mark.parametrize("bits_per_symbol", [1, 4])
@pytest.mark.parametrize("num_branches", [2, 5])
@pytest.mark.parametrize("snr_db", [-5.0, 12.0])
def test_combining_against_quadrature(
    bits_per_symbol: int, num_branches: int, snr_db: float
) -> None:
    def rate(gain: float) -> float:
        return float(theory.ber_awgn(bits_per_symbol, snr_db + 10 * math.log10(gain)))

    expected = gamma_mean(rate, num_branches)
    assert float(theory.ber_mrc(bits_per_symbol, num_branches, snr_db)) == pytest.approx(
        expected, rel=1e-8
    )


def test_order_of_diversity() -> None:
    """At high SNR, BPSK: C(2L-1, L)/(4·SNR)^L (Proakis, equation 14.4-18)."""
    for num_branches in (1, 2, 4):
        limit = math.comb(2 * num_branches - 1, num_branches) / (4 * 1e5) ** num_branches
        assert float(theory.ber_mrc(1, num_branches, 50.0)) == pytest.approx(limit, rel=1e-3)


def test_zero_forcing_with_spare_antennas() -> None:
    at_half = SNRS_DB - 10 * math.log10(2)
    np.testing.assert_allclose(ber_zf(4, 2, 4, SNRS_DB), theory.ber_mrc(4, 3, at_half))
    np.testing.assert_allclose(ber_zf(2, 1, 1, SNRS_DB), theory.ber_rayleigh(2, SNRS_DB))


def test_capacity_of_one_antenna_is_that_of_rayleigh() -> None:
    np.testing.assert_allclose(
        mimo_capacity(1, 1, SNRS_DB), theory.rayleigh_capacity(SNRS_DB), rtol=1e-10
    )


@pytest.mark.parametrize("num", [2, 4])
@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_capacity_of_one_stream_against_quadrature(num: int, snr_db: float) -> None:
    """E log2(1 + c·g), g ~ Gamma(num): c = SNR for antennas that receive, SNR/num if they send."""
    snr = db_to_linear(snr_db)
    for antennas, c in (((1, num), snr), ((num, 1), snr / num)):
        expected = gamma_mean(lambda g, c=c: math.log2(1 + c * g), num)
        assert float(mimo_capacity(*antennas, snr_db)) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("num_tx", "num_rx"), [(2, 2), (4, 4), (2, 4), (4, 2), (3, 8)])
@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_capacity_is_the_mean_over_drawn_matrices(num_tx: int, num_rx: int, snr_db: float) -> None:
    num = 20_000
    rng = np.random.default_rng(num_tx + 10 * num_rx)
    h = rng.normal(size=(num, num_rx, num_tx, 2)).view(np.complex128)[..., 0] / math.sqrt(2)
    singular = np.linalg.svd(h, compute_uv=False)
    bits = np.log2(1 + db_to_linear(snr_db) / num_tx * singular**2).sum(axis=-1)
    error = 4 * float(bits.std()) / math.sqrt(num)
    assert abs(float(bits.mean()) - float(mimo_capacity(num_tx, num_rx, snr_db))) < error


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_capacity_per_antenna_nears_that_of_many(snr_db: float) -> None:
    """n antennas each end, n → ∞: 2·log2((1+s)/2) - log2(e)·(s-1)²/(4·SNR), s = √(1+4·SNR).

    S. Verdú, S. Shamai, "Spectral efficiency of CDMA with random spreading", IEEE Trans. Inf.
    Theory 45(2), 1999, with as many users as chips; the gap falls with 1/n².
    """
    snr = db_to_linear(snr_db)
    s = math.sqrt(1 + 4 * snr)
    limit = 2 * math.log2((1 + s) / 2) - math.log2(math.e) * (s - 1) ** 2 / (4 * snr)
    gaps = [float(mimo_capacity(n, n, snr_db)) / n - limit for n in (8, 16, 32)]
    assert gaps[0] > gaps[1] > gaps[2] > 0
    for wide, narrow in pairwise(gaps):
        assert wide / narrow == pytest.approx(4, rel=0.1)
    assert gaps[2] < 2e-4 * limit


def test_capacity_at_high_snr_grows_with_the_smaller_number_of_antennas() -> None:
    for antennas, slope in (((2, 2), 2), ((4, 4), 4), ((2, 8), 2), ((8, 3), 3)):
        low, high = mimo_capacity(*antennas, [40.0, 50.0])
        assert float(high - low) == pytest.approx(slope * math.log2(10), rel=0.01)


def test_shapes_follow_the_input() -> None:
    grid = np.zeros((2, 3))
    for result in (theory.ber_mrc(2, 3, grid), ber_zf(2, 2, 2, grid), mimo_capacity(2, 2, grid)):
        assert result.shape == (2, 3)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="num_branches must be at least 1, got 0"):
        theory.ber_mrc(2, 0, 0.0)
    with pytest.raises(ValueError, match="zero forcing needs 1 <= num_tx <= num_rx, got 3 and 2"):
        ber_zf(2, 3, 2, 0.0)
    with pytest.raises(ValueError, match="antennas must be at least 1 at each end, got 0 and 2"):
        mimo_capacity(0, 2, 0.0)
