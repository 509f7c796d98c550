"""The results file: what is committed stays, what is damaged is refused, one writer at a time."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.store.database import Database, TaskResult, add_up
from experiments.store.schema import APPLICATION_ID, SCHEMA_VERSION
from experiments.suites.setting import Setting

ROOT = Path(__file__).parents[3]


def _made(i: int, *, draws: int = 1, **about: Any) -> TaskResult:
    scores = {"psnr_db": 20 + i / 7, "ssim": None}
    outcome = {"count": draws, "all_lost": False, "scores": scores, "draw": i, "sha256": "0" * 64}
    record = {"sha256": "f" * 64, "cbr": 1 / 16, "notes": ["a", "b"]}
    parts = {"record": record, "outcomes": [outcome]} | about
    return TaskResult(f"task{i:04}", i, draws, f"image{i % 3}", "", "setting", 0, 0.25, **parts)


def _rows(path: Path) -> list[tuple[Any, ...]]:
    with Database(path) as database:
        return list(database.query("SELECT * FROM rows ORDER BY task, first"))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A file with 200 rows."""
    path = tmp_path / "results.db"
    with Database(path, write=True) as database:
        database.add([_made(i) for i in range(200)], "run")
    return path


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
    before = _rows(results)
    with Database(results, write=True) as database:
        other = _made(0, record={"changed": True})
        database.add([other, _made(200)], "later")
    after = _rows(results)
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
        database.add([_made(8, error="E: why", trace="t"), _made(9, error="E", trace="t")], "one")
        assert failed(database) == {("task0008", 8), ("task0009", 9)}
        first = TaskResult("task0008", 0, 50, "image", "", "setting", 0, 1.0)
        database.add([first, _made(9, error="E again", trace="t")], "two")
        assert failed(database) == {("task0009", 9)}
        database.add([_made(9)], "three")
        assert failed(database) == set()
        ((kept,),) = database.query("SELECT count(*) FROM failures")
        assert kept == 3


def test_a_batch_is_committed_whole_or_not_at_all(results: Path) -> None:
    with (
        Database(results, write=True) as database,
        pytest.raises(ValueError, match="JSON compliant"),
    ):
        database.add([_made(900), _made(901, record={"x": float("nan")})], "run")
    assert len(_rows(results)) == 200


def test_reading_works_while_another_process_writes(results: Path) -> None:
    with Database(results, write=True) as writer, writer.transaction() as connection:
        connection.execute("DELETE FROM rows")
        assert len(_rows(results)) == 200
    assert len(_rows(results)) == 0


def test_a_second_writer_is_refused_in_one_line_and_the_first_goes_on(results: Path) -> None:
    code = WRITE + "Database(Path(sys.argv[1]), write=True)"
    with Database(results, write=True) as database:
        refused = _python(code, results)
        database.add([_made(300)], "run")
    assert refused.returncode != 0
    assert "is being written by another run; wait for it" in refused.stderr.splitlines()[-1]
    assert len(_rows(results)) == 201
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
    assert len(_rows(path)) == 30
    with Database(path, write=True) as database:
        database.add([_made(0)], "run")
    assert not path.with_name("r.db-wal").exists()
    assert len(_rows(path)) == 31


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
    assert len(_rows(path)) == int(count)
    with Database(path, write=True) as database:  # there is room again
        database.add([_made(i) for i in range(5)], "run")
    assert len(_rows(path)) == int(count) + 5


def _is_refused_or_right(path: Path, rows: list[tuple[Any, ...]]) -> bool:
    """Whether a damaged file is refused; read otherwise, it must say what was written."""
    try:
        found = _rows(path)
    except (ValueError, OSError) as error:
        said = str(error)
    else:
        assert found == rows, "silently wrong"
        return False
    assert str(path) in said
    assert "\n" not in said
    return True


def test_a_truncated_file_is_refused(results: Path) -> None:
    data, rows = results.read_bytes(), _rows(results)
    assert not _is_refused_or_right(results, rows)
    for ending in ("-wal", "-shm"):
        results.with_name(results.name + ending).unlink(missing_ok=True)
    for size in [1, 10, 15, 16, 50, 99, 100, 500, 4095, 4096, 4097, *range(5000, len(data), 9001)]:
        results.write_bytes(data[:size])
        assert _is_refused_or_right(results, rows), size
        with pytest.raises((ValueError, OSError), match=r"results\.db"):
            Database(results, write=True)
        assert results.read_bytes()[:size] == data[:size], "a damaged file was changed"


