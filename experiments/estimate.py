"""``semcom plan``: what a suite takes, before it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PIL import Image as PilImage
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.database import Database
from experiments.datasets import Item
from experiments.planning import Todo, count, pending, suite_items, without_missing
from experiments.runner import RESULTS, count_failed
from experiments.suite import Suite

SECONDS_PER_MEGAPIXEL = {
    "jpeg": 1.9,
    "webp": 1.4,
    "jpeg2000": 2.4,
    "softcast": 1.9,
    "hevc": 3.7,
    "avif": 2.0,
    "scalable": 27.0,
    "av1": 23.0,
    "layered": 13.0,
    "vvc": 31.0,
}
"""Of one task with one draw and nothing in the cache: ``rocket`` of ``photos`` at CBR 1/16, 10 dB,
one core of a cloud machine. What the results file knows is better and comes first."""
_OTHER_CODECS = 10.0
_START_S = 10.0  # until the workers work
_PER_DRAW = 0.6  # seconds per megapixel
_BYTES_PER_ROW = 3000
_BYTES_PER_PIXEL = 2.4  # of a picture that is kept
_LOOKED_AT = 50  # images whose size is read


def print_plan(suite: Suite, out: Path, *, base: Path, jobs: int, say: Callable[..., None]) -> None:
    """Print how much a suite is, how much of it is done, and an estimate of time and disk.

    Raises
    ------
    ValueError
        No images, or a results file that cannot be read.
    """
    suite = without_missing(suite, say)
    items = suite_items(suite, base, say)
    settings = sum(1 for _ in suite.settings())
    path = out / RESULTS
    with ExitStack() as stack:
        database = stack.enter_context(Database(path)) if path.exists() else None
        found = count(pending(suite, items, database, until=suite.draws.most))
        failed = count_failed(database, suite, items) if database else 0
        known = dict(_known_seconds(database)) if database else {}
        megapixels = _megapixels(items)
        seconds = _seconds(suite, items, database, known, megapixels)
    total = settings * len(items)
    table = Table(title=suite.title, box=SIMPLE_HEAD, show_header=False)
    table.add_row("images", f"{len(items)}, {megapixels:.2f} megapixels on average")
    table.add_row("settings", f"{settings} of {len(suite.systems) or 1} systems")
    most = suite.draws.most
    draws = "" if most == 1 else f", {'up to ' if suite.draws.stops else ''}{most} draws each"
    table.add_row("tasks", f"{total}{draws}")
    left = found.tasks
    table.add_row("done", f"{total - left - failed}" + (f", and {failed} failed" if failed else ""))
    if left:
        how = "by the rows that are there" if known else "roughly"
        table.add_row("time", f"{_duration(_START_S + seconds / jobs)} with {jobs} jobs, {how}")
        pictured = min(suite.pictures, len(items)) * settings
        size = found.batches * _BYTES_PER_ROW + pictured * megapixels * 1e6 * _BYTES_PER_PIXEL
        table.add_row(
            "disk", f"{size / 1e6:.0f} MB in {path}, and what encoders write in the cache"
        )
    else:
        table.add_row("time", f"nothing to do: all tasks are done in {path}")
    Console(markup=False, emoji=False).print(table)


def _seconds(
    suite: Suite,
    items: list[Item],
    database: Database | None,
    known: dict[str, float],
    megapixels: float,
) -> float:
    """Estimate the work that is left, in seconds of one core."""
    return sum(
        known.get(one.setting.codec) or _rough(one, megapixels)
        for one in pending(suite, items, database, until=suite.draws.most)
    )


def _rough(one: Todo, megapixels: float) -> float:
    codec = one.setting.codec.partition(":")[0]
    encode = SECONDS_PER_MEGAPIXEL.get(codec, _OTHER_CODECS)
    return megapixels * (encode + _PER_DRAW * (one.draws - 1))


def _known_seconds(database: Database) -> Iterator[tuple[Any, ...]]:
    """Yield the mean seconds of a row, by codec."""
    sql = (
        "SELECT coalesce(json_extract(s.setting, '$.codec'), 'hevc'), avg(r.seconds) "
        "FROM rows r JOIN settings s ON s.id = r.setting GROUP BY 1"
    )
    yield from database.query(sql)


def _megapixels(items: list[Item]) -> float:
    sizes = []
    for item in items[:_LOOKED_AT]:
        try:
            with PilImage.open(item.path) as picture:
                sizes.append(picture.width * picture.height / 1e6)
        except OSError:  # its tasks will fail, and say why
            continue
    return sum(sizes) / len(sizes) if sizes else 0.0


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
