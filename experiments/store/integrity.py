"""Integrity checks: a results file must hold what was written to it, and no code.

Every row ends in a seal, the CRC-32 of the rest of the row; only settings have none, because their
id is a hash. Damage and edits are therefore found when the file is opened or, for pictures, which
are large, when they are shown. A seal is not a signature, since anybody can compute it. For the
same reason, a file from elsewhere must not contain code: triggers, views other than ours, or
computed columns.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sqlite3
import zlib
from contextlib import closing
from typing import Any, Literal, NamedTuple

from experiments.path_text import readable
from experiments.store.schema import SCHEMA

CHECKED = ("suites", "runs", "image_sets", "images", "members", "rows", "failures", "intervals")
"""Tables with seals that are checked when a file is opened."""
_SINCE_1 = ("rows", "settings")
"""Tables that have not changed since version 1."""
_IDS = {"suites": "id IS NOT sha256(content)", "settings": "id IS NOT sha256(setting)"}


def seal_of(*row: Any) -> int:
    """Return the seal of a row: the CRC-32 of its other columns."""
    parts = (part if isinstance(part, bytes) else str(part).encode() for part in row)
    return zlib.crc32(b"\x1f".join(parts))


def put(
    connection: sqlite3.Connection,
    table: str,
    row: tuple[Any, ...],
    *,
    known: Literal["IGNORE", "REPLACE"] = "IGNORE",
) -> None:
    """Write a row with its seal; ``known`` tells whether to keep or replace one of the same key.

    Text that is not valid UTF-8, such as some file names, is written with backslash escapes.
    """
    columns = _ours().tables[table]
    cells = [_cell(value, kind) for value, (_, kind) in zip(row, columns[:-1], strict=True)]
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT OR {known} INTO {table} VALUES ({marks})"  # noqa: S608
    connection.execute(sql, (*cells, seal_of(*cells)))


def _cell(value: Any, kind: str) -> Any:
    """Convert a value to the one that SQLite will return."""
    if isinstance(value, str):
        return readable(value)
    return float(value) if kind == "REAL" and value is not None else value


def prepare(connection: sqlite3.Connection) -> None:
    """Add our functions to a connection, and restrict what the schema of its file may call."""
    connection.create_function("seal_of", -1, seal_of, deterministic=True)
    connection.create_function("sha256", 1, _sha256, deterministic=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def foreign(connection: sqlite3.Connection, *, complete: bool) -> str:
    """Return the name of something in the file that semcom did not create; empty if there is none.

    ``complete`` means that the file has the current version, so that tables have all columns.
    """
    ours = _ours()
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master"):
        by_sqlite = str(name).startswith("sqlite_") and sql is None  # the index of a key
        our_table = kind == "table" and name in ours.tables
        if not by_sqlite and not our_table and ours.others.get((kind, name)) != _plain(sql):
            return f"{kind} {name}"
    for name in ours.tables:
        found = _columns(connection, name)
        if any(column.hidden for column in found) or not is_plain_table(connection, name):
            return f"table {name}"
        about = [(column.name, column.kind) for column in found]
        if (complete or name in _SINCE_1) and about != ours.tables[name]:
            return f"table {name}"
    return ""


def broken(connection: sqlite3.Connection, *, complete: bool) -> str:
    """Return the name of a table that differs from what was written; empty if there is none."""
    wrong = {table: [condition] for table, condition in _IDS.items()}
    for table in CHECKED if complete else ("rows",):
        columns = ", ".join(name for name, _ in _ours().tables[table][:-1])
        wrong.setdefault(table, []).append(f"seal IS NOT seal_of({columns})")
    for table, conditions in wrong.items():
        sql = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(conditions)})"  # noqa: S608
        if any(found for (found,) in connection.execute(sql)):
            return table
    return ""


def is_whole(table: str, columns: tuple[str, ...], row: tuple[Any, ...]) -> bool:
    """Whether a row is as it was written, as far as its id or seal can tell."""
    if table in _IDS and row[0] != _sha256(str(row[1])):
        return False
    return columns[-1] != "seal" or row[-1] == seal_of(*row[:-1])


class _Column(NamedTuple):
    name: str
    kind: str
    hidden: bool


class _Ours(NamedTuple):
    tables: dict[str, list[tuple[str, str]]]
    """Names and types of the columns of each table."""
    others: dict[tuple[str, str], str]
    """SQL of indices and views."""


@functools.cache
def _ours() -> _Ours:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        tables, others = {}, {}
        for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master"):
            if kind == "table":
                tables[name] = [(c.name, c.kind) for c in _columns(connection, name)]
            elif sql is not None:
                others[kind, name] = _plain(sql)
    return _Ours(tables, others)


def _columns(connection: sqlite3.Connection, table: str) -> list[_Column]:
    sql = "SELECT name, type, hidden != 0 FROM pragma_table_xinfo(?)"
    return [_Column(*about) for about in connection.execute(sql, (table,))]


def is_plain_table(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the name is unused or that of an ordinary table, not of a view or virtual table."""
    sql = "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?"
    return all(kind == "table" for (kind,) in connection.execute(sql, (name,)))


def _plain(sql: object) -> str:
    """Remove comments and line breaks."""
    return " ".join(re.sub("--[^\n]*", " ", str(sql)).split())


def _sha256(text: str) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()
