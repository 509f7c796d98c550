"""Results in one SQLite file: rows that are only ever added, through one writer.

A row is a task (image and setting) and some draws of its channel: what was sent, and how often each
outcome was seen. Nothing in it depends on who computed it or when; that stands in the run. Adding
two files is adding their rows.

The file is in WAL mode: it may be read while a run writes, and what was committed survives a kill
at any moment. WAL wants a local disk, not a network folder. A damaged file is refused: SQLite's own
check finds broken pages, the seal of each row and the ids of suites and settings a changed text.
:mod:`experiments.store.merge` saves what can still be read.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from experiments.path_text import to_uri
from experiments.store.integrity import broken, foreign, prepare, put
from experiments.store.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from experiments.store.upgrade import upgrade, upgraded
from experiments.suites.setting import AXES, Setting

RESULTS = "results.db"
"""Name of a results file."""
_BUSY_TIMEOUT_S = 60.0
_LEAST_BYTES = 512  # a page


@dataclass(frozen=True)
class TaskResult:
    """What came of one task and some draws."""

    task: str
    first: int
    draws: int
    image: str
    mask: str
    setting: str
    seed: int
    seconds: float
    record: dict[str, Any] = field(default_factory=dict)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    error: str = ""
    trace: str = ""


class Database:
    """A results file; use as a context manager.

    Parameters
    ----------
    path
        The file. It is made if it is not there and ``write`` is set.
    write
        Whether to write: only one process may, and another is refused.

    Raises
    ------
    ValueError
        A file that is missing, damaged, of a newer semcom, not a results file, or written by
        another run.
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = self.file = path
        with contextlib.ExitStack() as stack:
            if write:
                stack.callback(_lock(path).release)
            self.connection, version = _open(path, write)
            stack.callback(lambda: self.connection.close())
            if version < SCHEMA_VERSION:
                self._upgrade(stack, write)
            self._open = stack.pop_all()

    def _upgrade(self, stack: contextlib.ExitStack, write: bool) -> None:
        """Bring an old file up to date; where it is only read, a copy of it."""
        with _clear(self.path):
            if write:
                upgrade(self.connection)
                return
            with contextlib.closing(self.connection) as old:
                self.file = stack.enter_context(upgraded(old))
            self.connection = _connect(self.file, write)
            stack.callback(self.connection.close)  # before the copy is removed

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others write."""
        self._open.close()

    def query(self, sql: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query; a file that turns out to be damaged raises ``ValueError``."""
        with _clear(self.path):
            yield from self.connection.execute(sql, tuple(values))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all or nothing; ``OSError`` where the disk is full."""
        with _clear(self.path), self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection

    def add(self, made: Iterable[TaskResult], run: str) -> None:
        """Commit rows, failures and pictures; what is there already stays as it is."""
        with self.transaction() as connection:
            for one in made:
                about = (one.task, one.first, one.draws, one.image, one.mask, one.setting)
                if one.error:
                    failure = (*about, one.error, one.trace, run)
                    put(connection, "failures", failure, known="REPLACE")
                    continue
                lost = sum(o["count"] for o in one.outcomes if o["all_lost"])
                parts = (add_up(one.outcomes), one.record, one.outcomes)
                texts = (json.dumps(part, allow_nan=False) for part in parts)
                put(connection, "rows", (*about, one.seed, lost, *texts, one.seconds, run))
                for kind, data in one.pictures.items():
                    put(connection, "pictures", (one.task, kind, data))

    def setting(self, identity: str) -> Setting:
        """Return a setting by its id; one with an axis of a newer semcom raises ``ValueError``."""
        sql = "SELECT setting FROM settings WHERE id = ?"
        ((text,),) = self.query(sql, (identity,))
        axes = json.loads(text)
        if unknown := axes.keys() - AXES.keys():
            names = ", ".join(sorted(unknown))
            raise ValueError(f"{self.path} has settings of a newer semcom, with {names}: upgrade")
        return Setting.of(axes)


def results_file(results: Path) -> Path:
    """Return the results file in a folder, or the file itself."""
    return results / RESULTS if results.is_dir() else results


@contextlib.contextmanager
def opened(results: Path | Database) -> Iterator[Database]:
    """Open a results file, or the one in a folder; one that is open already stays so."""
    if isinstance(results, Database):
        yield results
        return
    with Database(results_file(results)) as database:
        yield database


def add_up(outcomes: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    """Return for each score how many draws have a value, their sum and their sum of squares."""
    sums: dict[str, list[float]] = {}
    for outcome in outcomes:
        n = outcome["count"]
        for name, value in outcome["scores"].items():
            if value is not None:
                total = sums.setdefault(name, [0, 0.0, 0.0])
                total[0] += n
                total[1] += n * value
                total[2] += n * value * value
    return sums


def _lock(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"{path} is being written by another run; wait for it, or choose another --out"
        ) from None
    return lock


def _open(path: Path, write: bool) -> tuple[sqlite3.Connection, int]:
    """Open a file and check it; return the version that it has, too."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; results are a file, such as {path}/results.db")
    if not path.exists() and not write:
        raise ValueError(f"{path}: no such results file")
    with _clear(path), contextlib.ExitStack() as stack:
        connection = _connect(path, write)
        stack.callback(connection.close)
        version = _check(connection, path, write)
        stack.pop_all()
    return connection, version


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    """Open a file; one for reading is not changed, also where it is no results file."""
    modes = ["mode=rwc"] if write else ["mode=ro"]
    if not write and not path.with_name(f"{path.name}-wal").exists():
        modes.append("immutable=1")  # WAL wants a file beside it, also to read: on a read-only disk
    for mode in modes:
        uri = f"{to_uri(path)}?{mode}"
        connection = sqlite3.connect(uri, timeout=_BUSY_TIMEOUT_S, isolation_level=None, uri=True)
        try:
            connection.execute("PRAGMA schema_version")
        except sqlite3.OperationalError:
            connection.close()
            if mode == modes[-1]:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            break
    return connection


