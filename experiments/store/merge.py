"""``semcom merge``: adds the rows of results files, including damaged ones."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments.path_text import to_uri
from experiments.read_files import other_files
from experiments.store.database import Database
from experiments.store.integrity import is_plain_table, is_whole
from experiments.store.opening import clear
from experiments.store.record_comparison import differences
from experiments.store.schema import APPLICATION_ID, results_file
from semcom.errors import InputError

Say = Callable[..., None]
TABLES = (
    *("suites", "runs", "image_sets", "images", "settings", "members"),
    *("failures", "intervals", "pictures"),
)
_GONE = 20_000  # consecutive missing row numbers that mark the end of a damaged table
_COVERED = """
DELETE FROM main.rows WHERE rowid IN (
    SELECT m.rowid FROM main.rows m JOIN other.rows o USING (task)
    WHERE o.first <= m.first AND m.first + m.draws <= o.first + o.draws AND m.draws < o.draws
    AND NOT EXISTS (
        SELECT 1 FROM main.rows p WHERE p.task = o.task
        AND p.first < o.first + o.draws AND o.first < p.first + p.draws
        AND (p.first < o.first OR p.first + p.draws > o.first + o.draws)))
"""
"""Rows whose draws all lie within one row of the other file, which has more and replaces them."""
_NEW = """
INSERT INTO main.rows SELECT * FROM other.rows o WHERE NOT EXISTS (
    SELECT 1 FROM main.rows m WHERE m.task = o.task
    AND m.first < o.first + o.draws AND o.first < m.first + m.draws)
"""
"""A draw counts only once, even if batches were divided differently."""
_LACKING = """
SELECT COUNT(*) FROM other.rows o WHERE o.draws > (
    SELECT COALESCE(SUM(MIN(m.first + m.draws, o.first + o.draws) - MAX(m.first, o.first)), 0)
    FROM main.rows m WHERE m.task = o.task
    AND m.first < o.first + o.draws AND o.first < m.first + m.draws)
"""
"""Rows of the other file with draws that this one lacks, although it has others of them."""
_DIFFER = """
SELECT m.record, m.outcomes, o.record, o.outcomes
FROM main.rows m JOIN other.rows o USING (task, first, draws)
WHERE m.outcomes != o.outcomes OR m.record != o.record
"""


def merge(target: Path, sources: Sequence[Path], *, salvage: bool, say: Say) -> None:
    """Add rows, settings, pictures and failures of ``sources`` to ``target``.

    If both have the same draws of a task, those of ``target`` are kept; the number of rows that
    differ is reported. A row that holds all draws of some rows of ``target``, and more, replaces
    them. Rows that overlap in another way are left out, and their number is reported.

    Parameters
    ----------
    target
        Results file, created if it does not exist.
    sources
        Results files.
    salvage
        Take the readable rows from damaged sources.
    say
        Function that receives the counts.

    Raises
    ------
    ValueError
        If a file is missing, damaged (without ``salvage``) or not a results file.
    """
    sources = [results_file(source) for source in sources]
    for source in sources:
        if not source.exists():
            raise InputError(f"{source}: no such results file")
        if target.exists() and source.samefile(target):
            raise InputError(f"{source} is the target itself")
    with Database(target, write=True) as database:
        for source in sources:
            with _salvaged(source) if salvage else nullcontext(source) as whole:
                new = _add(whole, source, database, say)
            say(f"{new} rows of {source} added to {target}")


def _add(whole: Path, source: Path, database: Database, say: Say) -> int:
    """Add the rows of ``whole``, an undamaged file, which messages call ``source``."""
    connection = database.connection
    with Database(whole) as other:  # refuses a damaged file, and upgrades an old one
        _check_files(other, database, source)
        connection.execute("ATTACH ? AS other", (_read_only(other.file),))
        try:
            with database.transaction():
                other_rows, last_digits = _count_other(connection)
                connection.execute(_COVERED)
                added = connection.execute(_NEW).rowcount
                ((lacking,),) = connection.execute(_LACKING)
                for table in TABLES:
                    sql = f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}"  # noqa: S608
                    connection.execute(sql)
        finally:
            connection.execute("DETACH other")
    if lacking:
        said = f"{lacking} rows hold some draws that {database.path} has and some that it lacks"
        say(f"{source}: {said}; they are left out")
    for count, how in ((other_rows, ""), (last_digits, " in the last digits, as on another CPU")):
        if count:
            said = f"{count} rows differ from those of {database.path}{how}; the latter are kept"
            say(f"{source}: {said}")
    return added


def _check_files(other: Database, database: Database, source: Path) -> None:
    """Refuse rows that were made with other content of a file that plug-ins read."""
    theirs, ours = (
        [json.loads(text) for (text,) in one.query("SELECT DISTINCT versions FROM runs")]
        for one in (other, database)
    )
    for before, now in itertools.product(ours, theirs):
        for name in other_files(before, now):
            raise InputError(
                f"{source}: its rows were made with another content of {name} than those of "
                f"{database.path}"
            )


def _read_only(file: Path) -> str:
    """Return the address of a file that is not changed, also in a folder that cannot be."""
    fixed = "" if file.with_name(f"{file.name}-wal").exists() else "&immutable=1"
    return f"{to_uri(file)}?mode=ro{fixed}"


def _count_other(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count the rows that differ, and those that differ only by rounding."""
    rounded = []
    for row in connection.execute(_DIFFER):
        record, outcomes, *again = map(json.loads, row)
        rounded.append(all(d.is_rounding for d in differences([record, outcomes], again)))
    return rounded.count(False), rounded.count(True)


