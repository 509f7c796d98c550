"""Results in memory: rows of images, points (settings over images), and the results of a suite.

Scores are first averaged over draws for each image, then over images. There are two kinds of
spread: over the images (a standard error, which tells how another set of images would differ) and
over the draws (a 95 % interval, which tells how well the mean over these images is known).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from experiments.intervals import Interval, independent_draws, mean_interval, share_interval
from experiments.suites.axes import System
from experiments.suites.setting import Setting
from experiments.suites.value_types import OF_RECORD

Key = tuple[str, str]
"""Key of an image: the SHA-256 of its file and of its mask's file; the latter may be empty."""
_SHOWN, _DIGITS = 6, 8  # names of images, and digits of a run's id, in a message


@dataclass(frozen=True)
class ImageRow:
    """The results of one image with one setting, over all draws."""

    image: str
    """SHA-256 of the image's file."""
    mask: str
    """SHA-256 of the mask's file, which distinguishes rows of one image with several masks; empty
    if the suite uses no masks."""
    name: str
    """Name for display, with that of the mask if an image has several."""
    task: str
    """Id of the task. If the setting uses no mask, rows of several masks share one task."""
    draws: int
    lost: int
    """Number of draws in which everything was lost."""
    sums: dict[str, tuple[float, float, float]]
    """Draws with a value, their sum and their sum of squares, by score."""
    record: dict[str, Any]
    """Description of the transmission."""
    outcomes: tuple[dict[str, Any], ...]
    """Outcomes of the draws: ``count``, ``all_lost``, ``packets_received``, ``scores``."""
    file: str = ""
    """Name of the image without that of a mask."""

    @property
    def key(self) -> Key:
        """Key of image and mask; rows with the same key are compared."""
        return self.image, self.mask

    @property
    def exact(self) -> int:
        """Number of draws in which the received picture is an exact copy."""
        scores = ((o["count"], o["scores"]) for o in self.outcomes)
        return sum(n for n, some in scores if some.get("psnr_db", 0.0) is None)

    def mean(self, score: str) -> float | None:
        """Return the mean over the draws; None if a draw has no finite value (an exact copy)."""
        if score == "lost":
            return self.lost / self.draws
        if score in OF_RECORD:
            value = self.record.get(score)
            return None if value is None else float(value)
        n, total, _ = self.sums.get(score, (0, 0.0, 0.0))
        return total / n if n == self.draws else None

    def psnr_of_mean_error(self, score: str) -> float | None:
        """Return the PSNR in dB of the mean squared error over the draws; None if there is none.

        ``score`` is a PSNR. A few lost pictures weigh much more in it than in the mean of the dB
        values, and an exact copy has an error of 0.
        """
        errors = [n * 10 ** (-value / 10) for value, n in self.values(score) if value is not None]
        return -10 * math.log10(math.fsum(errors) / self.draws) if errors else None

    def values(self, score: str) -> Iterator[tuple[float | None, int]]:
        """Yield each value that occurred, and its number of draws."""
        for outcome in self.outcomes:
            yield outcome["scores"].get(score), outcome["count"]


@dataclass(frozen=True)
class Point:
    """The results of one setting over all images."""

    key: System
    """System to which the point belongs."""
    setting: Setting
    rows: tuple[ImageRow, ...]
    system: str
    """Unique name of the system for display."""
    counted: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    """Images that the means are over, by score (:mod:`experiments.store.common_images`); all
    images with a value by default."""
    chosen: tuple[str, int] = ("", 1)
    """If this is the best of several points: the value that won, and the number of points."""

    @property
    def cbr_budget(self) -> float:
        """Channel uses allowed per source sample; ``mean("cbr")`` is the mean of those used."""
        return float(self.setting.budget)

    @property
    def tasks(self) -> tuple[ImageRow, ...]:
        """Rows by task; if the setting uses no mask, there is one for all masks of an image."""
        if self.setting.needs_mask:
            return self.rows
        found = {row.task: row for row in self.rows}
        return tuple(replace(r, mask="", name=r.file) if r.mask else r for r in found.values())

    @property
    def independent_draws(self) -> int:
        """Number of draws; all masks of a picture see the same ones, which count once."""
        return independent_draws((row.image, row.draws) for row in self.rows)

    def over(self, score: str) -> Point:
        """Return the point restricted to the images that its means of a score are over."""
        counted = self.counted.get(score)
        if counted is None:
            return self
        return replace(self, rows=tuple(row for row in self.rows if row.key in counted))

    def means(self, score: str) -> list[float]:
        """Return the means over the draws of the images that count."""
        return [v for row in self.over(score).rows if (v := row.mean(score)) is not None]

    def mean(self, score: str) -> float | None:
        """Return the mean over the images that count; None if there are none."""
        values = self.means(score)
        return math.fsum(values) / len(values) if values else None

    def psnr_of_mean_error(self, score: str) -> float | None:
        """Return the PSNR in dB of the mean error over the draws, averaged over the images."""
        each = (row.psnr_of_mean_error(score) for row in self.over(score).rows)
        known = [value for value in each if value is not None]
        return math.fsum(known) / len(known) if known else None

    def standard_error(self, score: str) -> float:
        """Return the standard error of the mean over the images; 0 for a single image."""
        values = self.means(score)
        return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0

    def interval(self, score: str) -> Interval:
        """Return the 95 % interval of the mean over the draws; it has no ends for a single draw."""
        point = self.over(score)
        if score == "lost":
            lost, draws = sum(r.lost for r in point.tasks), sum(r.draws for r in point.tasks)
            share = lost / draws
            return Interval(score, 1, draws, share, *share_interval(share, point.independent_draws))
        if score in OF_RECORD:  # it is the same in all draws
            return Interval(score, len(point.rows), 1, point.mean(score), None, None)
        rows = [row for row in point.tasks if row.mean(score) is not None]
        weights = Counter(row.task for row in point.rows)
        sums = [row.sums[score] for row in rows]
        fewest = min((row.draws for row in point.rows), default=0)
        many, pictures = [weights[row.task] for row in rows], [row.image for row in rows]
        return mean_interval(score, sums, fewest, weights=many, pictures=pictures)


