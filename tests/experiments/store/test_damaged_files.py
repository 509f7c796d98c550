"""Results files that are damaged, newer, or something else are refused and left alone."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.store.database import Database
from experiments.store.schema import APPLICATION_ID, SCHEMA_VERSION
from experiments.suites.setting import Setting
from tests.experiments.store.rows import made, rows_of


def _is_refused_or_right(path: Path, rows: list[tuple[Any, ...]]) -> bool:
    """Whether a damaged file is refused; read otherwise, it must say what was written."""
    try:
        found = rows_of(path)
    except (ValueError, OSError) as error:
        said = str(error)
    else:
        assert found == rows, "silently wrong"
        return False
    assert str(path) in said
    assert "\n" not in said
    return True


def test_a_truncated_file_is_refused(results: Path) -> None:
    data, rows = results.read_bytes(), rows_of(results)
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
    data, rows = results.read_bytes(), rows_of(results)
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
        rows_of(results)
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
        database.add([made(1)], "run")
    assert len(rows_of(path)) == 1


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


def test_a_stray_log_beside_the_file_does_no_harm(results: Path) -> None:
    rows = rows_of(results)
    for ending in ("-wal", "-shm"):
        results.with_name(results.name + ending).write_bytes(os.urandom(50_000))
    assert not _is_refused_or_right(results, rows)
    with Database(results, write=True) as database:
        database.add([made(500)], "run")
    assert len(rows_of(results)) == 201
