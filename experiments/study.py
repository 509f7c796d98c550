"""What a results file says: the suite's points, each with its images, for tables and figures.

Scores are means over draws per image first, then means over images. Two kinds of spread must not be
mixed up: over the images (a standard error: how another set of images would differ), and over the
draws (a 95 % interval: how well the mean over these images is known).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from experiments.database import Database
from experiments.setting import Setting
from experiments.stopping import Interval, lost_interval, mean_interval


@dataclass(frozen=True)
class ImageRow:
    """One image under one setting, all draws."""

    image: str
    """SHA-256 of its file."""
    name: str
    task: str
    draws: int
    lost: int
    """Draws of which nothing could be shown."""
    sums: dict[str, tuple[float, float, float]]
    """By score: draws with a value, sum, sum of squares."""
    record: dict[str, Any]
    """What was sent."""
    outcomes: tuple[dict[str, Any], ...]
    """What was shown: ``count``, ``all_lost``, ``packets_received``, ``scores``."""

    def mean(self, score: str) -> float | None:
        """Mean over the draws; None where none has a finite value."""
        if score == "lost":
            return self.lost / self.draws
        if score in ("cbr", "expected_psnr_db", "region_area", "num_bits"):
            value = self.record.get(score)
            return None if value is None else float(value)
        n, total, _ = self.sums.get(score, (0, 0.0, 0.0))
        return total / n if n else None

    def psnr_of_mean_error(self, score: str) -> float | None:
        """PSNR in dB of the mean squared error over the draws; None without values.

        ``score`` is a PSNR. A few lost pictures weigh much more in it than in the mean of decibels.
        """
        pairs = [(value, n) for value, n in self.values(score) if value is not None]
        if not pairs:
            return None
        error = math.fsum(n * 10 ** (-value / 10) for value, n in pairs) / sum(n for _, n in pairs)
        return -10 * math.log10(error)

    def values(self, score: str) -> Iterator[tuple[float | None, int]]:
        """Yield each value that was seen, and in how many draws."""
        for outcome in self.outcomes:
            yield outcome["scores"].get(score), outcome["count"]


@dataclass(frozen=True)
class Point:
    """One setting over all images."""

    system: str
    """What the suite calls it, with what varies within it."""
    setting: Setting
    rows: tuple[ImageRow, ...]

    @property
    def cbr_budget(self) -> float:
        """Channel uses allowed per source sample; the mean of those taken is ``mean("cbr")``."""
        return float(self.setting.budget)

    def means(self, score: str) -> list[float]:
        """Means over the draws, of the images that have one."""
        return [value for row in self.rows if (value := row.mean(score)) is not None]

    def mean(self, score: str) -> float | None:
        """Mean over the images; None where no image has a value."""
        values = self.means(score)
        return math.fsum(values) / len(values) if values else None

    def psnr_of_mean_error(self, score: str) -> float | None:
        """PSNR in dB of the mean error over the draws, per image, then the mean over the images."""
        each = (row.psnr_of_mean_error(score) for row in self.rows)
        known = [value for value in each if value is not None]
        return math.fsum(known) / len(known) if known else None

    def standard_error(self, score: str) -> float:
        """Of that mean, over the images; 0 for a single one."""
        values = self.means(score)
        return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0

    def interval(self, score: str) -> Interval:
        """95 % interval of that mean, over the draws; without ends for a single draw."""
        if score == "lost":
            lost, draws = sum(r.lost for r in self.rows), sum(r.draws for r in self.rows)
            return lost_interval(lost, draws, 1)
        sums = [row.sums.get(score, (0, 0.0, 0.0)) for row in self.rows]
        return mean_interval(score, sums, min(row.draws for row in self.rows))

    def outage(self, threshold_db: float, score: str = "region_psnr_db") -> float:
        """Share of draws in which the score falls short, or nothing was shown; mean over images."""
        shares = []
        for row in self.rows:
            pairs = [(v, n) for v, n in row.values(score)]
            short = sum(n for v, n in pairs if v is not None and v < threshold_db)
            shares.append(short / row.draws)
        return math.fsum(shares) / len(shares)


@dataclass(frozen=True)
class Study:
    """A suite's results."""

    name: str
    suite: dict[str, Any]
    """The suite's keys, every default filled in."""
    points: tuple[Point, ...]
    """Those that have rows, in the suite's order."""
    versions: dict[str, str]
    git: str | None
    started: str
    """Of the latest run, UTC."""
    failed: int
    """Tasks in the file that have failed and have no row."""

    @property
    def title(self) -> str:
        """What the suite is about."""
        return str(self.suite["title"])

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Names of the systems, in the suite's order."""
        return tuple(dict.fromkeys(point.system for point in self.points))

    @property
    def anchor(self) -> str:
        """The system that gains are against."""
        wanted = self.suite["anchor"]
        return (
            next((s for s in self.systems if s == wanted or s.startswith(f"{wanted},")), "")
            or (self.systems[0])
        )

    @cached_property
    def digests(self) -> frozenset[str]:
        """SHA-256 of the pixels of all images (:func:`semcom.images.digest`)."""
        return frozenset(row.record["sha256"] for point in self.points for row in point.rows)

    def select(self, **axes: Any) -> tuple[Point, ...]:
        """Return the points whose setting has these values (``cbr`` as text, ``"1/16"``)."""
        return tuple(
            point
            for point in self.points
            if all(getattr(point.setting, name) == value for name, value in axes.items())
        )

    def axis(self, name: str) -> tuple[Any, ...]:
        """Return the values of an axis that occur, sorted."""
        values = {getattr(point.setting, name) for point in self.points}
        if name == "cbr":
            return tuple(sorted(values, key=lambda text: Setting(cbr=text).budget))
        return tuple(sorted(values, key=lambda value: (value is None, value)))


