"""Queries to a results file that several commands need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from experiments.store.database import Database
from experiments.store.integrity import put
from experiments.suites.axes import System
from semcom.errors import InputError


def covered_draws(database: Database, task: str) -> list[tuple[int, int]]:
    """Return the ranges of draws for which a task has rows: the first draw and the number."""
    sql = "SELECT first, draws FROM rows WHERE task = ?"
    return [(first, draws) for first, draws in database.query(sql, (task,))]


def has_failed(database: Database, task: str) -> bool:
    """Whether a task failed and has no row."""
    return any(database.query("SELECT 1 FROM open_failures WHERE task = ? LIMIT 1", (task,)))


def failed_tasks(database: Database) -> set[str]:
    """Return the tasks that failed and have no row."""
    return {task for (task,) in database.query("SELECT DISTINCT task FROM open_failures")}


def settled(database: Database, suite: str, image_set: str) -> dict[str, int]:
    """Return the settings of a suite that need no more draws, with the draws that they took."""
    sql = "SELECT setting, draws FROM intervals WHERE suite = ? AND image_set = ? AND done != ''"
    return dict(database.query(sql, (suite, image_set)))


def put_intervals(database: Database, rows: Iterable[tuple[Any, ...]]) -> None:
    """Store the intervals of the means of settings."""
    with database.transaction() as connection:
        for row in rows:
            put(connection, "intervals", row, known="REPLACE")


def system_of_setting(database: Database, suite: str, setting: str) -> System:
    """Return the system that a setting of a suite belongs to."""
    sql = "SELECT system, varies FROM members WHERE suite = ? AND setting = ?"
    ((name, varies),) = database.query(sql, (suite, setting))
    return System(name, tuple(json.loads(varies).items()))


class Sums(NamedTuple):
    """The sums over some draws of a task."""

    image: tuple[str, str]
    draws: int
    lost: int
    sums: dict[str, list[float]]
    """Number of draws with a value, their sum and their sum of squares, by score."""


def sums_of_setting(database: Database, setting: str, until: int | None) -> Iterator[Sums]:
    """Yield the sums of all rows of a setting, except rows with draws from ``until`` on."""
    sql = "SELECT image, mask, draws, lost, sums FROM rows WHERE setting = ? AND first + draws <= ?"
    end = 2**53 if until is None else until
    for image, mask, draws, lost, text in database.query(sql, (setting, end)):
        yield Sums((image, mask), draws, lost, json.loads(text))


def seconds_by_codec(database: Database) -> dict[str, tuple[float, float]]:
    """Return the mean seconds per row and the mean megapixels, by codec."""
    sql = (
        "SELECT coalesce(json_extract(s.setting, '$.codec'), 'hevc'), avg(r.seconds), "
        "avg(json_extract(r.record, '$.height') * json_extract(r.record, '$.width') / 1e6) "
        "FROM rows r JOIN settings s ON s.id = r.setting GROUP BY 1"
    )
    return {codec: (seconds, size) for codec, seconds, size in database.query(sql) if size}


def find_task(database: Database, beginning: str) -> tuple[str, bool]:
    """Return the task with an id that begins so, and whether it failed and has no row.

    Raises
    ------
    ValueError
        If there is no such task, or several.
    """
    sql = "SELECT DISTINCT task FROM {} WHERE task GLOB ? LIMIT 9"
    for table in ("rows", "failures"):
        found = [task for (task,) in database.query(sql.format(table), (f"{beginning}*",))]
        if len(found) > 1:
            several = ", ".join(task[:16] for task in found)
            raise InputError(f"{beginning} stands for several tasks: {several}")
        if found:
            return found[0], table == "failures"
    raise InputError(f"{database.path} holds no task {beginning}")


def rows_of_task(database: Database, task: str, *, failed: bool) -> Iterator[dict[str, Any]]:
    """Yield the rows of a task, or its failed draws."""
    names = ("first", "draws", "image", "mask", "setting", "run")
    table, extra = ("failures", "error, '', ''") if failed else ("rows", "'', record, outcomes")
    sql = f"SELECT {', '.join(names)}, {extra} FROM {table} WHERE task = ? ORDER BY first"  # noqa: S608
    for row in database.query(sql, (task,)):
        yield dict(zip((*names, "failed", "record", "outcomes"), row, strict=True))


def path_of_image(database: Database, image: str, mask: str) -> str | None:
    """Return the last known path of an image, as :mod:`experiments.path_text` writes paths."""
    sql = "SELECT path FROM images WHERE id = ? ORDER BY mask = ? DESC"
    return next((path for (path,) in database.query(sql, (image, mask))), None)


class MadeBy(NamedTuple):
    """The versions and the machine of a run."""

    versions: dict[str, str]
    machine: dict[str, Any]


def made_by(database: Database) -> dict[str, MadeBy]:
    """Return the versions and the machine of every run, by its id."""
    return {
        run: MadeBy(json.loads(versions), json.loads(machine))
        for run, versions, machine in database.query("SELECT id, versions, machine FROM runs")
    }


class Failure(NamedTuple):
    """A task of a suite that failed and has no row."""

    system: System
    image: str
    mask: str
    setting: str
    error: str
    task: str


def failures_of_suite(database: Database, suite: str) -> Iterator[Failure]:
    """Yield the failures of a suite in the order of its settings."""
    sql = (
        "SELECT DISTINCT m.system, m.varies, f.image, f.mask, f.setting, f.error, f.task "
        "FROM open_failures f JOIN members m ON m.setting = f.setting WHERE m.suite = ? "
        "ORDER BY m.place, f.task"
    )
    for name, varies, *about in database.query(sql, (suite,)):
        yield Failure(System(name, tuple(json.loads(varies).items())), *about)
