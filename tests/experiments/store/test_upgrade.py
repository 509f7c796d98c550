"""Results files of version 1: read as they are, and brought up to date without losing a row."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from experiments.store.database import Database
from experiments.store.merge import merge
from experiments.store.schema import APPLICATION_ID, SCHEMA_VERSION
from experiments.store.study import read_results
from experiments.suites.axes import System

# Made by semcom 0.1.0: a suite over a.png, then over b.png, in one file.
OLD = Path(__file__).parent / "data" / "results-version-1.sql"
KEPT = {
    "rows": "*",
    "settings": "*",
    "pictures": "task, kind, data",
    "failures": "task, first, draws, image, mask, setting, error, trace, run",
}


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def _tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: _query(path, f"SELECT {columns} FROM {name} ORDER BY 1, 2")
        for name, columns in KEPT.items()
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    return path


def test_an_old_file_is_read_and_not_changed(old: Path) -> None:
    before = hashlib.sha256(old.read_bytes()).hexdigest()
    study = read_results(old)
    assert hashlib.sha256(old.read_bytes()).hexdigest() == before
    # A name with a comma is the suite's own; what varies is found in the suite, not in the name.
    assert study.systems == (
        System("masks, all", (("theta", 0.5),)),
        System("masks, all", (("theta", 0.8),)),
        System("blind"),
    )
    assert study.anchor == System("blind")
    # It does not say which images a run was over: all that the suite has.
    assert list(study.images.values()) == ["photos/a.png", "photos/b.png"]
    assert [[row.name for row in point.rows] for point in study.points] == [
        ["photos/a.png", "photos/b.png"]
    ] * 3
    assert [row.draws for row in study.points[0].rows] == [4, 16]


def test_writing_brings_it_up_to_date_and_loses_nothing(old: Path, tmp_path: Path) -> None:
    before, study = _tables(old), read_results(old)
    Database(old, write=True).close()
    assert _query(old, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert _tables(old) == before
    assert len(before["rows"]) == 12
    assert read_results(old) == study
    Database(old, write=True).close()
    assert read_results(old) == study
    # It then has the tables of a new one, to the letter.
    Database(tmp_path / "new.db", write=True).close()
    sql = "SELECT name, sql FROM sqlite_master ORDER BY name"
    assert _query(old, sql) == _query(tmp_path / "new.db", sql)


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _tables(old)
    monkeypatch.setattr("experiments.store.upgrade._members", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Database(old, write=True)
    monkeypatch.undo()
    assert _query(old, "PRAGMA user_version") == [(1,)]
    assert _tables(old) == before
    Database(old, write=True).close()  # nor is it locked


@pytest.mark.parametrize("salvage", [False, True])
def test_old_files_are_merged_into_new_ones(old: Path, tmp_path: Path, salvage: bool) -> None:
    before = _tables(old)
    merge(tmp_path / "new.db", [old], salvage=salvage, say=lambda *_: None)
    assert _query(old, "PRAGMA user_version") == [(1,)]
    assert _tables(tmp_path / "new.db") == before
    assert read_results(tmp_path / "new.db") == read_results(old)


def test_a_suite_that_cannot_be_read_any_more_keeps_its_names(old: Path) -> None:
    """Such as one with a plugin that is not here."""
    ((suite, content),) = _query(old, "SELECT id, content FROM suites LIMIT 1")
    other = content.replace("layered:base=jpeg", "nobody:has=this")
    identity = hashlib.sha256(other.encode()).hexdigest()
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DELETE FROM suites WHERE id != ?", (suite,))
        connection.execute("UPDATE suites SET id = ?, content = ?", (identity, other))
        connection.execute("UPDATE members SET suite = ? WHERE suite = ?", (identity, suite))
        connection.execute("UPDATE runs SET suite = ?", (identity,))
        connection.commit()
    study = read_results(old)
    assert [point.system for point in study.points] == [
        "masks, all, θ 0.5",
        "masks, all, θ 0.8",
        "blind",
    ]
