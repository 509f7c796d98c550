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
    """Let one process write a results file; another is refused."""
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
    """Open a file and check it; return the version that it has, too."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; results are a file, such as {path}/results.db")
    if not path.exists() and not write:
        raise InputError(f"{path}: no such results file")
    with clear(path), contextlib.ExitStack() as stack:
        connection = connect(path, write)
        stack.callback(connection.close)
        version = _check(connection, path, write)
        stack.pop_all()
    return connection, version


def connect(path: Path, write: bool) -> sqlite3.Connection:
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
        raise InputError(f"{path} is no results file of semcom")
    if not tables and write:
        version = SCHEMA_VERSION
        _keep_safely(connection)
        _create(connection)
    elif not 1 <= version <= SCHEMA_VERSION:
        raise InputError(
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
        raise InputError(f"{path} is not as semcom wrote it: its {other} is none of ours")
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)")
    if verdict != "ok":
        raise InputError(_damaged(path, verdict))
    if table := broken(connection, complete=complete):
        raise InputError(_damaged(path, f"{table} that are not what was written"))


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
def clear(path: Path) -> Iterator[None]:
    """Say what SQLite complains of: damage is a ``ValueError``, the disk an ``OSError``."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        kind = code & 0xFF  # the rest says more
        if kind == sqlite3.SQLITE_NOTADB:
            raise InputError(f"{path} is no results file of semcom") from None
        if code == sqlite3.SQLITE_IOERR_SHORT_READ or kind not in _DISK:
            raise InputError(_damaged(path, error)) from error
        raise OSError(f"{path}: {error}; {_DISK[kind]}") from error
    except UnicodeDecodeError as error:  # text of the file, also in what SQLite says of it
        raise InputError(_damaged(path, error)) from error


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
