"""How often a run draws the channel at each point, and what it says of its progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.running.progress import RunProgress
from experiments.running.unit import Unit
from experiments.store.database import Database, TaskResult
from experiments.suites.axes import System
from tests.experiments.running.small_run import Run, query, stored_intervals, stored_rows


def _drawing(spread: dict[str, float]) -> Callable[[Unit], list[TaskResult]]:
    """Make up draws around 30 dB, of an image by its name; the same for the same draw."""

    def do(unit: Unit) -> list[TaskResult]:
        made = []
        for job in unit.jobs:
            outcomes = []
            for draw in range(job.first, job.first + job.draws):
                rng = np.random.default_rng([draw, int(unit.item.sha256[:8], 16)])
                value = 30 + spread[unit.item.path.stem] * float(rng.normal())
                outcomes.append({"count": 1, "all_lost": False, "scores": {"psnr_db": value}})
            made.append(unit.describe(job, seconds=0.0, outcomes=outcomes))
        return made

    return do


MADE_UP = ("snr_db=9", "cbr=1", "draws={most: 400, first: 4, within: 0.5, lost_within: 0.5}")


def test_an_image_that_comes_later_is_drawn_as_often(folder: Path, start: Run) -> None:
    """A settled point is measured again with it, as if it had been there from the start."""
    (folder / "b.png").rename(folder / "b.kept")
    do = _drawing({"a": 0.1, "b": 5.0})
    start("out", *MADE_UP, jobs=1, do=do)
    few = len(stored_rows(folder))
    (folder / "b.kept").rename(folder / "b.png")
    start("out", *MADE_UP, jobs=1, do=do)
    start("new", *MADE_UP, jobs=1, do=do)
    assert len(stored_rows(folder)) > few
    assert stored_rows(folder) == stored_rows(folder, "new")
    # What was measured of the first image alone stays beside it, under other images.
    both = [end for end in stored_intervals(folder) if end[4] == 2]
    assert both == stored_intervals(folder, "new")
    assert {end[4] for end in stored_intervals(folder)} == {1, 2}
    assert {end[1] for end in both}.isdisjoint(
        end[1] for end in stored_intervals(folder) if end[4] == 1
    )


def test_without_draws_a_channel_that_fades_is_drawn_until_it_is_known(
    folder: Path, start: Run
) -> None:
    do = _drawing({"a": 0.1, "b": 5.0})
    changes = ("draws=null", "channel=[awgn, rayleigh]", "snr_db=9", "cbr=1")
    start("out", *changes, jobs=1, do=do)
    drawn: dict[str, set[int]] = {}
    sql = "SELECT setting, image, sum(draws) FROM rows GROUP BY 1, 2"
    with Database(folder / "out" / "results.db") as database:
        for setting, _, draws in database.query(sql):
            drawn.setdefault(database.setting(setting).channel, set()).add(draws)
        ends = set(database.query("SELECT draws, done FROM intervals WHERE score = 'psnr_db'"))
    # 2.5 dB in the mean of both images: ±0.5 dB takes about 100 draws, and 32 are the most.
    assert drawn == {"awgn": {1}, "rayleigh": {32}}
    assert ends == {(32, "most draws")}
    quiet = start("quiet", *changes, jobs=1, do=_drawing({"a": 0.1, "b": 0.1}))
    drawn_once = query(quiet.path, "SELECT DISTINCT draws FROM rows ORDER BY 1")
    assert drawn_once[0] == (1,)
    assert max(drawn_once) < (32,)


def test_systems_go_on_until_all_under_their_condition_have_enough(
    folder: Path, start: Run
) -> None:
    """Or a gain would be the difference of means over different gains of the channel."""
    calm, wild = _drawing({"a": 0.1, "b": 0.1}), _drawing({"a": 2.0, "b": 2.0})

    def do(unit: Unit) -> list[TaskResult]:
        made = []
        for job in unit.jobs:
            draw = wild if job.setting.blind and job.setting.snr_db == 1 else calm
            made += draw(Unit(unit.item, (job,)))
        return made

    start("out", *MADE_UP[1:], "snr_db=[1, 2]", jobs=1, do=do)
    sql = "SELECT setting, sum(draws) FROM rows GROUP BY setting, image"
    drawn: dict[float, set[int]] = {1: set(), 2: set()}
    with Database(folder / "out" / "results.db") as database:
        for setting, draws in database.query(sql):
            drawn[database.setting(setting).snr_db].add(draws)
    assert drawn[2] == {4}
    (together,) = drawn[1]
    assert together > 4


def test_every_point_is_measured_although_some_are_done(folder: Path, start: Run) -> None:
    do = _drawing({"a": 0.1, "b": 0.1})
    many = MADE_UP[1:]
    start("out", *many, "snr_db=[1, 2, 3]", jobs=1, do=do)
    start("out", *many, "snr_db=[1, 2, 3, 4]", jobs=1, do=do)
    ends = query(folder / "out" / "results.db", "SELECT setting, done FROM intervals")
    assert len({setting for setting, _ in ends}) == 8
    assert {done for _, done in ends} == {"narrow enough"}


def test_progress_is_quiet_where_there_is_no_terminal(
    start: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    do = _drawing({"a": 0.1, "b": 0.1})
    start("out", *MADE_UP, jobs=1, do=do)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr("experiments.running.progress._LINE_EVERY_S", 0.0)
    start("new", *MADE_UP, jobs=1, do=do)
    said = capfd.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines
    assert all("tasks, " in line and line.endswith(" s left") for line in lines)
    assert "\x1b" not in said.err


def test_progress_names_the_best_system() -> None:
    progress = RunProgress("psnr_db")
    progress.begin(2)
    for system, value in (("blind", 20.0), ("masks", 30.0)):
        outcome = {"count": 2, "scores": {"psnr_db": value}}
        progress.advance(TaskResult("t", 0, 2, "i", "", "s", 0, 0.0, {}, [outcome]), System(system))
    assert progress._best() == "best psnr_db 30.00 (masks)"
