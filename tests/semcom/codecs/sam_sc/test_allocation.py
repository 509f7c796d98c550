"""Symbols for cells: the best division of a budget, by importance alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.codecs.parts.cells import levels_of, weights_of
from semcom.codecs.sam_sc.allocation import COUNTS, MOST, SNRS_DB, SYMBOLS, allocate, error_curve

counts, snrs = np.meshgrid(COUNTS, SNRS_DB, indexing="ij")
ERRORS = 0.1 / (1 + counts) + 0.1 * 10 ** (-snrs / 10)
"""A made-up table in the form of a measured one."""


@given(
    levels=st.lists(st.integers(-8, 8), min_size=1, max_size=12), budget=st.integers(1, 12 * MOST)
)
def test_no_other_division_has_less_weighted_error(levels, budget):
    """For a convex curve, giving symbols one by one to whoever gains most is optimal."""
    curve = 1 / (1.0 + np.arange(MOST + 1))
    levels = np.array(levels, dtype=np.int8)
    weights = weights_of(levels).astype(np.float64)
    found = allocate(levels, budget, curve).astype(int)
    assert found.sum() == min(budget, MOST * len(levels))
    best = np.zeros(len(levels), int)
    for _ in range(found.sum()):
        gains = np.where(
            best < MOST, weights * (curve[best] - curve[np.minimum(best + 1, MOST)]), -1
        )
        best[np.argmax(gains)] += 1
    assert (weights * curve[found]).sum() == pytest.approx((weights * curve[best]).sum())


def test_equal_cells_get_equal_symbols():
    found = allocate(np.zeros((5, 7), np.int8), 35 * 20 + 3, error_curve(ERRORS, 10))
    assert sorted(np.unique(found, return_counts=True)[1]) == [3, 32]
    assert set(found.reshape(-1)) == {20, 21}


def test_important_cells_get_more():
    w = np.full((64, 96), 0.5, np.float32)
    w[:32, :48] = 2.5
    found = allocate(levels_of(w), 24 * 20, error_curve(ERRORS, 10))
    assert found.shape == (4, 6)
    assert found[:2, :3].min() > found[2:].max()
    assert found.sum() == 24 * 20


def test_the_curve_goes_through_what_was_measured():
    for k, snr_db in enumerate(SNRS_DB):
        curve = error_curve(ERRORS, snr_db)
        assert curve[list(COUNTS)] == pytest.approx(ERRORS[:, k])
        assert (np.diff(curve) <= 1e-12).all()


def test_sending_everything_twice_is_worth_3_db():
    twice, better = error_curve(ERRORS, 10)[2 * SYMBOLS], error_curve(ERRORS, 10 + 10 * np.log10(2))
    assert twice == pytest.approx(better[SYMBOLS])


def test_levels_are_of_mean_importance_and_cover_the_border():
    w = np.ones((17, 32), np.float32)
    w[:16, 16:] = 4
    w[16, :] = 0
    assert levels_of(w).tolist() == [[0, 4], [-20, -20]]
    assert weights_of(levels_of(w))[0].tolist() == [1, 4]
