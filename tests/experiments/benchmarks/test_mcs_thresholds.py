"""Where made waterfalls fall through the levels, against their closed form."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from channels.packets.mcs import LEVELS, scheme_of_row
from experiments.benchmarks.mcs_thresholds import OUT, crossings, jobs

BLOCKS = 10**7


def waterfall(snrs: np.ndarray, *, middle_db: float, slope: float) -> list[tuple[float, int, int]]:
    """Block error rates 10^(-slope·(SNR - middle)), 1 below the middle, as counts."""
    rates = np.minimum(10 ** (-slope * (snrs - middle_db)), 1)
    return [
        (float(snr), round(rate * BLOCKS), BLOCKS) for snr, rate in zip(snrs, rates, strict=True)
    ]


@pytest.mark.parametrize("slope", [0.8, 2.0, 5.0])
@pytest.mark.parametrize("middle_db", [-7.25, 0.0, 18.1])
def test_an_exponential_waterfall_is_crossed_where_its_law_says(
    middle_db: float, slope: float
) -> None:
    """Interpolation is linear in log10 of the rate, and so exact on this law."""
    snrs = middle_db + np.arange(0, 4.5 / slope, 0.4 / slope)
    expected = [middle_db - math.log10(level) / slope for level in LEVELS]
    # Counts are whole: the last has some 10^3 errors, so half of one is 2e-4 decades.
    found = crossings(waterfall(snrs, middle_db=middle_db, slope=slope))
    np.testing.assert_allclose(found, expected, atol=1e-3 / slope)


def test_a_curved_waterfall_is_crossed_between_its_points() -> None:
    snrs = np.arange(0.0, 5.0, 0.05)
    points = [(float(s), round(stats.norm.sf(s) * BLOCKS), BLOCKS) for s in snrs]
    np.testing.assert_allclose(crossings(points), stats.norm.isf(LEVELS), atol=2e-3)


def test_intervals_hold_the_crossing_as_often_as_they_say() -> None:
    """Over draws of the counts, ends at 95 % are missed in some 5 %: the interval is exact."""
    rng = np.random.default_rng(0)
    snrs = np.arange(0.0, 4.0, 0.4)
    rates = 10 ** (-snrs)
    draws, held = 80, np.zeros(len(LEVELS))
    for _ in range(draws):
        errors = rng.binomial(20_000, rates)
        points = [(float(s), int(n), 20_000) for s, n in zip(snrs, errors, strict=True)]
        low, best, high = (np.array(crossings(points, end)) for end in (0, None, 1))
        assert (low <= best).all()
        assert (best <= high).all()
        truth = -np.log10(LEVELS)
        held += (low <= truth) & (truth <= high)
    least = stats.binom.ppf(1e-4, draws, 0.95)
    assert (held >= least).all(), held / draws
    assert (held < draws).any()  # they are not endless


def test_chance_does_not_turn_the_curve_back() -> None:
    """A point that is worse than the one before it counts as that one."""
    even = [(0.0, 5000, 10_000), (1.0, 500, 10_000), (2.0, 500, 10_000), (3.0, 1, 10_000)]
    odd = [*even[:2], (2.0, 900, 10_000), even[3]]
    assert crossings(odd) == crossings(even)
    assert crossings(odd) == sorted(crossings(odd))


def test_no_error_counts_as_half_of_one() -> None:
    points = [(0.0, 10_000, 10_000), (2.0, 0, 10_000)]
    decades = -math.log10(0.5 / 10_000)
    np.testing.assert_allclose(crossings(points), [2 * n / decades for n in (1, 2, 3)])


def test_what_lies_outside_the_points_is_at_their_ends() -> None:
    """``measure`` begins far enough down and goes on until the last level is crossed."""
    assert crossings([(3.0, 1, 10_000), (4.0, 0, 10_000)]) == [3.0] * len(LEVELS)
    assert crossings([(3.0, 9_000, 10_000), (4.0, 5_000, 10_000)]) == [4.0] * len(LEVELS)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "at least one point"),
        ([(1.0, 10, 100), (0.0, 1, 100)], "must rise"),
        ([(0.0, 10, 100), (0.0, 1, 100)], "must rise"),
        ([(0.0, 10, 0)], "10 errors of 0"),
        ([(0.0, 11, 10)], "11 errors of 10"),
        ([(0.0, -1, 10)], "-1 errors of 10"),
        ([(math.nan, 1, 10)], "must rise"),
    ],
)
def test_what_is_no_waterfall_is_refused(points: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crossings(points)


def test_jobs_are_the_rows_of_the_table_that_is_shipped() -> None:
    rows = json.loads(OUT.read_text(encoding="utf-8"))["rows"]
    kept = {(r["channel"], scheme_of_row(r), r["num_bits"]) for r in rows}
    assert kept == set(jobs())
    for row in rows:
        points = [tuple(point) for point in row["points"]]
        assert [round(value, 3) for value in crossings(points)] == row["snr_db"]
    for row in rows[::20]:
        points = [tuple(point) for point in row["points"]]
        ends = [crossings(points, end) for end in (0, 1)]
        found = [[round(value, 3) for value in pair] for pair in zip(*ends, strict=True)]
        assert found == row["interval_db"]
