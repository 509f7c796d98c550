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

from experiments.store.integrity import put
from experiments.store.opening import clear, connect, lock, open_checked
from experiments.store.schema import SCHEMA_VERSION
from experiments.store.upgrade import upgrade, upgraded
from experiments.suites.setting import AXES, Setting
from semcom.errors import InputError

RESULTS = "results.db"
"""Name of a results file."""


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
                stack.callback(lock(path).release)
            self.connection, version = open_checked(path, write)
            stack.callback(lambda: self.connection.close())
            if version < SCHEMA_VERSION:
                self._upgrade(stack, write)
            self._open = stack.pop_all()

    def _upgrade(self, stack: contextlib.ExitStack, write: bool) -> None:
        """Bring an old file up to date; where it is only read, a copy of it."""
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
        """Close the file and let others write."""
        self._open.close()

    def query(self, sql: str, values: Iterable[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query; a file that turns out to be damaged raises ``ValueError``."""
        with clear(self.path):
            yield from self.connection.execute(sql, tuple(values))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all or nothing; ``OSError`` where the disk is full."""
        with clear(self.path), self.connection:
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
            raise InputError(f"{self.path} has settings of a newer semcom, with {names}: upgrade")
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