def test_flipped_bits_are_found_wherever_they_say_something(results: Path) -> None:
    data, rows = results.read_bytes(), _rows(results)
    rng = np.random.default_rng(1)
    places = [*range(100), *rng.integers(100, len(data), 300).tolist()]
    refused = 0
    for place in places:
        broken = bytearray(data)
        broken[place] ^= 1 << int(rng.integers(8))
        results.write_bytes(bytes(broken))
        refused += _is_refused_or_right(results, rows)
    results.write_bytes(data.replace(b'"psnr_db": 20.0', b'"psnr_db": 21.0'))
    with pytest.raises(ValueError, match="rows differ from what was written"):
        _rows(results)
    assert refused > len(places) // 3  # the rest hit empty space, or indices


def test_damage_that_shows_late_is_refused_too(results: Path) -> None:
    with Database(results) as database:
        data = bytearray(results.read_bytes())
        data[4096 * 2 : -4096] = b"\xff" * (len(data) - 4096 * 3)
        with results.open("r+b") as file:
            file.write(data)
        database.connection.execute("PRAGMA shrink_memory")
        with pytest.raises(ValueError, match="damaged"):
            list(database.query("SELECT * FROM rows"))


def test_a_settings_text_that_was_changed_is_found(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with Database(path, write=True) as database, database.transaction() as connection:
        connection.execute("INSERT INTO settings VALUES ('0', '{}')")
    with pytest.raises(ValueError, match="settings differ from what was written"):
        Database(path)


def test_what_is_no_results_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with pytest.raises(ValueError, match="no such results file"):
        Database(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="not a results file of semcom"):
        Database(path)
    path.write_text("title: a suite\n" * 300)
    for write in (False, True):
        with pytest.raises(ValueError, match="not a results file of semcom"):
            Database(path, write=write)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (x)")
    other.close()
    before = path.read_bytes()
    for write in (False, True):
        with pytest.raises(ValueError, match="not a results file of semcom"):
            Database(path, write=write)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="is a folder"):
        Database(tmp_path)
    with pytest.raises(ValueError, match="is a folder"):
        Database(tmp_path, write=True)


def test_an_empty_file_may_become_one(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(b"")
    with Database(path, write=True) as database:
        database.add([_made(1)], "run")
    assert len(_rows(path)) == 1


def test_a_newer_file_is_refused(results: Path) -> None:
    connection = sqlite3.connect(results)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    for write in (False, True):
        with pytest.raises(ValueError, match=r"has version \d, but this semcom reads 1 to \d"):
            Database(results, write=write)


def test_a_setting_with_an_axis_of_a_newer_semcom_is_refused(results: Path) -> None:
    known, newer = json.dumps({"snr_db": 7.0}), json.dumps({"snr_db": 7.0, "weather": "fog"})
    ids = [hashlib.sha256(text.encode()).hexdigest() for text in (known, newer)]
    with Database(results, write=True) as database:
        with database.transaction() as connection:
            connection.executemany(
                "INSERT INTO settings VALUES (?, ?)", zip(ids, (known, newer), strict=True)
            )
        assert database.setting(ids[0]) == Setting(snr_db=7.0)
        with pytest.raises(ValueError, match=r"settings of a newer semcom, with weather: upgrade"):
            database.setting(ids[1])


def test_a_file_with_odd_characters_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "r?mode=memory#%41 é.db"
    with Database(path, write=True) as database:
        database.add([_made(1)], "run")
    assert len(_rows(path)) == 1
    assert path.is_file()


def test_a_stray_log_beside_the_file_does_no_harm(results: Path) -> None:
    rows = _rows(results)
    for ending in ("-wal", "-shm"):
        results.with_name(results.name + ending).write_bytes(os.urandom(50_000))
    assert not _is_refused_or_right(results, rows)
    with Database(results, write=True) as database:
        database.add([_made(500)], "run")
    assert len(_rows(results)) == 201


def test_a_lock_that_was_left_behind_locks_nothing(results: Path) -> None:
    Path(f"{results}.lock").write_text("")
    Database(results, write=True).close()
