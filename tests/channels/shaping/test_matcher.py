"""The matcher numbers sequences one to one, and its counts need the least energy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import InputError
from channels.shaping.matcher import Matcher, cheapest_counts


@pytest.mark.parametrize("counts", [(2, 1), (3, 2, 1), (1, 0, 4), (2, 2, 1, 1)])
def test_numbers_are_those_of_the_sorted_list_of_all_sequences(counts: tuple[int, ...]) -> None:
    letters = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    every = sorted(set(itertools.permutations(letters.tolist())))
    matcher = Matcher(counts)
    assert matcher.num_bits == int(math.log2(len(every)))
    for number, sequence in enumerate(every):
        assert tuple(matcher.sequence(number).tolist()) == sequence
        assert matcher.index(np.array(sequence, dtype=np.uint8)) == number


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any), st.data())
def test_every_number_comes_back(counts: list[int], data: st.DataObject) -> None:
    matcher = Matcher(tuple(counts))
    number = data.draw(st.integers(0, 2**matcher.num_bits - 1))
    sequence = matcher.sequence(number)
    assert np.bincount(sequence, minlength=len(counts)).tolist() == counts
    assert matcher.index(sequence) == number


def test_other_counts_have_no_number() -> None:
    assert Matcher((2, 1)).index(np.array([1, 1, 0], dtype=np.uint8)) is None


@given(st.integers(10, 3000), st.sampled_from([2, 4, 8]), st.floats(0, 0.97))
def test_the_counts_carry_what_they_must(length: int, levels: int, share: float) -> None:
    bits = int(share * (length * math.log2(levels) - levels * math.log2(length + 1)))
    if bits < 0:
        return
    counts = cheapest_counts(length, levels, bits)
    assert sum(counts) == length
    assert Matcher(counts).num_bits >= bits


def test_the_counts_follow_maxwell_and_boltzmann_with_a_small_loss_of_rate() -> None:
    length, bits = 10_000, 15_000
    frequencies = np.array(cheapest_counts(length, 4, bits)) / length
    slopes = np.diff(np.log(frequencies)) / np.diff(np.arange(1, 8, 2.0) ** 2)
    assert slopes == pytest.approx(slopes[0], rel=0.01)
    entropy = -(frequencies * np.log2(frequencies)).sum()
    assert 0 < entropy - bits / length < 1.5 * math.log2(length) / length + 1e-3


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="one above 0"):
        Matcher((0, 0))
    with pytest.raises(InputError, match="below 3"):
        Matcher((2, 1)).sequence(3)
    with pytest.raises(InputError, match="cannot carry 2001 bits"):
        cheapest_counts(1000, 4, 2001)
