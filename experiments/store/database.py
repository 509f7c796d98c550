"""The results file: one SQLite file to which a single writer only adds rows.

A row belongs to a task (image and setting) and some draws of its channel. It holds what was sent,
and how often each outcome occurred. A row does not depend on who computed it or when; the table of
runs holds that. Two files are merged by adding their rows.

The file is in WAL mode: it can be read while a run writes, and committed rows survive a kill at any
moment. WAL needs a local disk, not a network folder. A damaged file is refused: SQLite's own check
finds broken pages, and the seals of rows and the ids of suites and settings reveal changed text.
:mod:`experiments.store.merge` saves the rows that can still be read.
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
"""Default name of a results file."""
_BUSY_TIMEOUT_S = 60.0
_LEAST_BYTES = 512  # a page


@dataclass(frozen=True)
class TaskResult:
    """The result of a task for some draws of the channel."""

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
    """An open results file, used as a context manager.

    Parameters
    ----------
    path
        The file. It is created if it does not exist and ``write`` is set.
    write
        Whether to open the file for writing; only one process at a time may do so.

    Raises
    ------
    ValueError
        If the file is missing, damaged, from a newer semcom, not a results file, or being written
        by another run.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with Database(Path(folder) / RESULTS, write=True) as database:
    ...         list(database.query("SELECT count(*) FROM rows"))
    [(0,)]
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
        """Upgrade an old file, or a temporary copy of it if it is only read."""
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
        """Close the file, so that others may write."""
        self._open.close()

    def query(self, sql: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query; raise ``ValueError`` if the file turns out to be damaged."""
        with _clear(self.path):
            yield from self.connection.execute(sql, tuple(values))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all changes or none; raise ``OSError`` if the disk is full."""
        with _clear(self.path), self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection

    def add(self, made: Iterable[TaskResult], run: str) -> None:
        """Commit rows, failures and pictures; existing ones are not changed."""
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
        """Return a setting by its id; raise ``ValueError`` if a newer semcom wrote it."""
        sql = "SELECT setting FROM settings WHERE id = ?"
        ((text,),) = self.query(sql, (identity,))
        axes = json.loads(text)
        if unknown := axes.keys() - AXES.keys():
            names = ", ".join(sorted(unknown))
            raise ValueError(
                f"{self.path} has settings of a newer semcom, with {names}: upgrade semcom"
            )
        return Setting.of(axes)


def results_file(results: Path) -> Path:
    """Return the results file in a folder, or the file itself."""
    return results / RESULTS if results.is_dir() else results


@contextlib.contextmanager
def opened(results: Path | Database) -> Iterator[Database]:
    """Open a results file, or the one in a folder; pass on a file that is open already."""
    if isinstance(results, Database):
        yield results
        return
    with Database(results_file(results)) as database:
        yield database


def add_up(outcomes: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    """Return for each score the number of draws with a value, their sum and sum of squares.

    Examples
    --------
    >>> add_up([{"count": 3, "scores": {"psnr_db": 30.0, "ssim": None}}])
    {'psnr_db': [3, 90.0, 2700.0]}
    """
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
    """Open and check a file; return the connection and the version of the file."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a results file, such as {path}/results.db")
    if not path.exists() and not write:
        raise ValueError(f"{path}: no such results file")
    with _clear(path), contextlib.ExitStack() as stack:
        connection = _connect(path, write)
        stack.callback(connection.close)
        version = _check(connection, path, write)
        stack.pop_all()
    return connection, version


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    """Open a file; a file that is opened for reading is not changed, whatever it is."""
    modes = ["mode=rwc"] if write else ["mode=ro"]
    if not write and not path.with_name(f"{path.name}-wal").exists():
        modes.append("immutable=1")  # for a read-only disk, where WAL cannot make its files
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
    """Raise ``ValueError`` unless the file is an intact results file; return its version."""
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    cut = 0 < path.stat().st_size < _LEAST_BYTES  # SQLite takes it for an empty file
    if (tables or cut or not write) and application != APPLICATION_ID:
        raise ValueError(f"{path} is not a results file of semcom")
    if not tables and write:
        version = SCHEMA_VERSION
        _keep_safely(connection)
        _create(connection)
    elif not 1 <= version <= SCHEMA_VERSION:
        raise ValueError(
            f"{path} has version {version}, but this semcom reads 1 to {SCHEMA_VERSION}; "
            "use the semcom that wrote it"
        )
    _check_content(connection, path, complete=version == SCHEMA_VERSION)
    if write:
        _keep_safely(connection)
    return int(version)


def _check_content(connection: sqlite3.Connection, path: Path, *, complete: bool) -> None:
    """Raise ``ValueError`` if the file holds anything other than what semcom wrote."""
    prepare(connection)
    if other := foreign(connection, complete=complete):
        raise ValueError(f"{path} has been changed: its {other} is not from semcom")
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise ValueError(_damaged(path, verdict))
    if table := broken(connection, complete=complete):
        raise ValueError(_damaged(path, f"{table} differ from what was written"))


def _keep_safely(connection: sqlite3.Connection) -> None:
    """Set the modes that keep committed rows whatever happens."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


@contextlib.contextmanager
def _clear(path: Path) -> Iterator[None]:
    """Convert errors of SQLite: damage to ``ValueError``, problems of the disk to ``OSError``."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        kind = code & 0xFF  # the rest says more
        if kind == sqlite3.SQLITE_NOTADB:
            raise ValueError(f"{path} is not a results file of semcom") from None
        if code == sqlite3.SQLITE_IOERR_SHORT_READ or kind not in _DISK:
            raise ValueError(_damaged(path, error)) from error
        raise OSError(f"{path}: {error}; {_DISK[kind]}") from error
    except UnicodeDecodeError as error:  # in text of the file, or in a message of SQLite about it
        raise ValueError(_damaged(path, error)) from error


_ROOM = "committed rows are safe; make room and run again"
_DISK = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_BUSY: "another program has locked the file; try again when it has ended",
    sqlite3.SQLITE_LOCKED: "another program has locked the file; try again when it has ended",
    sqlite3.SQLITE_PERM: "access is not permitted",
    sqlite3.SQLITE_READONLY: "writing is not permitted",
    sqlite3.SQLITE_CANTOPEN: "access is not permitted; copy the file to a writable folder",
}


def _damaged(path: Path, why: object) -> str:
    said = " ".join(str(why).split())
    return (
        f"{path} is damaged ({said}); semcom merge --salvage saved.db {path} saves the readable "
        "rows, and the next run repeats the others"
    )
