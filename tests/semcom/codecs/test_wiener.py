"""The filter behind the restorer: least squares, in strips, with few bytes."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.restorer import wiener
from semcom.codecs.restorer.wiener import FILTER_BYTES, filter_for, filtered

SHAPE = 40, 56


@pytest.fixture
def planes():
    """Decoded and restored values of three planes, which have little to do with each other."""
    rng = np.random.default_rng(0)
    decoded = rng.uniform(0, 1023, (3, *SHAPE)).astype(np.float32)
    return decoded, decoded + rng.normal(0, 30, decoded.shape).astype(np.float32)


def error(w, original, shown):
    return float((w * np.square(original - shown)).sum())


def test_a_filter_is_found_again(planes):
    sent = np.random.default_rng(1).integers(-40, 40, FILTER_BYTES).astype(np.int8).tobytes()
    original = filtered(*planes, sent)
    assert filter_for(original, *planes, np.ones(SHAPE, np.float32)) == sent


def test_no_filter_changes_nothing(planes):
    assert np.array_equal(filtered(*planes, bytes(FILTER_BYTES)), planes[1])


def test_flat_areas_stay_as_they_are():
    """Whatever the coefficients, all but those of the change itself."""
    flat = np.full((3, *SHAPE), 300.0)
    numbers = np.random.default_rng(2).integers(-99, 99, (3, FILTER_BYTES // 3)).astype(np.int8)
    np.testing.assert_allclose(filtered(flat, flat, numbers.tobytes()), 300, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_filter_is_better(planes, seed):
    """Not one with another number, by the weighted error of each plane."""
    rng = np.random.default_rng(seed)
    decoded, restored = planes
    original = (decoded + restored) / 2 + rng.normal(0, 20, decoded.shape)
    w = rng.uniform(0, 3, SHAPE).astype(np.float32)
    best = np.frombuffer(filter_for(original, decoded, restored, w), np.int8).reshape(3, -1)
    shown = filtered(decoded, restored, best.tobytes())
    for place in range(best.shape[1]):
        for step in (-8, 8):
            other = best.copy()
            other[:, place] += step
            changed = filtered(decoded, restored, other.tobytes())
            for plane in range(3):
                found, tried = (error(w, original[plane], x[plane]) for x in (shown, changed))
                assert found < tried


def test_pixels_that_do_not_count_do_not_change_the_filter(planes):
    decoded, restored = planes
    original = decoded + np.random.default_rng(3).normal(0, 20, decoded.shape)
    w = np.ones(SHAPE, np.float32)
    w[:20] = 0
    other = original.copy()
    other[:, :20] += 500
    assert filter_for(original, *planes, w) == filter_for(other, *planes, w)
    assert filter_for(original, *planes, 0 * w) == bytes(FILTER_BYTES)
    np.testing.assert_array_equal(np.isfinite(filtered(decoded, restored, b"\x7f" * 33)), True)


def test_strips_leave_no_seams(planes, monkeypatch):
    decoded, restored = planes
    original = decoded + np.random.default_rng(4).normal(0, 20, decoded.shape)
    w = np.ones(SHAPE, np.float32)
    sent = filter_for(original, *planes, w)
    whole = filtered(decoded, restored, sent)
    seven_rows = [slice(top, min(top + 7, 40)) for top in range(0, 40, 7)]
    monkeypatch.setattr(wiener, "strips", lambda *_: seven_rows)
    assert filter_for(original, *planes, w) == sent
    np.testing.assert_allclose(filtered(decoded, restored, sent), whole, rtol=1e-6)
