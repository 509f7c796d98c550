"""Running suites: the same rows whoever makes them, killed or not, and nothing done twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from experiments.running.progress import RunProgress
from experiments.running.runner import Summary, run
from experiments.running.worker import Unit, work
from experiments.store.database import Database, TaskResult
from experiments.suites.axes import System
from experiments.suites.suite import Suite
from experiments.suites.suite_file import read_suite
from semcom import cache

ROOT = Path(__file__).parents[3]
SUITE = """\
title: t
images: ["*.png"]
segmenter: graph
codec: jpeg
channel: rayleigh
systems: {blind: {blind: true}, graph: {}}
cbr: 1/2
snr_db: [8, 60]
draws: {most: 16, first: 4, within: 1.5, lost_within: 0.4}
pictures: 1
"""
COLUMNS = "task, first, draws, image, mask, setting, seed, lost, sums, record, outcomes"
Run = Callable[..., Summary]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images of 64x48 and a suite of 8 tasks."""
    y, x = np.mgrid[:48, :64]
    for i, name in enumerate("ab"):
        bump = 255 * np.exp(-((x - 20 - 20 * i) ** 2 + (y - 24) ** 2) / 150)
        picture = np.stack([bump, 2 * x + 0 * y, 4 * y], axis=-1).clip(0, 255)
        PilImage.fromarray(picture.astype(np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "s.yaml").write_text(SUITE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Run:
    """Run that suite, with changes, into a folder."""

    def start(out: str = "out", *changes: str, **options: Any) -> Summary:
        suite = read_suite(folder / "s.yaml", changes=changes)
        return run(suite, folder / out, base=folder, say=lambda *_: None, **options)

    return start


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with Database(path) as database:
        return list(database.query(sql))


def _rows(folder: Path, out: str = "out") -> list[tuple[Any, ...]]:
    return _query(folder / out / "results.db", f"SELECT {COLUMNS} FROM rows ORDER BY task, first")


def _ends(folder: Path, out: str = "out") -> list[tuple[Any, ...]]:
    sql = "SELECT * FROM intervals ORDER BY setting, score"
    return _query(folder / out / "results.db", sql)


def test_rows_do_not_depend_on_the_number_of_workers(folder: Path, start: Run) -> None:
    one, four = start("one", jobs=1), start("four", jobs=4)
    assert one.tasks == 8
    assert one.failed == four.failed == 0
    assert _rows(folder, "one") == _rows(folder, "four")
    assert _ends(folder, "one") == _ends(folder, "four")
    pictures = "SELECT * FROM pictures ORDER BY task, kind"
    assert _query(one.path, pictures) == _query(four.path, pictures)
    drawn: Counter[str] = Counter()
    for setting, draws in _query(one.path, "SELECT setting, draws FROM rows"):
        drawn[setting] += draws
    by_snr: dict[float, list[int]] = {8.0: [], 60.0: []}
    with Database(one.path) as database:
        for setting, draws in drawn.items():
            by_snr[database.setting(setting).snr_db].append(draws // 2)
    assert max(by_snr[60.0]) < min(by_snr[8.0])  # what is quiet is drawn less often
    again = start("one", jobs=1)
    assert again.made == 0
    assert again.lines() == [f"nothing to do: all 8 tasks are done in {one.path}"]


def test_another_snr_grid_segments_and_encodes_nothing_anew(
    folder: Path, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCOM_CACHE", str(folder / "cache"))
    made: Counter[str] = Counter()
    recall = cache.recall

    def counted(make: Callable[[], bytes], *about: object, part: str = "codecs") -> bytes:
        def making() -> bytes:
            made[part] += 1
            return make()

        return recall(making, *about, part=part)

    monkeypatch.setattr("semcom.cache.recall", counted)
    monkeypatch.setattr("semcom.codecs.parts.x265.recall", counted)
    # With a fixed scheme, the bits do not depend on the SNR.
    fixed = ("codec=hevc", "draws=1", "channel=awgn", "scheme='QPSK 0.438'")
    start("out", *fixed, jobs=1)
    assert made["segmenters"] == 2
    assert made["codecs"] > 0
    made.clear()
    again = start("out", *fixed, "snr_db=[7, 9, 60]", jobs=1)
    assert again.made == 8  # the 4 of 60 dB are there
    assert not made


def test_a_run_that_is_killed_over_and_over_ends_as_if_it_had_not_been(
    folder: Path, start: Run
) -> None:
    code = (
        "import os, sys; sys.path.insert(0, os.getcwd())\n"
        "from experiments.cli.main import main\nmain(sys.argv[1:])"
    )
    changes = [part for change in ("snr_db=6:11:1", "pictures=0") for part in ("--set", change)]
    command = [sys.executable, "-c", code, "run", str(folder / "s.yaml"), *changes]
    command += ["--out", str(folder / "killed"), "--jobs", "2"]
    path, before, kills = folder / "killed" / "results.db", 0, 0
    for enough in (3, 20):
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None and _count(path) < before + enough:
                time.sleep(0.01)
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
        after = _count(path)
        assert after >= before  # nothing committed is lost
        before = after
    assert kills == 2
    start("killed", "snr_db=6:11:1", "pictures=0", jobs=1)
    start("whole", "snr_db=6:11:1", "pictures=0", jobs=1)
    assert _rows(folder, "killed") == _rows(folder, "whole")
    assert _ends(folder, "killed") == _ends(folder, "whole")


@pytest.mark.parametrize("closed", [(1,), (0, 1, 2)])
def test_a_run_whose_streams_are_closed_works_like_any_other(
    folder: Path, start: Run, closed: tuple[int, ...]
) -> None:
    """As ``semcom run … >&-``: the workers inherit what takes the place of the output."""
    run = [sys.executable, "-c", "from experiments.cli.main import main; main()"]
    code = (
        f"import os, sys\nfor descriptor in {closed}: os.close(descriptor)\n"
        f"os.execv({sys.executable!r}, [*{run!r}, *sys.argv[1:]])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, "run", str(folder / "s.yaml"), "--jobs", "2"]
    command += ["--out", str(folder / "closed"), "--set", "draws=2"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    start("open", "draws=2", jobs=1)
    assert _rows(folder, "closed") == _rows(folder, "open")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_log_that_cannot_be_written_costs_nothing(
    folder: Path, start: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "run.log").symlink_to("/dev/full")
    assert start("out", "draws=1", jobs=1).made == 8
    assert "Traceback" not in capfd.readouterr().err


def _count(path: Path) -> int:
    """Count rows, from outside and while they are written."""
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(connection.execute("SELECT count(*) FROM rows").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def test_a_second_run_at_the_same_time_is_refused_and_harms_nothing(
    folder: Path, start: Run
) -> None:
    small = ("draws=2",)

    def busy(unit: Unit) -> list[TaskResult]:
        with pytest.raises(ValueError, match="is being written by another run"):
            start("out", *small, jobs=1)
        return work(unit)

    assert start("out", *small, jobs=1, do=busy).made == 8
    start("alone", *small, jobs=1)
    assert _rows(folder) == _rows(folder, "alone")


def test_what_fails_is_recorded_and_done_again_only_on_request(start: Run) -> None:
    changes = ("draws=4", "cbr=[1/2, 1/3000]")
    first = start("out", *changes, jobs=1)
    assert (first.tasks, first.made, first.failed) == (16, 8, 8)
    assert "too small for this 64x48 image" in first.lines()[0]
    sql = "SELECT error, trace FROM failures"
    for error, trace in _query(first.path, sql):
        assert error.startswith("a CBR of ")
        assert trace.startswith("Traceback")
    calls: list[Unit] = []

    def noting(unit: Unit) -> list[TaskResult]:
        calls.append(unit)
        return work(unit)

    again = start("out", *changes, jobs=1, do=noting)
    assert (again.made, again.failed, calls) == (0, 8, [])

    def mended(unit: Unit) -> list[TaskResult]:
        return [unit.describe(job, seconds=0.0, record={"mended": 1}) for job in unit.jobs]

    retried = start("out", *changes, jobs=1, do=mended, retry=True)
    assert (retried.made, retried.failed) == (8, 0)
    assert start("out", *changes, jobs=1, do=noting).failed == 0
    assert calls == []
    more = start("out", "draws=6", "cbr=1/3000", jobs=1, do=noting)
    assert len(calls) > 0  # what was mended is drawn on
    assert more.failed == 8


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
    few = len(_rows(folder))
    (folder / "b.kept").rename(folder / "b.png")
    start("out", *MADE_UP, jobs=1, do=do)
    start("new", *MADE_UP, jobs=1, do=do)
    assert len(_rows(folder)) > few
    assert _rows(folder) == _rows(folder, "new")
    # What was measured of the first image alone stays beside it, under other images.
    both = [end for end in _ends(folder) if end[4] == 2]
    assert both == _ends(folder, "new")
    assert {end[4] for end in _ends(folder)} == {1, 2}
    assert {end[1] for end in both}.isdisjoint(end[1] for end in _ends(folder) if end[4] == 1)


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
    drawn_once = _query(quiet.path, "SELECT DISTINCT draws FROM rows ORDER BY 1")
    assert drawn_once[0] == (1,)
    assert max(drawn_once) < (32,)


def test_every_point_is_measured_also_of_thousands_of_which_some_are_done(
    folder: Path, start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.running.runner._BATCH", 2)
    do = _drawing({"a": 0.1, "b": 0.1})
    many = MADE_UP[1:]
    start("out", *many, "snr_db=[1, 2, 3]", jobs=1, do=do)
    start("out", *many, "snr_db=[1, 2, 3, 4]", jobs=1, do=do)
    ends = _query(folder / "out" / "results.db", "SELECT setting, done FROM intervals")
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


def test_a_suite_without_images_or_jobs_is_refused(folder: Path) -> None:
    suite = Suite.model_validate({"title": "t", "images": "none.png"})
    with pytest.raises(ValueError, match=r"none\.png"):
        run(suite, folder / "out")
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        run(suite, folder / "out", jobs=0)
    assert not (folder / "out").exists()
