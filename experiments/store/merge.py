"""``semcom merge``: adding the rows of results files, also of damaged ones."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments.path_text import to_uri
from experiments.store.database import Database
from experiments.store.integrity import is_plain_table, is_whole
from experiments.store.record_comparison import differences
from experiments.store.schema import APPLICATION_ID
from semcom.errors import InputError

Say = Callable[..., None]
TABLES = (
    *("suites", "runs", "image_sets", "images", "settings", "members"),
    *("failures", "intervals", "pictures"),
)
_GONE = 20_000  # row numbers without a row after which a damaged table has ended
_NEW = """
INSERT INTO main.rows SELECT * FROM other.rows o WHERE NOT EXISTS (
    SELECT 1 FROM main.rows m WHERE m.task = o.task
    AND m.first < o.first + o.draws AND o.first < m.first + m.draws)
"""
"""A draw counts once, also where batches were cut differently."""
_DIFFER = """
SELECT m.record, m.outcomes, o.record, o.outcomes
FROM main.rows m JOIN other.rows o USING (task, first, draws)
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
            raise InputError(f"{source}: no such results file")
        if target.exists() and source.samefile(target):
            raise InputError(f"{source} is the target itself")
    with Database(target, write=True) as database:
        for source in sources:
            with _salvaged(source) if salvage else nullcontext(source) as whole:
                new = _add(whole, source, database, say)
            say(f"{new} rows of {source} added to {target}")


def _add(whole: Path, source: Path, database: Database, say: Say) -> int:
    """Add what is in ``whole``, a file without damage; ``source`` is what it is called."""
    connection = database.connection
    with Database(whole) as other:  # refuses what is damaged, and brings up to date what is old
        connection.execute("ATTACH ? AS other", (f"{to_uri(other.file)}?mode=ro",))
        try:
            with database.transaction():
                other_rows, last_digits = _count_other(connection)
                added = connection.execute(_NEW).rowcount
                for table in TABLES:
                    sql = f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}"  # noqa: S608
                    connection.execute(sql)
        finally:
            connection.execute("DETACH other")
    for count, how in ((other_rows, ""), (last_digits, " in the last digits, as on another CPU")):
        if count:
            said = f"{count} rows differ from those of the same tasks{how}; the latter are kept"
            say(f"{source}: {said}")
    return added


def _count_other(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count the rows that differ, and those that do so by rounding alone."""
    rounded = []
    for row in connection.execute(_DIFFER):
        record, outcomes, *again = map(json.loads, row)
        rounded.append(all(d.is_rounding for d in differences([record, outcomes], again)))
    return rounded.count(False), rounded.count(True)


@contextmanager
def _salvaged(source: Path) -> Iterator[Path]:
    """Have a copy of what can be read of a file, whole and of the same version."""
    with TemporaryDirectory(prefix="semcom-") as folder:
        copy = Path(folder) / "saved.db"
        with (
            closing(sqlite3.connect(f"{to_uri(source)}?mode=ro", uri=True)) as broken,
            closing(sqlite3.connect(copy)) as saved,
        ):
            # Without it, SQLite reads nothing at all of a file that is shorter than its header
            # says.
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
    """Copy row by row what can be read of a table."""
    if not is_plain_table(broken, table):
        raise InputError(f"{table} is none of our tables")
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
    """Rename a results file, for a run that begins anew."""
    if not path.exists():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.stem}-{stamp}{path.suffix}")
    with Database(path, write=True) as database:
        database.connection.execute("VACUUM INTO ?", (to_uri(kept),))
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    say(f"the results so far are put aside as {kept}")