@dataclass(frozen=True)
class SuiteResults:
    """The results of a run of a suite: the points over the images of the run.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from PIL import Image
    >>> from experiments import Suite, read_results, run
    >>> with TemporaryDirectory() as folder:
    ...     photo = Path(folder) / "photo.png"
    ...     Image.fromarray(np.full((48, 64, 3), 90, dtype=np.uint8)).save(photo)
    ...     suite = Suite(images=str(photo), segmenter="whole_image", codec="jpeg", cbr=["1/2", 1])
    ...     _ = run(suite, Path(folder) / "out", say=lambda *_: None)
    ...     results = read_results(Path(folder) / "out")
    >>> [(point.cbr_budget, point.mean("lost")) for point in results.points]
    [(0.5, 0.0), (1.0, 0.0)]
    >>> results.failed, len(results.images)
    (0, 1)
    """

    name: str
    suite: dict[str, Any]
    """Keys and values of the suite, including defaults."""
    points: tuple[Point, ...]
    """Points that have rows, in the order of the suite."""
    versions: dict[str, str]
    git: str | None
    started: str
    """Start of the run, UTC."""
    failed: int
    """Number of tasks that failed and have no row."""
    run: str = ""
    """Id of the run."""
    identity: str = ""
    """SHA-256 of the suite."""
    images: Mapping[Key, str] = field(default_factory=dict)
    """Names of the images of the run, including those without a row."""
    others: int = 0
    """Number of images of other runs for which the file has results with this suite's settings."""
    prepared: bool = False
    """Whether :func:`experiments.analysis.points.prepare` has prepared the points for figures and
    tables."""

    @property
    def title(self) -> str:
        """Title of the suite."""
        return str(self.suite["title"]) or self.name

    @cached_property
    def systems(self) -> tuple[System, ...]:
        """Systems in the order of the suite."""
        return tuple(dict.fromkeys(point.key for point in self.points))

    @cached_property
    def labels(self) -> dict[System, str]:
        """Names of the systems for display."""
        return {point.key: point.system for point in self.points}

    @property
    def anchor(self) -> System:
        """System that the others are compared with."""
        wanted = self.suite["anchor"]
        mine = (system for system in self.systems if wanted and system.name == wanted)
        return next(mine, self.systems[0])

    def name_of(self, image: str, mask: str) -> str | None:
        """Return the name of a task's image; None if it is not among the images of the run."""
        names = (name for (one, _), name in self.images.items() if one == image and not mask)
        return self.images.get((image, mask)) or next(names, None)

    @property
    def about(self) -> list[str]:
        """Lines that name the suite, the run and the images."""
        when = f"{self.started}, {self.run[:_DIGITS]}" if self.run else self.started
        said = [f"suite {self.name}, run of {when}, images {self.about_images}"]
        if self.others:
            what = f"{self.others} other image{'s' * (self.others > 1)}"
            said.append(
                f"not shown: {what} of other runs; use --run ID for one run, --all-images for all"
            )
        return said

    @property
    def about_images(self) -> str:
        """Text that names the images, and how many of them have results."""
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
        """Images that count at any point, by score."""
        found: dict[str, set[Key]] = {}
        for point in self.points:
            for score, keys in point.counted.items():
                found.setdefault(score, set()).update(keys)
        return {score: frozenset(keys) for score, keys in found.items()}

    def whole(self, points: Iterable[Point], score: str) -> list[Point]:
        """Return the points that are over all images that count; lines only join these points."""
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
        return tuple(sorted(values, key=lambda v: (v is None, isinstance(v, str), v)))
