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

import pytest

from experiments.running.runner import run
from experiments.running.unit import Unit
from experiments.running.worker import work
from experiments.store.database import Database, TaskResult
from experiments.suites.suite import Suite
from semcom import cache
from tests.experiments.running.small_run import Run, query, stored_intervals, stored_rows

ROOT = Path(__file__).parents[3]


def test_rows_do_not_depend_on_the_number_of_workers(folder: Path, start: Run) -> None:
    one, two = start("one", jobs=1), start("two", jobs=2)
    assert one.tasks == 8
    assert one.failed == two.failed == 0
    assert stored_rows(folder, "one") == stored_rows(folder, "two")
    assert stored_intervals(folder, "one") == stored_intervals(folder, "two")
    pictures = "SELECT * FROM pictures ORDER BY task, kind"
    assert query(one.path, pictures) == query(two.path, pictures)
    drawn: Counter[str] = Counter()
    for setting, draws in query(one.path, "SELECT setting, draws FROM rows"):
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
    changes = [part for change in ("snr_db=6:7:1", "pictures=0") for part in ("--set", change)]
    command = [sys.executable, "-c", code, "run", str(folder / "s.yaml"), *changes]
    command += ["--out", str(folder / "killed"), "--jobs", "2"]
    path, before, kills = folder / "killed" / "results.db", 0, 0
    for enough in (2, 9):
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
    start("killed", "snr_db=6:7:1", "pictures=0", jobs=1)
    start("whole", "snr_db=6:7:1", "pictures=0", jobs=1)
    assert stored_rows(folder, "killed") == stored_rows(folder, "whole")
    assert stored_intervals(folder, "killed") == stored_intervals(folder, "whole")


def test_a_run_whose_streams_are_closed_works_like_any_other(folder: Path, start: Run) -> None:
    """As ``semcom run … <&- >&- 2>&-``: the workers inherit what takes the place of the output."""
    run = [sys.executable, "-c", "from experiments.cli.main import main; main()"]
    code = (
        f"import os, sys\nfor descriptor in (0, 1, 2): os.close(descriptor)\n"
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
    assert stored_rows(folder, "closed") == stored_rows(folder, "open")


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
    assert stored_rows(folder) == stored_rows(folder, "alone")


def test_what_fails_is_recorded_and_done_again_only_on_request(start: Run) -> None:
    changes = ("draws=4", "cbr=[1/2, 1/3000]")
    first = start("out", *changes, jobs=1)
    assert (first.tasks, first.made, first.failed) == (16, 8, 8)
    assert "too small for this 64x48 image" in first.lines()[0]
    sql = "SELECT error, trace FROM failures"
    for error, trace in query(first.path, sql):
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


def test_a_suite_without_images_or_jobs_is_refused(folder: Path) -> None:
    suite = Suite.model_validate({"title": "t", "images": "none.png"})
    with pytest.raises(ValueError, match=r"none\.png"):
        run(suite, folder / "out")
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        run(suite, folder / "out", jobs=0)
    assert not (folder / "out").exists()
