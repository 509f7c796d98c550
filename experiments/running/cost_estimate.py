"""``semcom plan``: estimates the time and disk space of a suite before it runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from PIL import Image as PilImage
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.datasets.items import Item
from experiments.running.tasks import (
    PendingTask,
    count,
    count_failed,
    count_tasks,
    pending,
    suite_items,
    without_missing,
)
from experiments.store.database import Database
from experiments.store.queries import seconds_by_codec, settled
from experiments.store.run_entry import suite_id
from experiments.store.schema import RESULTS
from experiments.store.upgrade import image_set_id
from experiments.suites.setting import BESIDE, Setting
from experiments.suites.suite import Suite

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
"""Seconds for one task with one draw and an empty cache: ``rocket`` of ``photos`` at CBR 1/16 and
10 dB, on one core of a cloud machine. Times in the results file are better and take precedence."""
_OTHER_CODECS = 10.0
SECONDS_PER_LOOK = {"graph": (0.5, 1.5), "mobile_sam": (6.0, 1.0)}
"""Seconds to find the masks of an image: a constant for each segmenter, and more per megapixel."""
_OTHER_LOOKS = (1.0, 1.0)
_START_S = 10.0  # until the workers have started
_PER_TASK_S = 0.05  # however small the image
_PER_DRAW = 0.6  # seconds per megapixel
_BYTES_PER_ROW = 3000
_BYTES_PER_PIXEL = 2.4  # for a picture that is kept
_LOOKED_AT = 50  # number of images from which the mean size is taken
Known = dict[str, tuple[float, float]]
"""Mean seconds per row and mean megapixels, by codec."""


def print_plan(suite: Suite, out: Path, *, base: Path, jobs: int, say: Callable[..., None]) -> None:
    """Print the size of a suite, how much of it is done, and an estimate of time and disk space.

    Raises
    ------
    ValueError
        If there are no images, or the results file cannot be read.
    """
    suite = without_missing(suite, say).resolved()
    items = suite_items(suite, base, say)
    settings = [setting for _, setting in suite.settings()]
    path = out / RESULTS
    megapixels = _megapixels(items)
    with ExitStack() as stack:
        database = stack.enter_context(Database(path)) if path.exists() else None
        enough = _enough(suite, items, database) if database else {}
        until = suite.rounds()[-1]
        left = functools.partial(pending, suite, items, database, until=until, enough=enough)
        found = count(left())
        failed = count_failed(database, suite, items) if database else 0
        known = seconds_by_codec(database) if database else {}
        seconds = sum(_look_seconds(setting, megapixels) for _, setting in found.looks)
        seconds += sum(_seconds(one, known, megapixels) for one in left())
    total = count_tasks(suite, items)
    table = Table(title=suite.title, box=SIMPLE_HEAD, show_header=False)
    table.add_row("images", f"{len(items)}, {megapixels:.2g} megapixels on average")
    table.add_row("settings", f"{len(settings)} of {len(suite.systems) or 1} systems")
    table.add_row("tasks", f"{total}")
    table.add_row("draws", _draws(suite, settings))
    done = total - found.tasks - failed
    table.add_row("done", f"{done}" + (f", and {failed} failed" if failed else ""))
    if found.tasks:
        how = "estimated from existing rows" if known else "a rough estimate"
        table.add_row("time", f"{_duration(_START_S + seconds / jobs)} with {jobs} jobs, {how}")
        pictured = min(suite.pictures, len(items)) * len(settings)
        size = found.batches * _BYTES_PER_ROW + pictured * megapixels * 1e6 * _BYTES_PER_PIXEL
        table.add_row("disk", f"{size / 1e6:.0f} MB in {path}, and the cache of encodings")
    else:
        table.add_row("time", f"nothing to do: all tasks are done in {path}")
    Console(markup=False, emoji=False).print(table)


def _enough(suite: Suite, items: Sequence[Item], database: Database) -> dict[str, int]:
    """Return the settings whose intervals are narrow enough, with the draws that they took."""
    images = image_set_id((item.sha256, item.mask_sha256) for item in items)
    return settled(database, suite_id(suite), images)


def _draws(suite: Suite, settings: Sequence[Setting]) -> str:
    """Describe the number of draws of the channel for each image."""
    found: dict[str, dict[str, None]] = {}
    for setting in (one for one in settings if not one.bound):
        draws = suite.draws_of(setting)
        many = f"{draws.first} to {draws.most}" if draws.stops else f"{draws.most}"
        found.setdefault(many, {})[setting.losses or setting.channel] = None
    each = [f"{many} over {', '.join(names)}" for many, names in found.items()]
    return f"{'; '.join(each) or 'none'}, for each image"


def _seconds(todo: PendingTask, known: Known, megapixels: float) -> float:
    """Estimate the seconds of a task, or some draws of it, on one core."""
    if todo.setting.codec in known:
        seconds, size = known[todo.setting.codec]
        per_megapixel = max(seconds - _PER_TASK_S, 0) / size
    else:
        codec = todo.setting.codec.partition(":")[0]
        encode = SECONDS_PER_MEGAPIXEL.get(codec, _OTHER_CODECS)
        per_megapixel = encode + _PER_DRAW * (todo.draws - 1)
    return _PER_TASK_S + megapixels * per_megapixel


def _look_seconds(setting: Setting, megapixels: float) -> float:
    name = setting.segmenter.partition(":")[0]
    if name in (BESIDE, "whole_image"):
        return 0.0
    once, per_megapixel = SECONDS_PER_LOOK.get(name, _OTHER_LOOKS)
    return once + per_megapixel * megapixels


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
