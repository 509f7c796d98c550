import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.codecs.base import BudgetTooSmallError
from semcom.codecs.parts.rate_control import best_level, model_level


@given(
    steps=st.lists(st.integers(1, 5000), min_size=1, max_size=60),
    guess=st.integers(-5, 80),
    max_bits=st.integers(1, 100_000),
)
def test_finds_the_last_level_that_fits(steps, guess, max_bits):
    sizes = [sum(steps[: i + 1]) for i in range(len(steps))]
    asked = []

    def size_bits(level):
        asked.append(level)
        return sizes[level]

    fitting = [level for level, size in enumerate(sizes) if size <= max_bits]
    levels = range(len(sizes))
    if not fitting:
        with pytest.raises(BudgetTooSmallError) as caught:
            best_level(size_bits, levels, max_bits, guess=guess, slope=0.1, tolerance=0)
        assert caught.value.num_bits == sizes[0]
    else:
        found = best_level(size_bits, levels, max_bits, guess=guess, slope=0.1, tolerance=0)
        assert found == fitting[-1]
    assert len(asked) == len(set(asked)) <= 6 + math.log2(len(sizes)) + 1


def test_stops_within_the_tolerance():
    asked = []

    def size_bits(level):
        asked.append(level)
        return round(1000 * 1.01**level)

    level = best_level(size_bits, range(500), 30_000, guess=10, slope=0.01, tolerance=0.02)
    assert 0.98 * 30_000 <= size_bits(level) <= 30_000
    assert len(asked) <= 4


def test_a_size_that_does_not_grow_everywhere_still_ends():
    sizes = [100, 90, 120, 110, 150, 140, 200]
    level = best_level(sizes.__getitem__, range(7), 145, guess=6, slope=0.1, tolerance=0)
    assert sizes[level] <= 145


def test_a_model_of_exact_exponentials_is_exact():
    """Two sizes give the line; the level and the slope follow."""
    asked = []

    def size_bits(level):
        asked.append(level)
        return round(1e5 * 1.03**level)

    search = {"levels": range(500), "guess": 10, "slope": 0.05, "tolerance": 0.3}
    level, slope = model_level(size_bits, 1e5 * 1.03**200, **search)
    assert level == pytest.approx(200, abs=1)
    assert slope == pytest.approx(math.log(1.03), rel=1e-3)
    assert len(asked) <= 4


@given(sizes=st.lists(st.integers(1, 100_000), min_size=1, max_size=60), budget=st.floats(-10, 1e6))
def test_a_model_of_anything_ends_at_a_level(sizes, budget):
    asked = []

    def size_bits(level):
        asked.append(level)
        return sizes[level]

    search = {"levels": range(len(sizes)), "guess": 7, "slope": 0.1, "tolerance": 0.1}
    level, slope = model_level(size_bits, budget, **search)
    assert 0 <= level < len(sizes)
    assert slope > 0
    assert len(asked) <= 8
