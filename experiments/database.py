"""Results in one SQLite file: rows that are only ever added, through one writer.

A row is a task (image and setting) and some draws of its channel: what was sent, and how often each
outcome was seen. Nothing in it depends on who computed it or when; that stands in the run. Adding
two files is adding their rows.

The file is in WAL mode: it may be read while a run writes, and what was committed survives a kill
at any moment. WAL wants a local disk, not a network folder. A damaged file is refused;
:mod:`experiments.merge` saves what can still be read of it.
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

from experiments.setting import Setting

APPLICATION_ID = 0x53454D43  # "SEMC", in the header of the file
SCHEMA_VERSION = 1
_BUSY_TIMEOUT_S = 60.0
SCHEMA = """
CREATE TABLE suites (
    id TEXT PRIMARY KEY,      -- SHA-256 of the content
    content TEXT NOT NULL,    -- JSON, every default filled in
    name TEXT NOT NULL,
    run TEXT NOT NULL         -- the latest that ran it
) STRICT;
CREATE TABLE runs (
    id TEXT PRIMARY KEY,      -- random
    started TEXT NOT NULL,    -- UTC
    suite TEXT NOT NULL,
    versions TEXT NOT NULL,   -- JSON
    git TEXT,                 -- commit of semcom, with + where files were changed; or null
    machine TEXT NOT NULL     -- JSON
) STRICT;
CREATE TABLE images (
    id TEXT PRIMARY KEY,      -- SHA-256 of the file
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    mask_path TEXT            -- of the mask beside it, or null
) STRICT;
CREATE TABLE settings (
    id TEXT PRIMARY KEY,      -- SHA-256 of what differs from the defaults
    setting TEXT NOT NULL     -- JSON: that
) STRICT;
CREATE TABLE members (        -- which settings a suite has, and what it calls their systems
    suite TEXT NOT NULL,
    place INTEGER NOT NULL,
    setting TEXT NOT NULL,
    system TEXT NOT NULL,
    PRIMARY KEY (suite, setting)
) STRICT;
CREATE TABLE rows (
    task TEXT NOT NULL,       -- SHA-256 of setting, image and mask
    first INTEGER NOT NULL,   -- the first draw
    draws INTEGER NOT NULL,
    image TEXT NOT NULL,
    mask TEXT NOT NULL,       -- SHA-256 of the mask's file, or empty
    setting TEXT NOT NULL,
    seed INTEGER NOT NULL,
    lost INTEGER NOT NULL,    -- draws of which nothing could be shown
    sums TEXT NOT NULL,       -- JSON: score to [draws with a value, sum, sum of squares]
    record TEXT NOT NULL,     -- JSON: what was sent
    outcomes TEXT NOT NULL,   -- JSON: what was shown, how often, and its scores
    seconds REAL NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (task, first)
) STRICT;
CREATE INDEX rows_by_setting ON rows (setting);
CREATE TABLE failures (
    task TEXT NOT NULL,
    first INTEGER NOT NULL,
    draws INTEGER NOT NULL,
    image TEXT NOT NULL,
    mask TEXT NOT NULL,
    setting TEXT NOT NULL,
    error TEXT NOT NULL,
    trace TEXT NOT NULL,
    run TEXT NOT NULL,
    PRIMARY KEY (task, first, run)
) STRICT;
CREATE TABLE intervals (      -- of the mean over the draws of a setting, 95 %
    suite TEXT NOT NULL,
    setting TEXT NOT NULL,
    score TEXT NOT NULL,
    images INTEGER NOT NULL,
    draws INTEGER NOT NULL,   -- per image
    mean REAL,
    low REAL,
    high REAL,
    done TEXT NOT NULL,       -- why sampling ended; empty: it has not
    PRIMARY KEY (suite, setting, score)
) STRICT;
CREATE TABLE pictures (
    task TEXT NOT NULL,
    kind TEXT NOT NULL,       -- original, received (of the first draw), region
    data BLOB NOT NULL,       -- lossless WebP
    PRIMARY KEY (task, kind)
) STRICT;
"""


@dataclass(frozen=True)
class Made:
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
        self.path = path
        self._lock = _lock(path) if write else None
        try:
            self.connection = _open(path, write)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others write."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            self._lock.release()

    def query(self, sql: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query; a file that turns out to be damaged raises ``ValueError``."""
        try:
            yield from self.connection.execute(sql, tuple(values))
        except sqlite3.DatabaseError as error:
            raise ValueError(_damaged(self.path, error)) from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all or nothing; ``OSError`` where the disk is full."""
        try:
            with self.connection:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
        except sqlite3.OperationalError as error:
            raise OSError(
                f"{self.path}: {error}; what was committed is safe, make room and run again"
            ) from error
        except sqlite3.DatabaseError as error:
            raise ValueError(_damaged(self.path, error)) from None

    def add(self, made: Iterable[Made], run: str) -> None:
        """Commit rows, failures and pictures; what is there already stays as it is."""
        with self.transaction() as connection:
            for one in made:
                about = (one.task, one.first, one.draws, one.image, one.mask, one.setting)
                if one.error:
                    connection.execute(
                        "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        (*about, one.error, one.trace, run),
                    )
                    continue
                lost = sum(o["count"] for o in one.outcomes if o["all_lost"])
                parts = (add_up(one.outcomes), one.record, one.outcomes)
                texts = (json.dumps(part, allow_nan=False) for part in parts)
                connection.execute(
                    "INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*about, one.seed, lost, *texts, one.seconds, run),
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO pictures VALUES (?, ?, ?)",
                    ((one.task, kind, data) for kind, data in one.pictures.items()),
                )

    def setting(self, identity: str) -> Setting:
        """Return a setting by its id."""
        sql = "SELECT setting FROM settings WHERE id = ?"
        ((text,),) = self.query(sql, (identity,))
        return Setting(**json.loads(text))


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


def _open(path: Path, write: bool) -> sqlite3.Connection:
    if not path.exists() and not write:
        raise ValueError(f"{path}: no such results file")
    if path.is_dir():
        raise ValueError(f"{path} is a folder; results are a file, such as {path}/results.db")
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
        if not tables and write:
            _create(connection)
            return connection
        if application != APPLICATION_ID:
            raise ValueError(f"{path} is no results file of semcom")
        if version != SCHEMA_VERSION:
            raise ValueError(
                f"{path} has version {version}, this semcom reads {SCHEMA_VERSION}; "
                "use the semcom that wrote it"
            )
        ((verdict,),) = connection.execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise ValueError(_damaged(path, verdict))
    except sqlite3.DatabaseError as error:
        if path.stat().st_size and not path.read_bytes()[:15] == b"SQLite format 3":
            raise ValueError(f"{path} is no results file of semcom") from None
        raise ValueError(_damaged(path, error)) from None
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; "
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


def _damaged(path: Path, why: object) -> str:
    return (
        f"{path} is damaged ({why}); semcom merge --salvage saved.db {path} saves what can be "
        "read, and the next run makes the rest anew"
    )
