"""What was measured: an image under a setting, a setting over images, all points of a run.

Scores are means over draws per image first, then means over images. Two kinds of spread must not be
mixed up: over the images (a standard error: how another set of images would differ), and over the
draws (a 95 % interval: how well the mean over these images is known).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from experiments.intervals import Interval, lost_interval, mean_interval
from experiments.suites.axes import System
from experiments.suites.setting import Setting

Key = tuple[str, str]
"""An image: the SHA-256 of its file, and of its mask's; the latter is empty without one."""
_SHOWN = 6  # names of images, of many
_DIGITS = 8  # of a run's id


@dataclass(frozen=True)
class ImageRow:
    """One image under one setting, all draws."""

    image: str
    """SHA-256 of its file."""
    mask: str
    """SHA-256 of its mask's file, by which it is told from the same image with another; empty where
    the suite takes none."""
    name: str
    """For people; with the mask's where an image has several."""
    task: str
    """One task is the row of several masks where the setting takes no mask."""
    draws: int
    lost: int
    """Draws of which nothing could be shown."""
    sums: dict[str, tuple[float, float, float]]
    """By score: draws with a value, sum, sum of squares."""
    record: dict[str, Any]
    """What was sent."""
    outcomes: tuple[dict[str, Any], ...]
    """What was shown: ``count``, ``all_lost``, ``packets_received``, ``scores``."""
    file: str = ""
    """The name without any mask's."""

    @property
    def key(self) -> Key:
        """The image with its mask: rows of one key are compared."""
        return self.image, self.mask

    @property
    def exact(self) -> int:
        """Draws of which an exact copy was shown."""
        scores = ((o["count"], o["scores"]) for o in self.outcomes)
        return sum(n for n, some in scores if some.get("psnr_db", 0.0) is None)

    def mean(self, score: str) -> float | None:
        """Mean over the draws; None where one of them has no finite value, as of an exact copy."""
        if score == "lost":
            return self.lost / self.draws
        if score in ("cbr", "expected_psnr_db", "region_area", "num_bits"):
            value = self.record.get(score)
            return None if value is None else float(value)
        n, total, _ = self.sums.get(score, (0, 0.0, 0.0))
        return total / n if n == self.draws else None

    def psnr_of_mean_error(self, score: str) -> float | None:
        """PSNR in dB of the mean squared error over the draws; None where there is none.

        ``score`` is a PSNR. A few lost pictures weigh much more in it than in the mean of decibels,
        and an exact copy has an error of 0.
        """
        errors = [n * 10 ** (-value / 10) for value, n in self.values(score) if value is not None]
        return -10 * math.log10(math.fsum(errors) / self.draws) if errors else None

    def values(self, score: str) -> Iterator[tuple[float | None, int]]:
        """Yield each value that was seen, and in how many draws."""
        for outcome in self.outcomes:
            yield outcome["scores"].get(score), outcome["count"]


@dataclass(frozen=True)
class Point:
    """One setting over all images."""

    key: System
    """What it is a point of."""
    setting: Setting
    rows: tuple[ImageRow, ...]
    system: str
    """The system's name for people, unique in its study."""
    counted: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    """By score: images that its means are over (:mod:`experiments.store.common_images`); else
    all that have one."""

    @property
    def cbr_budget(self) -> float:
        """Channel uses allowed per source sample; the mean of those taken is ``mean("cbr")``."""
        return float(self.setting.budget)

    @property
    def tasks(self) -> tuple[ImageRow, ...]:
        """The rows as they were made: where the setting takes no mask, one for all masks."""
        if self.setting.needs_mask:
            return self.rows
        found = {row.task: row for row in self.rows}
        return tuple(replace(r, mask="", name=r.file) if r.mask else r for r in found.values())

    def over(self, score: str) -> Point:
        """Return the point with the images alone that its means of a score are over."""
        counted = self.counted.get(score)
        if counted is None:
            return self
        return replace(self, rows=tuple(row for row in self.rows if row.key in counted))

    def means(self, score: str) -> list[float]:
        """Means over the draws, of the images that count."""
        return [v for row in self.over(score).rows if (v := row.mean(score)) is not None]

    def mean(self, score: str) -> float | None:
        """Mean over the images that count; None where there are none."""
        values = self.means(score)
        return math.fsum(values) / len(values) if values else None

    def psnr_of_mean_error(self, score: str) -> float | None:
        """PSNR in dB of the mean error over the draws, per image, then the mean over the images."""
        each = (row.psnr_of_mean_error(score) for row in self.over(score).rows)
        known = [value for value in each if value is not None]
        return math.fsum(known) / len(known) if known else None

    def standard_error(self, score: str) -> float:
        """Of that mean, over the images; 0 for a single one."""
        values = self.means(score)
        return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0

    def interval(self, score: str) -> Interval:
        """95 % interval of that mean, over the draws; without ends for a single draw."""
        point = self.over(score)
        if score == "lost":
            lost, draws = sum(r.lost for r in point.tasks), sum(r.draws for r in point.tasks)
            return lost_interval(lost, draws, 1)
        rows = [row for row in point.tasks if row.mean(score) is not None]
        weights = Counter(row.task for row in point.rows)
        sums = [row.sums[score] for row in rows]
        fewest = min((row.draws for row in point.rows), default=0)
        return mean_interval(score, sums, fewest, weights=[weights[row.task] for row in rows])

    def outage(self, threshold_db: float, score: str = "region_psnr_db") -> float:
        """Share of draws in which the score falls short, or nothing was shown; mean over images."""
        shares = []
        for row in self.rows:
            pairs = [(v, n) for v, n in row.values(score)]
            short = sum(n for v, n in pairs if v is not None and v < threshold_db)
            shares.append(short / row.draws)
        return math.fsum(shares) / len(shares)


