"""Access to the pictures in a results file; damage to one does not affect the others."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from PIL import Image as PilImage
from PIL.Image import Image as Picture

from experiments.store.database import Database
from experiments.store.integrity import seal_of
from experiments.store.measured import ImageRow, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import Setting

A = TypeVar("A")
B = TypeVar("B")
_SIZES = (
    "SELECT task, sum(length(data) * (kind = 'received')) FROM pictures "
    "GROUP BY task HAVING count(*) >= 3"
)
_SQL = "SELECT kind, data, seal FROM pictures WHERE task = ?"


@dataclass(frozen=True)
class Shot:
    """A received picture in a results file, with its system, setting and scores."""

    system: System
    setting: Setting
    row: ImageRow

    def value(self, axis: str) -> Any:
        """Return the value on an axis of the viewer."""
        return self.row.key if axis == "image" else getattr(self.setting, axis)

    @property
    def outcome(self) -> dict[str, Any]:
        """Outcome of the first draw, to which the picture belongs."""
        outcomes = self.row.outcomes
        return next((one for one in outcomes if one["draw"] == 0), outcomes[0])

    @property
    def reference(self) -> str:
        """The kind of picture that the scores compare with: ``original``, or what was ``seen``."""
        return "seen" if self.setting.disturbance and self.setting.sent != "clean" else "original"

    @property
    def key(self) -> tuple[str, str]:
        """Image and hash of the received picture; equal for equal pictures."""
        return self.row.image, self.outcome["sha256"]


def shots_of(study: SuiteResults, database: Database) -> tuple[list[Shot], dict[str, int]]:
    """Return the deliveries that have pictures, and the bytes of the received picture by task."""
    sizes = dict(database.query(_SIZES))
    shots = [
        Shot(point.key, point.setting, row)
        for point in study.points
        for row in point.rows
        if row.task in sizes
    ]
    return shots, sizes


def read(database: Database, task: str, kind: str) -> bytes:
    """Return a picture as it was written: ``original``, ``seen``, ``received``, ``region``."""
    sql = "SELECT data FROM pictures WHERE task = ? AND kind = ?"
    ((data,),) = database.query(sql, (task, kind))
    return bytes(data)


def decode(data: bytes) -> Picture:
    """Decode a picture of the results file."""
    # Pillow would pass some other formats on to other programs.
    return PilImage.open(io.BytesIO(data), formats=("WEBP",)).convert("RGB")


def intact(database: Database, shots: Sequence[Shot]) -> tuple[list[Shot], list[Shot]]:
    """Separate deliveries with intact pictures from those with a damaged one."""

    def stored() -> Iterator[tuple[Shot, list[tuple[Any, ...]]]]:
        for shot in shots:
            yield shot, list(database.query(_SQL, (shot.row.task,)))

    def is_whole(one: tuple[Shot, list[tuple[Any, ...]]]) -> bool:
        shot, rows = one
        task, size = shot.row.task, (shot.row.record["width"], shot.row.record["height"])
        try:
            return all(
                seal == seal_of(task, kind, data) and decode(data).size == size
                for kind, data, seal in rows
            )
        except Exception:  # Pillow raises nearly anything on damaged files
            return False

    whole = list(in_threads(is_whole, stored()))
    good = [shot for shot, fine in zip(shots, whole, strict=True) if fine]
    return good, [shot for shot, fine in zip(shots, whole, strict=True) if not fine]


def in_threads(function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """Apply a function to items in a few threads, only a few items ahead of the results."""
    workers = min(4, os.cpu_count() or 1)
    waiting: list[Future[B]] = []
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * workers:
                yield waiting.pop(0).result()
        yield from (one.result() for one in waiting)
