"""``semcom merge``: adding the rows of results files, also of damaged ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from experiments.database import Database, seal_of

Say = Callable[..., None]
TABLES = ("suites", "runs", "images", "settings", "members", "failures", "intervals", "pictures")
_GONE = 20_000  # row numbers without a row after which a damaged table has ended
_NEW = """
INSERT INTO main.rows SELECT * FROM other.rows o WHERE NOT EXISTS (
    SELECT 1 FROM main.rows m WHERE m.task = o.task
    AND m.first < o.first + o.draws AND o.first < m.first + m.draws)
"""
"""A draw counts once, also where batches were cut differently."""
_DIFFER = """
SELECT count(*) FROM main.rows m JOIN other.rows o USING (task, first, draws)
WHERE m.outcomes != o.outcomes OR m.record != o.record
"""


def merge(target: Path, sources: Sequence[Path], *, salvage: bool, say: Say) -> None:
    """Add rows, settings, pictures and failures of ``sources`` to ``target``.

    A task and draws that both have are kept as they are in ``target``; where they are not the same,
    the number is told.

    Parameters
    ----------
    target
        Results file; made if it is not there.
    sources
        Results files.
    salvage
        Take what can be read of damaged sources.
    say
        What gets the counts.

    Raises
    ------
    ValueError
        A file that is missing, damaged (without ``salvage``) or no results file.
    """
    for source in sources:
        if not source.is_file():
            raise ValueError(f"{source}: no such results file")
        if target.exists() and source.samefile(target):
            raise ValueError(f"{source} is the target itself")
    with Database(target, write=True) as database:
        for source in sources:
            if salvage:
                new = _save(source, database)
            else:
                Database(source).close()  # refuses what is damaged
                new = _add(source, database, say)
            say(f"{new} rows of {source} added to {target}")


def _add(source: Path, database: Database, say: Say) -> int:
    connection = database.connection
    connection.execute("ATTACH ? AS other", (f"file:{quote(str(source.absolute()))}?mode=ro",))
    try:
        with database.transaction():
            ((differ,),) = connection.execute(_DIFFER)
            added = connection.execute(_NEW).rowcount
            for table in TABLES:
                sql = f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}"  # noqa: S608
                connection.execute(sql)
    finally:
        connection.execute("DETACH other")
    if differ:
        say(f"{source}: {differ} rows differ from those of the same tasks; the latter are kept")
    return added


def _save(source: Path, database: Database) -> int:
    """Copy row by row what can be read."""
    with closing(
        sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True)
    ) as broken:
        # Without it, SQLite reads nothing at all of a file that is shorter than its header says.
        broken.execute("PRAGMA writable_schema = ON")
        added = 0
        for table in (*TABLES, "rows"):
            with database.transaction() as connection:
                for row in _readable(broken, table):
                    marks = ", ".join("?" * len(row))
                    sql = f"INSERT OR IGNORE INTO {table} VALUES ({marks})"  # noqa: S608
                    try:
                        new = connection.execute(sql, row).rowcount
                    except sqlite3.IntegrityError:  # a value of the wrong type
                        continue
                    added += new if table == "rows" else 0
    return added


def _readable(broken: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    number = missing = 0
    while missing < _GONE:
        number += 1
        try:
            sql = f"SELECT * FROM {table} NOT INDEXED WHERE rowid = ?"  # noqa: S608
            row = broken.execute(sql, (number,)).fetchone()
        except sqlite3.DatabaseError:
            row = None
        if row is None:
            missing += 1
        elif table != "rows" or row[-1] == seal_of(*row[:-1]):
            missing = 0
            yield row


def put_aside(path: Path, say: Say) -> None:
    """Rename a results file, for a run that begins anew."""
    if not path.exists():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.stem}-{stamp}{path.suffix}")
    with Database(path, write=True) as database:
        database.connection.execute("VACUUM INTO ?", (str(kept),))
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    say(f"the results so far are put aside as {kept}")
