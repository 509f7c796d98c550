"""The tasks of a suite that are not done yet, generated one by one to save memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from experiments.datasets.items import Item, find_items
from experiments.running.unit import Job, Unit
from experiments.store.database import Database
from experiments.store.queries import covered_draws, failed_tasks, has_failed
from experiments.suites.axes import System, check_size
from experiments.suites.axis_models import Axes
from experiments.suites.setting import Setting, task_id
from experiments.suites.suite import Suite
from semcom.checkpoints import mobile_sam as weights
from semcom.disturbances.apply import Disturb
from semcom.errors import InputError
from semcom.segmenters.inner import asked

A = TypeVar("A", bound=Axes)

BATCH = 50
"""Largest number of draws of one row; a killed run loses at most that many per worker."""
MOST_JOBS = 8
"""Largest number of tasks of a unit."""
MOST_DRAWS = 16
"""Largest number of draws of a unit with several tasks."""


@dataclass(frozen=True)
class PendingTask:
    """A task that is not done, or some draws of one."""

    item: Item
    setting: Setting
    first: int
    draws: int


def suite_items(suite: Suite, base: Path, say: Callable[..., None]) -> list[Item]:
    """Find the images of a suite, with masks if the suite uses any.

    Copies of an image count once; ``say`` receives a note about them.

    Raises
    ------
    ValueError
        If there are no images, or too many tasks.
    """
    parts = (suite, *suite.points, *suite.systems.values())
    check_size(suite.most_settings(), 1)
    masks_for = next(_needing_masks(suite), "")
    items = find_items(suite.images, base, most=suite.most_images, masks_for=masks_for, say=say)
    check_size(suite.most_settings(), len(items))
    disturbances = {name.partition(":")[0] for part in parts for name in part.disturbance or ()}
    if "from_folder" in disturbances:
        _check_names(items)
    if any(disturbances):
        _check_pictures(suite, items)
    if masks_for:
        return items
    plain: dict[str, Item] = {}
    for item in items:
        one = plain.setdefault(item.sha256, replace(item, mask=None, mask_sha256=""))
        if one.path != item.path:
            say(
                f"{item.name} differs from {one.name} only in its mask, which this suite does not "
                "use: the image counts once"
            )
    return list(plain.values())


def _needing_masks(suite: Suite) -> Iterator[str]:
    """Yield what in a suite needs the masks beside the images."""
    for system, setting in suite.settings():
        if axis := setting.mask_axis:
            value = getattr(setting, axis)
            yield f"{suite.origin(system, axis, value)}: {value}"


def _check_names(items: Sequence[Item]) -> None:
    """Refuse images that the disturbance ``from_folder`` would take for the same one."""
    seen: dict[str, Item] = {}
    for item in items:
        other = seen.setdefault(item.path.stem, item)
        if other.path != item.path:
            raise InputError(
                f"{item.path} and {other.path} would both get the picture {item.path.stem!r} of "
                "from_folder: give the images names of their own"
            )


def _check_pictures(suite: Suite, items: Sequence[Item]) -> None:
    """Refuse images for which a disturbance says that it has nothing."""
    asked: dict[tuple[str, int], System] = {}
    for system, setting in suite.settings():
        if setting.disturbance:
            asked.setdefault((setting.disturbance, setting.severity), system)
    for (name, severity), system in asked.items():
        try:
            Disturb(name, severity).check_sources(str(item.path) for item in items)
        except InputError as error:
            place = suite.origin(system, "disturbance", name)
            raise InputError(f"{place}: {error}") from None


def without_missing(suite: Suite, say: Callable[..., None]) -> Suite:
    """Leave MobileSAM and attacks on it out if its weights are missing and others are there."""
    if weights.available():
        return suite
    why = weights.why_unavailable()
    if weights.named():
        say(why)
        return suite
    parts = {name: _without_mobile_sam(axes) for name, axes in suite.systems.items()}
    found = _without_mobile_sam(suite)
    systems = {name: axes for name, axes in parts.items() if axes is not None}
    points = tuple(p for p in map(_without_mobile_sam, suite.points) if p is not None)
    if found is None or bool(systems) != bool(parts) or bool(points) != bool(suite.points):
        return suite  # nothing would be left: each task then says how to fetch the weights
    found = found.model_copy(update={"systems": systems, "points": points})
    if found != suite:
        say(
            f"{why}: systems that need MobileSAM, and attacks on it, are left out; semcom weights "
            "fetch downloads the weights"
        )
    return found


def _without_mobile_sam(axes: A) -> A | None:
    left: dict[str, tuple[str, ...]] = {}
    if axes.segmenter is not None:
        left["segmenter"] = tuple(s for s in axes.segmenter if not _is_mobile_sam(s))
    if axes.disturbance is not None:
        left["disturbance"] = tuple(
            name for name in axes.disturbance if not (name and _is_mobile_sam(Disturb(name).victim))
        )
    return axes.model_copy(update=left) if all(left.values()) else None


def _is_mobile_sam(segmenter: str) -> bool:
    return asked(segmenter) == "mobile_sam"


def tasks(suite: Suite, items: Collection[Item]) -> Iterator[tuple[Item, Setting, str]]:
    """Yield every image with every setting, image by image, and the id of the task.

    If a setting uses no mask, an image with several masks is one task.
    """
    seen: set[str] = set()
    for item in items:
        again = item.sha256 in seen
        seen.add(item.sha256)
        for _, setting in suite.settings():
            if setting.needs_mask or not again:
                yield item, setting, task_id(setting.id, *key_of(item, setting))


def count_tasks(suite: Suite, items: Collection[Item]) -> int:
    """Count the tasks of a suite."""
    masked = plain = 0
    for _, setting in suite.settings():
        masked += setting.needs_mask
        plain += not setting.needs_mask
    return masked * len(items) + plain * len({item.sha256 for item in items})


def key_of(item: Item, setting: Setting) -> tuple[str, str]:
    """Return the image and the mask that identify a task; the mask is empty if it is not used."""
    return item.sha256, item.mask_sha256 if setting.needs_mask else ""


def pending(
    suite: Suite,
    items: Collection[Item],
    database: Database | None,
    *,
    until: int,
    enough: Mapping[str, int] | None = None,
    retry: bool = False,
) -> Iterator[PendingTask]:
    """Yield the tasks that are not done yet.

    Parameters
    ----------
    suite, items
        The suite and its images.
    database
        Results so far; None if there are none.
    until
        Number of draws of the channel that there should be.
    enough
        Number of draws that sufficed, by the ids of settings that are done. An image that is new or
        has failed gets the same number of draws.
    retry
        Whether to repeat tasks that failed.
    """
    for item, setting, task in tasks(suite, items):
        most = suite.draws_of(setting).most
        draws = min(until, most, (enough or {}).get(setting.id, until))
        covered = covered_draws(database, task) if database else []
        missing = list(gaps(covered, draws))
        if missing and database and not retry and has_failed(database, task):
            continue
        for first, count in missing:
            yield PendingTask(item, setting, first, count)


class Found(NamedTuple):
    """The work that is left."""

    tasks: int
    batches: int
    """Number of batches of draws, each of which gives a row."""
    looks: list[tuple[Item, Setting]]
    """An image and a setting for every segmentation that is needed."""


def count(todo: Iterator[PendingTask]) -> Found:
    """Count the work that is left."""
    looks: dict[tuple[object, ...], tuple[Item, Setting]] = {}
    begun = batches = 0
    last: tuple[Item, Setting] | None = None
    for one in todo:
        batches += 1
        begun += (one.item, one.setting) != last
        last = one.item, one.setting
        looks.setdefault((one.item.sha256, *one.setting.looked), last)
    return Found(begun, batches, list(looks.values()))


def gaps(covered: Iterable[tuple[int, int]], until: int) -> Iterator[tuple[int, int]]:
    """Yield the (first, draws) below ``until`` that no range covers, at most :data:`BATCH` each.

    Examples
    --------
    >>> list(gaps([(0, 8), (16, 4)], 70))
    [(8, 8), (20, 50)]
    """
    start = 0
    for first, draws in [*sorted(covered), (until, 0)]:
        while start < min(first, until):
            count = min(BATCH, min(first, until) - start)
            yield start, count
            start += count
        start = max(start, first + draws)


def units(
    todo: Iterable[PendingTask], *, size: int, pictures: Collection[str] = ()
) -> Iterator[Unit]:
    """Group successive tasks of the same image, importance map and codec, at most ``size`` each.

    They share the image, its masks and many encodings. ``pictures`` are the SHA-256 of images whose
    received pictures are kept.
    """
    kept: list[Job] = []
    about: tuple[object, ...] = ()
    item: Item | None = None
    for one in todo:
        s = one.setting
        key = (
            *(one.item.sha256, one.item.mask_sha256, *s.looked),
            *(s.masks, s.sent, s.importance, s.theta, s.blind, s.codec),
        )
        draws = one.draws + sum(job.draws for job in kept)
        if kept and item is not None and (key != about or len(kept) >= size or draws > MOST_DRAWS):
            yield Unit(item, tuple(kept))
            kept = []
        item, about = one.item, key
        kept.append(Job(s, one.first, one.draws, one.item.sha256 in pictures))
    if item is not None and kept:
        yield Unit(item, tuple(kept))


def count_failed(database: Database, suite: Suite, items: list[Item]) -> int:
    """Count the tasks of a suite that failed and have no row."""
    failed = failed_tasks(database)
    return sum(task in failed for _, _, task in tasks(suite, items)) if failed else 0
