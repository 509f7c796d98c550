"""Whether a results file holds what was written to it, and nothing that acts by itself.

Every row of every table but the settings, whose id is a hash, ends in a seal, the CRC-32 of the
rest: what was damaged or edited is found when the file is opened; of pictures, which are large,
when they are shown. It is no signature: who means to deceive can seal anew. Hence a file from
elsewhere may bring along no code either: triggers, views that are not ours, computed columns.
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
"""Tables whose seals are checked when a file is opened."""
_SINCE_1 = ("rows", "settings")
"""Tables that have not changed since version 1."""
_IDS = {"suites": "id IS NOT sha256(content)", "settings": "id IS NOT sha256(setting)"}


def seal_of(*row: Any) -> int:
    """Return the CRC-32 of a row without its seal."""
    parts = (part if isinstance(part, bytes) else str(part).encode() for part in row)
    return zlib.crc32(b"\x1f".join(parts))


def put(
    connection: sqlite3.Connection,
    table: str,
    row: tuple[Any, ...],
    *,
    known: Literal["IGNORE", "REPLACE"] = "IGNORE",
) -> None:
    """Write a row with its seal; what is ``known`` by the same key stays, or is replaced.

    Text that is no UTF-8, as names of files may be, is written with backslashes.
    """
    columns = _ours().tables[table]
    cells = [_cell(value, kind) for value, (_, kind) in zip(row, columns[:-1], strict=True)]
    marks = ", ".join("?" * len(columns))
    sql = f"INSERT OR {known} INTO {table} VALUES ({marks})"  # noqa: S608
    connection.execute(sql, (*cells, seal_of(*cells)))


def _cell(value: Any, kind: str) -> Any:
    """Return what SQLite will give back."""
    if isinstance(value, str):
        return readable(value)
    return float(value) if kind == "REAL" and value is not None else value


def prepare(connection: sqlite3.Connection) -> None:
    """Give a connection our functions; what is stored in its file may call nothing that acts."""
    connection.create_function("seal_of", -1, seal_of, deterministic=True)
    connection.create_function("sha256", 1, _sha256, deterministic=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def foreign(connection: sqlite3.Connection, *, complete: bool) -> str:
    """Name something in a file that we did not put there; empty where there is nothing.

    ``complete`` says that the file has this version, and every table all of its columns.
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
    """Name a table that does not hold what was written; empty where all do."""
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
    """Whether a row of a file that is damaged elsewhere is as it was written, as far as it says."""
    if table in _IDS and row[0] != _sha256(str(row[1])):
        return False
    return columns[-1] != "seal" or row[-1] == seal_of(*row[:-1])


class _Column(NamedTuple):
    name: str
    kind: str
    hidden: bool


class _Ours(NamedTuple):
    tables: dict[str, list[tuple[str, str]]]
    """Names and types of columns."""
    others: dict[tuple[str, str], str]
    """What makes indices and views."""


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
    """Whether nothing by this name is a view, or a table that some extension makes up."""
    sql = "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ?"
    return all(kind == "table" for (kind,) in connection.execute(sql, (name,)))


def _plain(sql: object) -> str:
    """Leave out comments and line breaks."""
    return " ".join(re.sub("--[^\n]*", " ", str(sql)).split())


def _sha256(text: str) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()