def _check(connection: sqlite3.Connection, path: Path, write: bool) -> int:
    """Refuse what is no results file, or a newer one, and what is damaged; return its version."""
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    cut = 0 < path.stat().st_size < _LEAST_BYTES  # SQLite takes it for an empty file
    if (tables or cut or not write) and application != APPLICATION_ID:
        raise ValueError(f"{path} is no results file of semcom")
    if not tables and write:
        version = SCHEMA_VERSION
        _keep_safely(connection)
        _create(connection)
    elif not 1 <= version <= SCHEMA_VERSION:
        raise ValueError(
            f"{path} has version {version}, this semcom reads 1 to {SCHEMA_VERSION}; "
            "use the semcom that wrote it"
        )
    _check_content(connection, path, complete=version == SCHEMA_VERSION)
    if write:
        _keep_safely(connection)
    return int(version)


def _check_content(connection: sqlite3.Connection, path: Path, *, complete: bool) -> None:
    """Refuse what we did not write, or not so."""
    prepare(connection)
    if other := foreign(connection, complete=complete):
        raise ValueError(f"{path} is not as semcom wrote it: its {other} is none of ours")
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise ValueError(_damaged(path, verdict))
    if table := broken(connection, complete=complete):
        raise ValueError(_damaged(path, f"{table} that are not what was written"))


def _keep_safely(connection: sqlite3.Connection) -> None:
    """Keep what is committed, whatever happens."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


@contextlib.contextmanager
def _clear(path: Path) -> Iterator[None]:
    """Say what SQLite complains of: damage is a ``ValueError``, the disk an ``OSError``."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        kind = code & 0xFF  # the rest says more
        if kind == sqlite3.SQLITE_NOTADB:
            raise ValueError(f"{path} is no results file of semcom") from None
        if code == sqlite3.SQLITE_IOERR_SHORT_READ or kind not in _DISK:
            raise ValueError(_damaged(path, error)) from error
        raise OSError(f"{path}: {error}; {_DISK[kind]}") from error
    except UnicodeDecodeError as error:  # text of the file, also in what SQLite says of it
        raise ValueError(_damaged(path, error)) from error


_ROOM = "what was committed is safe, make room and run again"
_DISK = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_BUSY: "another program holds the file; try again when it has ended",
    sqlite3.SQLITE_LOCKED: "another program holds the file; try again when it has ended",
    sqlite3.SQLITE_PERM: "it may not be used",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_CANTOPEN: "it or its folder may not be used; copy it to where one may write",
}


def _damaged(path: Path, why: object) -> str:
    said = " ".join(str(why).split())
    return (
        f"{path} is damaged ({said}); semcom merge --salvage saved.db {path} saves what can be "
        "read, and the next run makes the rest anew"
    )
