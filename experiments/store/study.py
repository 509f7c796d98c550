"""Reading of the results of a run from a results file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from experiments.naming import unique, visible
from experiments.store.common_images import align
from experiments.store.database import Database, opened
from experiments.store.measured import ImageRow as ImageRow
from experiments.store.measured import Key
from experiments.store.measured import Point as Point
from experiments.store.measured import SuiteResults as SuiteResults
from experiments.store.upgrade import with_masks
from experiments.suites.axes import System
from semcom.errors import InputError

_SHOWN = 8  # digits of a run's id in messages


class _Run(NamedTuple):
    id: str
    started: str
    suite: str
    name: str
    content: str
    image_set: str
    versions: str
    git: str | None


def read_results(
    results: Path | Database, *, suite: str = "", run: str = "", all_images: bool = False
) -> SuiteResults:
    """Read the results of a run.

    Parameters
    ----------
    results
        ``results.db``, the folder that holds it, or the open file.
    suite
        Name of the suite, if the file has several; by default the one that ran last. Its latest run
        is read.
    run
        Id of the run or the start of it, if there are several; by default the latest.
    all_images
        Use all images for which the file has results with the suite's settings, including those of
        other runs.

    Raises
    ------
    ValueError
        If there is no results file, no such suite or run, or no row.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from PIL import Image
    >>> from experiments import Suite, run
    >>> with TemporaryDirectory() as folder:
    ...     photo = Path(folder) / "photo.png"
    ...     Image.fromarray(np.full((48, 64, 3), 90, dtype=np.uint8)).save(photo)
    ...     suite = Suite(images=str(photo), segmenter="whole_image", codec="jpeg", cbr="1/2")
    ...     _ = run(suite, Path(folder) / "out", say=lambda *_: None)
    ...     results = read_results(Path(folder) / "out")
    >>> [(point.setting.codec, len(point.rows)) for point in results.points]
    [('jpeg', 1)]
    """
    with opened(results) as database:
        path = database.path
        one = _choose(database, path, suite, run)
        every = _all_images(database, one.suite)
        sql = "SELECT image, mask, name FROM image_sets WHERE id = ?"
        mine = {(image, mask): name for image, mask, name in database.query(sql, (one.image_set,))}
        names = _names(database, every if all_images else mine, mine)
        files = _names(database, {(image, "") for image, _ in names}, mine)
        points = _points(database, one.suite, names, files)
        failed = _count_failures(database, one.suite, names)
    images = {image for image, _ in mine}
    others = sum(bool(mask) or image not in images for image, mask in every - set(mine))
    if not points:
        here = f" for its images, but {others} other images: use --all-images" if others else ""
        raise InputError(f"{path}: suite {one.name} has no rows yet{here}; semcom run makes them")
    return SuiteResults(
        one.name,
        json.loads(one.content),
        points,
        json.loads(one.versions),
        one.git,
        one.started,
        failed,
        one.id,
        one.suite,
        names,
        0 if all_images else others,
    )


def _choose(database: Database, path: Path, suite: str, run: str) -> _Run:
    sql = (
        "SELECT runs.id, started, suites.id, name, content, image_set, versions, git "
        "FROM runs JOIN suites ON suites.id = suite ORDER BY started DESC, runs.rowid DESC"
    )
    runs = [_Run(*one) for one in database.query(sql)]
    named = [one for one in runs if not suite or one.name == suite]
    if not named:
        names = dict.fromkeys(one.name for one in runs)
        choices = ", ".join(names) or "none, it is empty"
        raise InputError(f"{path} holds no suite {suite!r}; choices: {choices}")
    found = [one for one in named if one.id.startswith(run)]
    if not found or (run and len(found) > 1):
        choices = ", ".join(f"{one.id[:_SHOWN]} ({one.name}, {one.started})" for one in named)
        what = "several runs" if found else "no run"
        raise InputError(f"{path} holds {what} {run!r}; choices: {choices}")
    return found[0]


def _all_images(database: Database, suite: str) -> set[Key]:
    """Return all images for which a suite has rows, from any run."""
    sql = "SELECT DISTINCT image, mask FROM members JOIN rows USING (setting) WHERE suite = ?"
    return with_masks(set(database.query(sql, (suite,))))


def _names(database: Database, images: Iterable[Key], mine: Mapping[Key, str]) -> dict[Key, str]:
    """Return names of images for display, sorted, with the mask if an image has several.

    ``mine`` are the names in the run.
    """
    known: dict[Key, tuple[str, str]] = {}
    for image, mask, name, path in database.query("SELECT id, mask, name, mask_path FROM images"):
        known[image, mask] = mine.get((image, mask), name), Path(path).name if path else ""
        known.setdefault((image, ""), (known[image, mask][0], ""))
    each = sorted((*known.get(key, (key[0], key[1])), key) for key in images)
    masks = Counter(key[0] for *_, key in each)
    said = [f"{n} with {m}" if m and masks[key[0]] > 1 else n for n, m, key in each]
    names = unique([visible(name) for name in said])
    return {key: name for (*_, key), name in zip(each, names, strict=True)}


def _points(
    database: Database, suite: str, names: Mapping[Key, str], files: Mapping[Key, str]
) -> tuple[Point, ...]:
    """Read the points; ``names`` are for images with their masks, ``files`` for images alone."""
    sql = (
        "SELECT m.setting, r.image, r.mask, r.task, r.draws, r.lost, r.sums, r.record, r.outcomes "
        "FROM members m JOIN rows r ON r.setting = m.setting "
        "WHERE m.suite = ? ORDER BY m.place, r.task, r.first"
    )
    images = {image for image, _ in names}
    systems, points = _systems(database, suite), []
    labels = unique([system.label for system in dict.fromkeys(systems.values())])
    shown = dict(zip(dict.fromkeys(systems.values()), labels, strict=True))
    for identity, rows in groupby(database.query(sql, (suite,)), key=itemgetter(0)):
        tasks: dict[Key, list[tuple[Any, ...]]] = {}
        for _, image, mask, *row in rows:
            if image in images:
                tasks.setdefault((image, mask), []).append(tuple(row))
        setting = database.setting(identity)
        found = tuple(
            _image_row(key, name, files[key[0], ""], mine)
            for key, name in names.items()
            if (mine := tasks.get(key if setting.needs_mask else (key[0], "")))
        )
        system = systems[identity]
        points += [Point(system, setting, found, shown[system])] * bool(found)
    return align(points)


def _systems(database: Database, suite: str) -> dict[str, System]:
    """Return the system of each of a suite's settings."""
    sql = "SELECT setting, system, varies FROM members WHERE suite = ? ORDER BY place"
    return {
        setting: System(name, tuple(json.loads(varies).items()))
        for setting, name, varies in database.query(sql, (suite,))
    }


def _image_row(key: Key, name: str, file: str, rows: Sequence[tuple[Any, ...]]) -> ImageRow:
    sums: dict[str, tuple[float, float, float]] = {}
    outcomes: list[dict[str, Any]] = []
    for *_, text, _, seen in rows:
        for score, (n, total, squares) in json.loads(text).items():
            a, b, c = sums.get(score, (0, 0.0, 0.0))
            sums[score] = a + n, b + total, c + squares
        outcomes += json.loads(seen)
    draws, lost = sum(row[1] for row in rows), sum(row[2] for row in rows)
    record = json.loads(rows[0][4])
    task, shown = rows[0][0], tuple(outcomes)
    return ImageRow(*key, name, task, draws, lost, sums, record, shown, file)


def _count_failures(database: Database, suite: str, names: Iterable[Key]) -> int:
    sql = (
        "SELECT DISTINCT task, image, mask FROM open_failures JOIN members USING (setting) "
        "WHERE suite = ?"
    )
    mine = {*names, *((image, "") for image, _ in names)}
    return sum((image, mask) in mine for _, image, mask in database.query(sql, (suite,)))