@contextmanager
def _salvaged(source: Path) -> Iterator[Path]:
    """Provide an undamaged copy of the readable rows of a file, of the same version."""
    with TemporaryDirectory(prefix="semcom-") as folder:
        copy = Path(folder) / "saved.db"
        with (
            closing(sqlite3.connect(f"{to_uri(source)}?mode=ro", uri=True)) as broken,
            closing(sqlite3.connect(copy)) as saved,
        ):
            # Otherwise SQLite refuses to read a file that is shorter than its header says.
            broken.execute("PRAGMA writable_schema = ON")
            try:
                for table in (*TABLES, "rows"):
                    _copy(table, broken, saved)
            except (sqlite3.DatabaseError, ValueError) as error:
                raise InputError(f"{source}: nothing of it can be read ({error})") from None
            saved.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            ((version,),) = broken.execute("PRAGMA user_version")
            saved.execute(f"PRAGMA user_version = {int(version)}")
            saved.commit()
        yield copy


def _copy(table: str, broken: sqlite3.Connection, saved: sqlite3.Connection) -> None:
    """Copy the readable rows of a table one by one."""
    if not is_plain_table(broken, table):
        raise InputError(f"{table} is not a table of semcom")
    about = broken.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
    columns = [f"{name} {kind}" for name, kind in about if f"{name}{kind}".isidentifier()]
    if not columns and table != "rows":  # an older file, which has no such table
        return
    saved.execute(f"CREATE TABLE {table} ({', '.join(columns)}) STRICT")
    sql = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    for row in _readable(broken, table, tuple(name for name, _ in about)):
        with suppress(sqlite3.IntegrityError):  # a value of the wrong type
            saved.execute(sql, row)


def _readable(
    broken: sqlite3.Connection, table: str, columns: tuple[str, ...]
) -> Iterator[tuple[Any, ...]]:
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
        elif is_whole(table, columns, row):
            missing = 0
            yield row


def put_aside(path: Path, say: Say) -> None:
    """Rename a results file before a run that starts afresh."""
    if not path.exists():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.stem}-{stamp}{path.suffix}")
    with Database(path, write=True) as database:
        with clear(kept):
            database.connection.execute("VACUUM INTO ?", (to_uri(kept),))
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    say(f"the previous results are put aside as {kept}")