def read_study(path: Path, *, suite: str = "") -> Study:
    """Read a results file.

    Parameters
    ----------
    path
        ``results.db``, or the folder that holds it.
    suite
        Which of several suites in the file, by name; the one that ran last unless given.

    Raises
    ------
    ValueError
        No results file, no such suite, or no rows.
    """
    path = path / "results.db" if path.is_dir() else path
    with Database(path) as database:
        identity, name, content, run = _suite(database, path, suite)
        sql = "SELECT started, versions, git FROM runs WHERE id = ?"
        ((started, versions, git),) = database.query(sql, (run,))
        points = tuple(_points(database, identity))
        failed = _count_failures(database)
    if not points:
        raise ValueError(f"{path}: suite {name} has no rows yet; semcom run makes them")
    return Study(name, content, points, json.loads(versions), git, started, failed)


def _suite(database: Database, path: Path, wanted: str) -> tuple[str, str, dict[str, Any], str]:
    sql = (
        "SELECT suites.id, name, content, run FROM suites JOIN runs ON runs.id = run "
        "ORDER BY started DESC, suites.rowid DESC"
    )
    found = list(database.query(sql))
    names = list(dict.fromkeys(name for _, name, _, _ in found))
    for identity, name, content, run in found:
        if not wanted or name == wanted:
            return identity, name, json.loads(content), run
    choices = ", ".join(names) or "none, it is empty"
    raise ValueError(f"{path} holds no suite {wanted!r}; choices: {choices}")


def _points(database: Database, suite: str) -> Iterator[Point]:
    sql = (
        "SELECT m.system, s.setting, r.image, coalesce(i.name, r.image), r.task, r.draws, r.lost, "
        "r.sums, r.record, r.outcomes, m.place FROM members m "
        "JOIN settings s ON s.id = m.setting JOIN rows r ON r.setting = m.setting "
        "LEFT JOIN images i ON i.id = r.image WHERE m.suite = ? "
        "ORDER BY m.place, i.name, r.task, r.first"
    )
    place: int | None = None
    head: tuple[str, str] = ("", "")
    tasks: dict[str, list[tuple[Any, ...]]] = {}
    for row in database.query(sql, (suite,)):
        if row[-1] != place and tasks:
            yield _point(head, tasks)
            tasks = {}
        place, head = row[-1], (row[0], row[1])
        tasks.setdefault(row[4], []).append(row[2:-1])
    if tasks:
        yield _point(head, tasks)


def _point(head: tuple[str, str], tasks: dict[str, list[tuple[Any, ...]]]) -> Point:
    setting = Setting(**json.loads(head[1]))
    return Point(head[0], setting, tuple(_image_row(rows) for rows in tasks.values()))


def _image_row(rows: Sequence[tuple[Any, ...]]) -> ImageRow:
    image, name, task = rows[0][:3]
    sums: dict[str, tuple[float, float, float]] = {}
    outcomes: list[dict[str, Any]] = []
    for _, _, _, _, _, text, _, shown in rows:
        for score, (n, total, squares) in json.loads(text).items():
            a, b, c = sums.get(score, (0, 0.0, 0.0))
            sums[score] = a + n, b + total, c + squares
        outcomes += json.loads(shown)
    draws, lost = sum(r[3] for r in rows), sum(r[4] for r in rows)
    record = json.loads(rows[0][6])
    return ImageRow(image, name, task, draws, lost, sums, record, tuple(outcomes))


def _count_failures(database: Database) -> int:
    ((count,),) = database.query("SELECT count(DISTINCT task) FROM open_failures")
    return int(count)
