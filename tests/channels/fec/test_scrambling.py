import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.fec.scrambling import gold_sequence


def shift_registers(length: int, c_init: int) -> list[int]:
    """Clock the two registers of TS 38.211 §5.2.1 one bit at a time."""
    first = [1] + [0] * 30
    second = [c_init >> i & 1 for i in range(31)]
    for n in range(1600 + length - 31):
        first.append(first[n + 3] ^ first[n])
        second.append(second[n + 3] ^ second[n + 2] ^ second[n + 1] ^ second[n])
    return [a ^ b for a, b in zip(first, second, strict=True)][1600 : 1600 + length]


@pytest.mark.parametrize("c_init", [0, 1, 12345, 2**31 - 1])
@pytest.mark.parametrize("length", [0, 1, 31, 5000])
def test_equals_the_registers_clocked_bit_by_bit(length, c_init):
    assert gold_sequence(length, c_init).tolist() == shift_registers(length, c_init)


@given(st.integers(0, 4000), st.integers(0, 2**31 - 1))
def test_is_the_same_at_any_length(length, c_init):
    longer = gold_sequence(4000, c_init)
    assert (gold_sequence(length, c_init) == longer[:length]).all()
    assert longer.dtype == np.uint8


def test_is_balanced_and_uncorrelated():
    # n fair bits have mean 1/2 within 5/(2·sqrt(n)) but for 1 case in 1.7 million. States of few
    # ones, such as 1 and 2, mix too slowly for that; so does the standard's sequence.
    n = 100_000
    a, b = gold_sequence(n, 12345).astype(int), gold_sequence(n, 54321).astype(int)
    bound = 5 / (2 * np.sqrt(n))
    for bits in (a, b, a ^ b, a[1:] ^ a[:-1]):
        assert abs(bits.mean() - 0.5) < bound


def test_cannot_be_spoilt_by_a_caller():
    with pytest.raises(ValueError, match="read-only"):
        gold_sequence(10, 3)[0] = 1


@pytest.mark.parametrize(("length", "c_init"), [(-1, 0), (10, -1), (10, 2**31)])
def test_refuses_by_value(length, c_init):
    with pytest.raises(ValueError, match=r"must be .* got"):
        gold_sequence(length, c_init)
