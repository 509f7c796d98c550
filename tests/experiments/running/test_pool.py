"""Workers that die, and what becomes of their work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from experiments.datasets.items import Item
from experiments.running.pool import WorkerPool
from experiments.running.unit import Job, Unit
from experiments.store.database import TaskResult
from experiments.suites.setting import Setting

ROOT = Path(__file__).parents[3]
ITEM = Item(Path("a.png"), None, "a" * 64, "")
KILLER, RAISER = 13, 14
Do = Callable[[Unit], list[TaskResult]]


def _units(seeds: range, size: int) -> Iterator[Unit]:
    jobs = [Job(Setting(seed=seed), 0, 1) for seed in seeds]
    return (Unit(ITEM, tuple(jobs[i : i + size])) for i in range(0, len(jobs), size))


def _do() -> Do:
    """Return work that dies or raises at some seeds; nested, so that it is sent by value."""
    killer, raiser, parent = KILLER, RAISER, os.getpid()

    def do(unit: Unit) -> list[TaskResult]:
        import os
        import signal

        made = []
        for job in unit.jobs:
            if job.setting.seed == killer and os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            if job.setting.seed == raiser:
                raise RuntimeError("no such thing\nas a free task")
            made.append(unit.describe(job, seconds=0.0))
        return made

    return do


def _by_seed(made: Iterator[list[TaskResult]]) -> dict[int, str]:
    each = [one for some in made for one in some]
    found = {one.seed: one.error for one in each}
    assert len(found) == len(each)
    return found


@pytest.mark.parametrize("jobs", [1, 2])
def test_everything_is_done_once(jobs: int) -> None:
    with WorkerPool("local", jobs=jobs) as pool:
        assert pool.slots == jobs
        found = _by_seed(pool.spread(_units(range(11), 2), _do()))
    assert found == dict.fromkeys(range(11), "")


def test_only_the_task_that_kills_its_worker_fails_and_the_crew_goes_on() -> None:
    with WorkerPool("local", jobs=2) as pool:
        found = _by_seed(pool.spread(_units(range(40), 4), _do()))
    assert sorted(found) == list(range(40))
    failed = {seed: error for seed, error in found.items() if error}
    assert set(failed) == {KILLER, RAISER}
    assert "its process died: out of memory, or killed" in failed[KILLER]
    assert failed[RAISER] == "RuntimeError: no such thing as a free task"


def test_units_are_asked_for_as_they_are_needed() -> None:
    asked = 0

    def units() -> Iterator[Unit]:
        nonlocal asked
        for unit in _units(range(100), 1):
            asked += 1
            yield unit

    with WorkerPool("local", jobs=1) as pool:
        made = pool.spread(units(), _do())
        next(made)
    assert asked == 1


def test_workers_keep_to_one_thread() -> None:
    def threads(unit: Unit) -> list[TaskResult]:
        import numba
        import torch

        error = f"{numba.get_num_threads()} {torch.get_num_threads()}"
        return [unit.describe(job, seconds=0.0, error=error) for job in unit.jobs]

    with WorkerPool("local", jobs=2) as pool:
        found = _by_seed(pool.spread(_units(range(2), 1), threads))
    assert set(found.values()) == {"1 1"}


ORPHANS = """
import os, sys
sys.path.insert(0, os.getcwd())
from experiments.running.backends import workers

def pid(seconds):
    import os, time
    print(os.getpid(), flush=True)
    time.sleep(seconds)

with workers("local", jobs=2) as (submit, _):
    idle = submit(pid, 0), submit(pid, 600)
    idle[1].result()
"""


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return status != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_workers_do_not_outlive_a_run_that_is_killed() -> None:
    command = [sys.executable, "-c", ORPHANS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        pids = [int(run.stdout.readline()) for _ in range(2)]
        assert all(map(_runs, pids))
        run.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(_runs, pids))