@dataclass(frozen=True)
class SuiteResults:
    """A run's results: its suite's points, over its images."""

    name: str
    suite: dict[str, Any]
    """The suite's keys, every default filled in."""
    points: tuple[Point, ...]
    """Those that have rows, in the suite's order."""
    versions: dict[str, str]
    git: str | None
    started: str
    """Of the run, UTC."""
    failed: int
    """Tasks that have failed and have no row."""
    run: str = ""
    """Its id."""
    identity: str = ""
    """SHA-256 of the suite."""
    images: Mapping[Key, str] = field(default_factory=dict)
    """Names of the images that the run is over, also of those that have no row."""
    others: int = 0
    """Images that the file has results of under this suite's settings, from runs over others."""
    prepared: bool = False
    """Whether the points are as figures and tables want them; see
    :func:`experiments.analysis.points.prepare`."""

    @property
    def title(self) -> str:
        """What the suite is about."""
        return str(self.suite["title"]) or self.name

    @cached_property
    def systems(self) -> tuple[System, ...]:
        """The systems, in the suite's order."""
        return tuple(dict.fromkeys(point.key for point in self.points))

    @cached_property
    def labels(self) -> dict[System, str]:
        """Their names for people."""
        return {point.key: point.system for point in self.points}

    @property
    def anchor(self) -> System:
        """The system that gains are against."""
        wanted = self.suite["anchor"]
        mine = (system for system in self.systems if wanted and system.name == wanted)
        return next(mine, self.systems[0])

    def name_of(self, image: str, mask: str) -> str | None:
        """Return the name of a task's image; None where the study is not about it."""
        names = (name for (one, _), name in self.images.items() if one == image and not mask)
        return self.images.get((image, mask)) or next(names, None)

    @property
    def about(self) -> list[str]:
        """Say which run of which suite this is, and over which images."""
        when = f"{self.started}, {self.run[:_DIGITS]}" if self.run else self.started
        said = [f"suite {self.name}, run of {when}, images {self.about_images}"]
        if self.others:
            what = f"{self.others} other image{'s' * (self.others > 1)}"
            said.append(
                f"not shown: {what}, of other runs; --run ID shows one of them, --all-images all"
            )
        return said

    @property
    def about_images(self) -> str:
        """Say which images these are, and of how many there are results."""
        names = list(self.images.values())
        have = len({row.key for point in self.points for row in point.rows})
        text = f"{len(names)}" + f" ({have} with results)" * (have < len(names))
        text += f": {', '.join(names[:_SHOWN])}"
        return text + f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN)

    @cached_property
    def digests(self) -> frozenset[str]:
        """SHA-256 of the pixels of all images (:func:`semcom.hashes.digest`)."""
        return frozenset(row.record["sha256"] for point in self.points for row in point.rows)

    @cached_property
    def counted(self) -> dict[str, frozenset[Key]]:
        """By score: the images that count at any point."""
        found: dict[str, set[Key]] = {}
        for point in self.points:
            for score, keys in point.counted.items():
                found.setdefault(score, set()).update(keys)
        return {score: frozenset(keys) for score, keys in found.items()}

    def whole(self, points: Iterable[Point], score: str) -> list[Point]:
        """Return the points that are over all images that count: lines go through no others."""
        images = self.counted.get(score)
        return [point for point in points if images and point.counted.get(score) == images]

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
