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

from experiments.store.integrity import put
from experiments.store.opening import clear, connect, lock, open_checked
from experiments.store.schema import SCHEMA_VERSION, results_file
from experiments.store.upgrade import upgrade, upgraded
from experiments.suites.setting import AXES, Setting
from semcom.errors import InputError


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
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with Database(Path(folder) / "results.db", write=True) as database:
    ...         list(database.query("SELECT count(*) FROM rows"))
    [(0,)]
    """

    def __init__(self, path: Path, *, write: bool = False) -> None:
        self.path = self.file = path
        with contextlib.ExitStack() as stack:
            if write:
                stack.callback(lock(path).release)
            self.connection, version = open_checked(path, write)
            stack.callback(lambda: self.connection.close())
            if version < SCHEMA_VERSION:
                self._upgrade(stack, write)
            self._open = stack.pop_all()

    def _upgrade(self, stack: contextlib.ExitStack, write: bool) -> None:
        """Upgrade an old file, or a temporary copy of it if it is only read."""
        with clear(self.path):
            if write:
                upgrade(self.connection)
                return
            with contextlib.closing(self.connection) as old:
                self.file = stack.enter_context(upgraded(old))
            self.connection = connect(self.file, write)
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
        with clear(self.path):
            yield from self.connection.execute(sql, tuple(values))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all changes or none; raise ``OSError`` if the disk is full."""
        with clear(self.path), self.connection:
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
            raise InputError(
                f"{self.path} has settings of a newer semcom, with {names}: upgrade semcom"
            )
        return Setting.of(axes)


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
