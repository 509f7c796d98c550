"""Intervals against closed forms and against what they promise; when sampling stops."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from experiments.intervals import Interval, independent_draws, mean_interval, share_interval
from experiments.running.stopping import measure, why_done
from experiments.store.database import Database, TaskResult
from experiments.suites.draws import Draws


def _sums(draws: list[np.ndarray]) -> list[tuple[float, float, float]]:
    return [(len(d), float(d.sum()), float((d**2).sum())) for d in draws]


def test_the_interval_of_one_image_is_students() -> None:
    draws = np.random.default_rng(1).normal(30, 2, size=12)
    found = mean_interval("psnr_db", _sums([draws]), 12)
    low, high = stats.t.interval(0.95, 11, draws.mean(), stats.sem(draws))
    assert found.mean == pytest.approx(draws.mean(), rel=1e-12)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))


def test_the_interval_of_two_images_is_welchs() -> None:
    """Of the mean of two: half the difference of one and the other's negative."""
    rng = np.random.default_rng(2)
    one, other = rng.normal(30, 4, size=9), rng.normal(20, 0.5, size=15)
    found = mean_interval("psnr_db", _sums([one, other]), 9)
    welch = stats.ttest_ind(one, -other, equal_var=False).confidence_interval(0.95)
    assert found.low == pytest.approx(welch.low / 2, rel=1e-8)
    assert found.high == pytest.approx(welch.high / 2, rel=1e-8)


def test_intervals_cover_the_mean_as_often_as_they_say() -> None:
    """Five images of which one is noisy: pooled degrees of freedom would cover too little."""
    rng = np.random.default_rng(3)
    spreads, trials, draws = np.array([5, 0.1, 0.1, 0.1, 0.1]), 4000, 6
    x = rng.normal(size=(trials, 5, draws)) * spreads[None, :, None]
    covered = 0
    for one in x:
        found = mean_interval("a", _sums(list(one)), draws)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0 <= found.high
    error = math.sqrt(0.95 * 0.05 / trials)
    assert abs(covered / trials - 0.95) < 4 * error


@pytest.mark.parametrize("alike", [0.0, 0.9, 1.0])
def test_masks_of_one_picture_are_no_further_draws(alike: float) -> None:
    """Three of them, whose errors depend on each other not at all, much, or wholly."""
    rng = np.random.default_rng(4)
    trials, draws, covered = 3000, 8, 0
    for _ in range(trials):
        shared, own = rng.normal(size=draws), rng.normal(size=(3, draws))
        seen = math.sqrt(alike) * shared + math.sqrt(1 - alike) * own
        found = mean_interval("a", _sums(list(seen)), draws, pictures=["one"] * 3)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0 <= found.high
    error = math.sqrt(0.95 * 0.05 / trials)
    assert covered / trials > 0.95 - 4 * error
    if alike == 1:
        assert covered / trials < 0.95 + 4 * error


def test_what_cannot_be_told_has_no_ends() -> None:
    assert mean_interval("a", [], 0) == Interval("a", 0, 0, None, None, None)
    assert mean_interval("a", [(0, 0.0, 0.0)], 4) == Interval("a", 0, 4, None, None, None)
    assert mean_interval("a", [(1, 3.0, 9.0), (5, 5.0, 5.0)], 1).low is None
    same = mean_interval("a", [(4, 4 * 0.1, 4 * 0.01)], 4)
    assert same.low == same.high == same.mean == pytest.approx(0.1)


def test_no_loss_is_an_upper_bound() -> None:
    low, high = share_interval(0.0, 40)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 40), rel=1e-9)
    expected = stats.binomtest(3, 40).proportion_ci(0.95, method="exact")
    assert share_interval(3 / 40, 40) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert independent_draws([("one", 20), ("one", 20), ("other", 20)]) == 40


def test_rows_add_up_and_rounds_that_have_begun_do_not_count(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    values = {image: rng.normal(30, 1, size=16) for image in "ab"}

    def made(image: str, first: int, draws: int) -> TaskResult:
        outcomes = [
            {"count": 1, "all_lost": i % 4 == 0, "scores": {"psnr_db": float(values[image][i])}}
            for i in range(first, first + draws)
        ]
        return TaskResult(f"t{image}", first, draws, image, "", "s", 0, 0.0, {}, outcomes)

    with Database(tmp_path / "r.db", write=True) as database:
        begun = [made("a", 0, 8), made("b", 0, 3), made("b", 3, 5)]
        database.add(begun, "run")
        both = {("a", ""), ("b", "")}
        before = measure(database, "s", both, "psnr_db", until=8)
        database.add([made("a", 8, 8)], "killed in the second round")
        assert measure(database, "s", both, "psnr_db", until=8) == before
        after = measure(database, "s", both, "psnr_db")
        lost = measure(database, "s", both, "lost")
        only = measure(database, "s", {("b", "")}, "psnr_db", until=8)
    assert (before.images, before.draws, after.draws, only.images) == (2, 8, 8, 1)
    assert before.mean == pytest.approx((values["a"][:8].mean() + values["b"][:8].mean()) / 2)
    assert after.mean == pytest.approx((values["a"].mean() + values["b"][:8].mean()) / 2)
    assert lost.mean == 6 / 24


def _why(draws: Draws, half: float, *, mean: float = 30.0, lost: float = 0.01, n: int = 8) -> str:
    score = Interval("psnr_db", 2, n, mean, mean - half, mean + half)
    return why_done(draws, score, Interval("lost", 2, n, 0.0, 0.0, 2 * lost))


def test_a_point_is_done_when_its_interval_is_narrow_or_its_draws_are_used_up() -> None:
    absolute = Draws(most=100, within=0.5)
    assert _why(absolute, 0.5) == "narrow enough"
    assert _why(absolute, 0.51) == ""
    assert _why(absolute, 0.1, lost=0.06) == ""  # none is lost so far, but that is no proof
    assert _why(absolute, 9.0, n=100) == "most draws"
    relative = Draws(most=100, relative=0.1)
    assert _why(relative, 3.0) == "narrow enough"
    assert _why(relative, 2.0, mean=-30.0) == "narrow enough"
    assert _why(relative, 3.1) == ""
    assert _why(Draws(most=100, relative=0.1, within=4.0), 3.5) == "narrow enough"
    assert _why(Draws(most=100), 0.0) == ""
    unknown = Interval("psnr_db", 0, 8, None, None, None)
    assert why_done(absolute, unknown, unknown) == ""


def test_looking_at_every_round_costs_little_of_the_promise() -> None:
    """Draws double until the interval is narrow; that one then covers the mean a little less."""
    rng = np.random.default_rng(6)
    plan = Draws(most=512, within=0.4, lost_within=1)
    trials, covered, used = 1500, 0, 0
    for _ in range(trials):
        x = rng.normal(0, 1, size=512)
        for end in plan.rounds():
            found = mean_interval("a", _sums([x[:end]]), end)
            if why_done(plan, found, Interval("lost", 1, end, 0, 0, 0)):
                break
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0 <= found.high
        used += end
    assert 8 < used / trials < 64  # about (1.96 / 0.4)² = 24, rounded up to a power of two
    assert covered / trials > 0.91
