"""The results file: what is committed stays, one writer at a time."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.store.database import Database, TaskResult, add_up
from tests.experiments.store.rows import made, rows_of

ROOT = Path(__file__).parents[3]


def _python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


WRITE = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from experiments.store.database import Database, TaskResult
def made(i, size=2000):
    outcome = {"count": 1, "all_lost": False, "scores": {}, "pad": os.urandom(size).hex()}
    return TaskResult(f"task{i:06}", 0, 1, "image", "", "setting", 0, 0.0, {}, [outcome])
"""


def test_a_row_is_there_once_as_it_was_first(results: Path) -> None:
    before = rows_of(results)
    with Database(results, write=True) as database:
        other = made(0, record={"changed": True})
        database.add([other, made(200)], "later")
    after = rows_of(results)
    assert len(before) == 200
    assert after[:200] == before
    assert len(after) == 201


def test_sums_are_those_of_the_draws() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=40)
    counts = rng.integers(1, 5, size=40)
    outcomes = [
        {"count": int(n), "scores": {"a": float(v), "b": None if i % 2 else 1.0}}
        for i, (v, n) in enumerate(zip(values, counts, strict=True))
    ]
    draws = np.repeat(values, counts)
    n, total, squares = add_up(outcomes)["a"]
    assert n == len(draws)
    assert total == pytest.approx(draws.sum(), rel=1e-12)
    assert squares == pytest.approx((draws**2).sum(), rel=1e-12)
    assert add_up(outcomes)["b"] == [counts[::2].sum(), counts[::2].sum(), counts[::2].sum()]


def test_a_failure_counts_until_a_row_covers_its_draws(tmp_path: Path) -> None:
    def failed(database: Database) -> set[tuple[str, int]]:
        return set(database.query("SELECT task, first FROM open_failures"))

    with Database(tmp_path / "r.db", write=True) as database:
        database.add([made(8, error="E: why", trace="t"), made(9, error="E", trace="t")], "one")
        assert failed(database) == {("task0008", 8), ("task0009", 9)}
        first = TaskResult("task0008", 0, 50, "image", "", "setting", 0, 1.0)
        database.add([first, made(9, error="E again", trace="t")], "two")
        assert failed(database) == {("task0009", 9)}
        database.add([made(9)], "three")
        assert failed(database) == set()
        ((kept,),) = database.query("SELECT count(*) FROM failures")
        assert kept == 3


def test_a_batch_is_committed_whole_or_not_at_all(results: Path) -> None:
    with (
        Database(results, write=True) as database,
        pytest.raises(ValueError, match="JSON compliant"),
    ):
        database.add([made(900), made(901, record={"x": float("nan")})], "run")
    assert len(rows_of(results)) == 200


def test_reading_works_while_another_process_writes(results: Path) -> None:
    with Database(results, write=True) as writer, writer.transaction() as connection:
        connection.execute("DELETE FROM rows")
        assert len(rows_of(results)) == 200
    assert len(rows_of(results)) == 0


def test_a_second_writer_is_refused_in_one_line_and_the_first_goes_on(results: Path) -> None:
    code = WRITE + "Database(Path(sys.argv[1]), write=True)"
    with Database(results, write=True) as database:
        refused = _python(code, results)
        database.add([made(300)], "run")
    assert refused.returncode != 0
    assert "is being written by another run; wait for it" in refused.stderr.splitlines()[-1]
    assert len(rows_of(results)) == 201
    Database(results, write=True).close()


def test_a_writer_that_is_killed_keeps_what_it_committed(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    code = WRITE + (
        "import signal\n"
        "database = Database(Path(sys.argv[1]), write=True)\n"
        "for i in range(30): database.add([made(i)], 'run')\n"
        "database.connection.execute('BEGIN IMMEDIATE')\n"
        "database.connection.execute('DELETE FROM rows')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert _python(code, path).returncode == -signal.SIGKILL
    assert path.with_name("r.db-wal").stat().st_size > 0  # left behind, and taken up
    assert len(rows_of(path)) == 30
    with Database(path, write=True) as database:
        database.add([made(0)], "run")
    assert not path.with_name("r.db-wal").exists()
    assert len(rows_of(path)) == 31


@pytest.mark.parametrize("how", ["pages", "file size"])
def test_a_full_disk_is_told_in_one_line_and_costs_nothing(tmp_path: Path, how: str) -> None:
    path = tmp_path / "r.db"
    limit = {
        "pages": "database.connection.execute('PRAGMA max_page_count = 300')\n",
        "file size": f"resource.setrlimit(resource.RLIMIT_FSIZE, ({1 << 20}, {1 << 20}))\n",
    }[how]
    code = WRITE + (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "database = Database(Path(sys.argv[1]), write=True)\n" + limit + "for i in range(2000):\n"
        "    try: database.add([made(i)], 'run')\n"
        "    except OSError as error: print(i, error, sep='\\t'); break\n"
    )
    assert hasattr(resource, "RLIMIT_FSIZE")
    done = _python(code, path)
    count, message = done.stdout.splitlines()[0].split("\t")
    assert message.startswith(f"{path}: ")
    assert message.endswith("committed rows are safe; make room and run again")
    assert int(count) > 20
    assert len(rows_of(path)) == int(count)
    with Database(path, write=True) as database:  # there is room again
        database.add([made(i) for i in range(5)], "run")
    assert len(rows_of(path)) == int(count) + 5


def test_a_file_with_odd_characters_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "r?mode=memory#%41 é.db"
    with Database(path, write=True) as database:
        database.add([made(1)], "run")
    assert len(rows_of(path)) == 1
    assert path.is_file()


def test_a_lock_that_was_left_behind_locks_nothing(results: Path) -> None:
    Path(f"{results}.lock").write_text("")
    Database(results, write=True).close()
