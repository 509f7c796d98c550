"""Rates of shaped constellations: against the mutual information, capacity, and each other."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from channels.errors import InputError
from channels.theory import bicm_mutual_information
from channels.theory.shaping import (
    best_levels,
    bit_metric_rate,
    geometric_rate,
    probabilistic_rate,
)
from channels.units import awgn_capacity

SNRS_DB = (1.0, 4.0, 7.0, 10.0, 13.0)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_equally_likely_equidistant_levels_have_the_known_information(bits: int) -> None:
    levels = np.arange(1.0 - 2 ** (bits // 2), 2 ** (bits // 2), 2)
    even = np.full(len(levels), 1 / len(levels))
    for snr_db in SNRS_DB:
        expected = float(bicm_mutual_information(bits, snr_db))
        assert bit_metric_rate(levels, even, snr_db) == pytest.approx(expected, abs=1e-5)


def test_two_unequal_levels_agree_with_numerical_integration() -> None:
    """One bit per axis: ``H(A) - H(A|Y) = h(Y) - h(noise)``."""
    levels, odds, snr = np.array([-1.0, 1.0]), np.array([0.3, 0.7]), 10**0.2
    a = levels * np.sqrt(0.5)

    def density(y: float) -> float:
        return float(odds @ norm.pdf(y, a, np.sqrt(0.5 / snr)))

    entropy = quad(lambda y: -density(y) * np.log2(density(y)), -6, 6)[0]
    expected = 2 * (entropy - 0.5 * np.log2(np.pi * np.e / snr))
    assert bit_metric_rate(levels, odds, 2.0) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("snr_db", SNRS_DB)
def test_shaping_lies_between_plain_qam_and_capacity(snr_db: float) -> None:
    for bits in (4, 6, 8):
        plain = float(bicm_mutual_information(bits, snr_db))
        assert plain - 1e-3 <= geometric_rate(bits, snr_db) < awgn_capacity(snr_db)
        assert plain - 1e-3 <= probabilistic_rate(bits, snr_db) < awgn_capacity(snr_db)


def test_frequencies_gain_more_than_levels_and_nearly_reach_capacity() -> None:
    assert geometric_rate(6, 10.0) == pytest.approx(3.258, abs=0.002)
    assert awgn_capacity(10.0) - probabilistic_rate(6, 10.0) == pytest.approx(0.012, abs=0.002)


def test_levels_are_symmetric_of_unit_power_and_always_the_same() -> None:
    levels = np.array(best_levels(6, 10.0))
    best_levels.cache_clear()
    assert (levels == best_levels(6, 10.0)).all()
    assert levels == pytest.approx(-levels[::-1])
    assert 2 * np.mean(levels**2) == pytest.approx(1)
    assert levels[4:] == pytest.approx([0.184, 0.316, 0.737, 1.15], abs=2e-3)


def test_bad_constellations_are_refused() -> None:
    with pytest.raises(InputError, match="power of 2, got 3"):
        bit_metric_rate(np.arange(3.0), np.full(3, 1 / 3), 1.0)
    with pytest.raises(InputError, match="sum of 1"):
        bit_metric_rate(np.arange(2.0), np.full(2, 1.0), 1.0)
