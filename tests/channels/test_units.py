"""Conversions of units: exact where they can be, inverse to each other, and strict on input."""

import doctest
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import units


@given(st.floats(-200, 200))
def test_decibels_and_back(db: float) -> None:
    assert units.linear_to_db(units.db_to_linear(db)) == pytest.approx(db, abs=1e-9)


def test_known_decibels() -> None:
    assert units.db_to_linear(0.0) == 1.0
    assert units.db_to_linear(20.0) == pytest.approx(100.0, rel=1e-15)
    assert units.linear_to_db(2.0) == pytest.approx(3.0103, abs=1e-5)
    assert units.linear_to_db(0.0) == -math.inf


def test_decibels_of_arrays() -> None:
    ratio = np.array([0.1, 1.0, 10.0])
    np.testing.assert_allclose(units.linear_to_db(ratio), [-10, 0, 10], atol=1e-12)
    np.testing.assert_allclose(units.db_to_linear(units.linear_to_db(ratio)), ratio)


@pytest.mark.parametrize("ratio", [-1.0, math.nan])
def test_a_negative_ratio_has_no_decibels(ratio: float) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        units.linear_to_db(ratio)


def test_noise_is_the_inverse_of_snr() -> None:
    for snr_db in (-10.0, 0.0, 23.0):
        assert units.noise_var_from_snr_db(snr_db) * units.db_to_linear(snr_db) == pytest.approx(1)


def test_energy_per_bit() -> None:
    # 16-QAM at rate 1/2 carries 2 bits per symbol: Es = 2 Eb.
    assert units.esn0_db_from_ebn0_db(5.0, 4, 0.5) == pytest.approx(5 + 10 * math.log10(2))
    assert units.esn0_db_from_ebn0_db(5.0, 1) == 5.0
    assert units.ebn0_db_from_esn0_db(
        units.esn0_db_from_ebn0_db(3.3, 6, 0.75), 6, 0.75
    ) == pytest.approx(3.3)


@pytest.mark.parametrize(("bits", "rate"), [(0, 0.5), (2, 0.0), (2, 1.5), (2, math.nan)])
def test_energy_per_bit_refuses(bits: int, rate: float) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        units.esn0_db_from_ebn0_db(0.0, bits, rate)


def test_capacity() -> None:
    assert units.awgn_capacity(0.0) == pytest.approx(1.0, rel=1e-15)
    assert units.awgn_capacity(units.linear_to_db(15.0)) == pytest.approx(4.0)
    np.testing.assert_allclose(
        units.awgn_capacity(np.array([-100.0])), 1e-10 / math.log(2), rtol=1e-9
    )


def test_budget_of_the_kodak_format_is_exact() -> None:
    assert units.symbol_budget(Fraction(1, 16), 512, 768) == 73728
    assert units.symbol_budget(1 / 16, 512, 768) == 73728
    assert units.cbr(73728, 512, 768) == 1 / 16


@given(st.integers(1, 5_000_000), st.integers(1, 4000), st.integers(1, 4000))
def test_budget_inverts_cbr(num_symbols: int, height: int, width: int) -> None:
    samples = 3 * height * width
    assert units.symbol_budget(Fraction(num_symbols, samples), height, width) == num_symbols
    assert units.symbol_budget(units.cbr(num_symbols, height, width), height, width) == num_symbols


@given(st.fractions(Fraction(1, 10_000), 4, max_denominator=10_000), st.integers(1, 3000))
def test_budget_rounds_down(ratio: Fraction, side: int) -> None:
    samples = 3 * side * side
    symbols = units.symbol_budget(ratio, side, side)
    assert symbols <= ratio * samples < symbols + 1
    assert units.symbol_budget(float(ratio), side, side) == symbols


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, Fraction(-1, 2)])
def test_budget_refuses(value: float) -> None:
    with pytest.raises(ValueError, match="CBR must be positive"):
        units.symbol_budget(value, 8, 8)


def test_an_empty_image_has_no_cbr() -> None:
    with pytest.raises(ValueError, match="0 x 8"):
        units.cbr(10, 0, 8)
    with pytest.raises(ValueError, match="num_symbols"):
        units.cbr(-1, 8, 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/16", Fraction(1, 16)),
        (" 3 / 48 ", Fraction(1, 16)),
        ("0.0625", Fraction(1, 16)),
        (".1", Fraction(1, 10)),
        ("1", Fraction(1)),
        ("2.", Fraction(2)),
        ("5e-2", Fraction(1, 20)),
    ],
)
def test_cbr_from_text(text: str, expected: Fraction) -> None:
    assert units.parse_cbr(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "-1/16", "1/0", "0/5", "inf", "nan", "1/16/2", "a", "1e999999999", "0.5/3"]
)
def test_cbr_text_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"CBR must be a positive number such as 1/16"):
        units.parse_cbr(text)


@pytest.mark.parametrize("bits", [0, 3, 5, 10, -2])
def test_unknown_modulation(bits: int) -> None:
    with pytest.raises(ValueError, match=rf"one of 1, 2, 4, 6, 8, got {bits}"):
        units.check_bits_per_symbol(bits)


def test_examples_in_docstrings() -> None:
    result = doctest.testmod(units)
    assert result.attempted > 0
    assert result.failed == 0
