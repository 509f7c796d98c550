"""Opening a results file: locked for one writer, checked as a whole, and errors in plain words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.path_text import to_uri
from experiments.store.integrity import broken, foreign, prepare
from experiments.store.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from semcom.errors import InputError

_BUSY_TIMEOUT_S = 60.0
_LEAST_BYTES = 512  # a page


def lock(path: Path) -> FileLock:
    """Let one process write a results file; refuse another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{path} is being written by another run; wait for it, or choose another --out"
        ) from None
    return lock


def open_checked(path: Path, write: bool) -> tuple[sqlite3.Connection, int]:
    """Open and check a file; return the connection and the version of the file."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a results file, such as {path}/results.db")
    if not path.exists() and not write:
        raise InputError(f"{path}: no such results file")
    with clear(path), contextlib.ExitStack() as stack:
        connection = connect(path, write)
        stack.callback(connection.close)
        version = _check(connection, path, write)
        stack.pop_all()
    return connection, version


def connect(path: Path, write: bool) -> sqlite3.Connection:
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
        raise InputError(f"{path} is not a results file of semcom")
    if not tables and write:
        version = SCHEMA_VERSION
        _keep_safely(connection)
        _create(connection)
    elif not 1 <= version <= SCHEMA_VERSION:
        raise InputError(
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
        raise InputError(f"{path} has been changed: its {other} is not from semcom")
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise InputError(_damaged(path, verdict))
    if table := broken(connection, complete=complete):
        raise InputError(_damaged(path, f"{table} differ from what was written"))


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
def clear(path: Path) -> Iterator[None]:
    """Convert errors of SQLite: damage to ``ValueError``, problems of the disk to ``OSError``."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        kind = code & 0xFF  # the rest says more
        if kind == sqlite3.SQLITE_NOTADB:
            raise InputError(f"{path} is not a results file of semcom") from None
        if code == sqlite3.SQLITE_IOERR_SHORT_READ or kind not in _DISK:
            raise InputError(_damaged(path, error)) from error
        raise OSError(f"{path}: {error}; {_DISK[kind]}") from error
    except UnicodeDecodeError as error:  # in text of the file, or in a message of SQLite about it
        raise InputError(_damaged(path, error)) from error


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
