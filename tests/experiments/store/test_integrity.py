"""What was edited is found, wherever it stands; what acts by itself is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from experiments.store.database import Database, TaskResult
from experiments.store.integrity import CHECKED, put, seal_of
from experiments.store.merge import merge
from experiments.store.schema import APPLICATION_ID, SCHEMA
from experiments.store.study import read_results

OLD = Path(__file__).parent / "data" / "results-version-1.sql"
Edit = Callable[[str], None]


def _made(i: int, **about: object) -> TaskResult:
    scores = {"psnr_db": 20 + i / 7, "ssim": None}
    outcome = {"count": 1, "all_lost": False, "scores": scores, "draw": i, "sha256": "0" * 64}
    parts = {"record": {"cbr": 1 / 16}, "outcomes": [outcome], "pictures": {"region": b"RIFF"}}
    return TaskResult(f"task{i}", 0, 1, "image", "", "setting", 0, 1, **{**parts, **about})  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with something in every table."""
    path = tmp_path / "results.db"
    content, setting = '{"title": "t"}', "{}"
    with Database(path, write=True) as database:
        with database.transaction() as connection:
            (identity, other) = connection.execute(
                "SELECT sha256(?), sha256(?)", (content, setting)
            ).fetchone()
            put(connection, "suites", (identity, content, "suite"))
            put(connection, "runs", ("run", "2026", identity, "images", "{}", None, "{}"))
            put(connection, "image_sets", ("images", "image", "", "a/b.png"))
            put(connection, "images", ("image", "", "a/b.png", "/a/b.png", None))
            connection.execute("INSERT INTO settings VALUES (?, ?)", (other, setting))
            put(connection, "members", (identity, 0, "setting", "system", "{}"))
            put(connection, "intervals", ("s", "i", "setting", "x", 1, 8, 30, None, np.pi, ""))
        database.add([_made(0), _made(1, error="E: why", trace="t")], "run")
    return path


@pytest.fixture
def edit(path: Path) -> Edit:
    def edit(sql: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)

    return edit


def test_no_table_is_forgotten() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert {name for (name,) in found} == {*CHECKED, "pictures", "settings"}


def test_a_file_as_it_was_written_is_read(path: Path) -> None:
    with Database(path) as database:
        for table in (*CHECKED, "pictures"):
            ((count,),) = database.query(f"SELECT count(*) FROM {table}")
            assert count == 1, table


def _columns() -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return [
            (table, name, kind)
            for table in (*CHECKED, "settings")
            for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
        ]


@pytest.mark.parametrize(("table", "column", "kind"), _columns())
def test_every_value_that_is_edited_is_found(
    path: Path, edit: Edit, table: str, column: str, kind: str
) -> None:
    other = {"TEXT": "'other'", "INTEGER": "12345", "REAL": "1.25", "BLOB": "x'00'"}[kind]
    edit(f"UPDATE {table} SET {column} = {other}")
    with pytest.raises(ValueError, match=rf"is damaged \({table} differ from what was written\)"):
        Database(path)


def test_a_number_as_text_or_as_another_number_has_the_same_seal(path: Path, edit: Edit) -> None:
    """What is written as 30 is read as 30.0: the seal is of what comes back."""
    edit("UPDATE intervals SET mean = 30.0")
    Database(path).close()
    edit("UPDATE intervals SET mean = 30.000000000000004")
    with pytest.raises(ValueError, match="intervals differ from what was written"):
        Database(path)


def test_names_that_are_no_utf8_are_sealed_as_they_come_back(path: Path) -> None:
    with Database(path, write=True) as database, database.transaction() as connection:
        put(connection, "images", ("other", "", "caf\udce9.png", "/caf", None))
    with Database(path) as database:
        sql = "SELECT name FROM images WHERE id = 'other'"
        assert list(database.query(sql)) == [(r"caf\udce9.png",)]


def test_a_seal_is_of_bytes_and_text_alike() -> None:
    assert seal_of("a", 1, None, 0.5) == seal_of(b"a", "1", b"None", "0.5")
    assert seal_of("a", "b") != seal_of("ab", "")
    assert seal_of(b"\xff") != seal_of(b"\xfe")


ACTIVE = {
    "trigger": "CREATE TRIGGER t AFTER INSERT ON rows BEGIN DELETE FROM rows; END",
    "view": "CREATE VIEW more AS SELECT 1",
    "table": "CREATE TABLE more (x)",
    "index": "CREATE INDEX more ON rows (task)",
    "view of ours": "DROP VIEW open_failures; CREATE VIEW open_failures AS SELECT * FROM failures",
    "index of ours": "DROP INDEX rows_by_setting; "
    "CREATE INDEX rows_by_setting ON rows (abs(draws))",
    "computed": "ALTER TABLE members ADD COLUMN x TEXT AS (upper(system))",
    "column": "ALTER TABLE members ADD COLUMN x TEXT",
    "fewer": "ALTER TABLE members DROP COLUMN varies",
    "gone": "DROP TABLE intervals",
    "view for a table": "DROP TABLE images; CREATE VIEW images AS SELECT 'a' AS id",
    "made up": "DROP TABLE images; CREATE VIRTUAL TABLE images USING fts5(id)",
}


@pytest.mark.parametrize("sql", ACTIVE.values(), ids=ACTIVE)
@pytest.mark.parametrize("write", [False, True])
def test_what_is_not_ours_is_refused_and_left_as_it_is(
    path: Path, edit: Edit, sql: str, write: bool
) -> None:
    edit(f"PRAGMA journal_mode = DELETE; {sql}")
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"results\.db has been changed: its .+ is not from semcom"
    ):
        Database(path, write=write)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="is not from semcom"):
        merge(path.with_name("target.db"), [path], salvage=False, say=lambda *_: None)


def test_what_sqlite_makes_itself_is_no_harm(path: Path, edit: Edit) -> None:
    edit("VACUUM; REINDEX")
    Database(path).close()
    Database(path, write=True).close()


@pytest.mark.parametrize(
    "sql",
    [
        ACTIVE["trigger"],
        ACTIVE["view"],
        "ALTER TABLE rows ADD COLUMN x TEXT",
        'ALTER TABLE rows RENAME COLUMN task TO "x) FROM rows; --"',
    ],
)
def test_old_files_are_held_to_the_same(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    assert read_results(path).points
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
    with pytest.raises(ValueError, match="is not from semcom"):
        read_results(path)


def test_salvage_takes_no_view_for_a_table(path: Path, edit: Edit) -> None:
    """One could count for ever."""
    edit(
        "DROP TABLE images; CREATE VIEW images AS WITH RECURSIVE n(rowid) AS "
        "(SELECT 1 UNION ALL SELECT rowid + 1 FROM n) SELECT rowid FROM n WHERE rowid < 0"
    )
    with pytest.raises(ValueError, match="images is not a table of semcom"):
        merge(path.with_name("target.db"), [path], salvage=True, say=lambda *_: None)


def test_salvage_leaves_out_what_was_edited(path: Path, edit: Edit) -> None:
    edit("UPDATE intervals SET mean = 99; UPDATE pictures SET data = x'00'")
    target = path.with_name("target.db")
    merge(target, [path], salvage=True, say=lambda *_: None)
    with Database(target) as database:
        counts = [
            next(database.query(f"SELECT count(*) FROM {table}"))[0]
            for table in ("rows", "intervals", "pictures")
        ]
    assert counts == [1, 0, 0]
