"""Figures of one crop of the received pictures, with systems as rows and CBRs or SNRs as columns.

They are drawn from the pictures in the results file, which are those of the first draw of the
channel.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.points import bandwidth_sweep, conditions, evenly, few, groups
from experiments.analysis.score_names import short
from experiments.analysis.table import Table, Tell
from experiments.axis_values import ratio
from experiments.figures.crops_figure import Crops, Place, Where, draw_crops
from experiments.figures.drawing import Drawing
from experiments.figures.parts.close_up import heaviest
from experiments.figures.parts.lines import where
from experiments.figures.parts.style import PAGE
from experiments.store.database import Database, opened
from experiments.store.kept_pictures import Shot, decode, in_threads, intact, read, shots_of
from experiments.store.measured import SuiteResults
from semcom.errors import InputError
from semcom.types import Image

MOST_IMAGES = 4
"""Largest number of images; the report's viewer shows more."""
_COLUMNS = {False: 3, True: 5}
"""Largest number of columns, by whether the figure is as wide as a page."""
_SHARE = 4  # ratio of the image's shorter side to the side of the crop
_NEARLY = 0.95  # share of the largest weight that a centred crop must keep
_LEAST = 32  # smallest side of a crop in pixels, if the image is that large


class Series(NamedTuple):
    """Conditions that differ in one axis only, or a single condition."""

    name: str
    channel: str
    heads: dict[Place, str]
    """Text for the value that differs."""
    fixed: dict[str, Any]
    """Axes and values that are the same."""


def crops(
    study: SuiteResults, results: Path | Database, *, width: float, tell: Tell | None
) -> list[Drawing]:
    """Draw crops of each image with pictures in the results file.

    Parameters
    ----------
    study
        The results.
    results
        The file of the results, with the pictures.
    width
        Width of the figure in inches.
    tell
        Function that receives a note on each damaged picture, which is left out; without it, an
        error is raised.
    """
    study, note = few(study)
    found: list[Drawing] = []
    with opened(results) as database:
        shots, _ = shots_of(study, database)
        images = list(dict.fromkeys(shot.row.key for shot in shots))
        if len(images) > MOST_IMAGES:
            note = f"Shown are {MOST_IMAGES} of {len(images)} images with pictures. {note}"
        for image in images[:MOST_IMAGES]:
            mine = [shot for shot in shots if shot.row.key == image]
            for series in _series(study, mine, _COLUMNS[width >= PAGE]):
                some = _intact(study, database, series, mine, tell)
                if some:
                    made = _cut(database, series, some)
                    drawing = functools.partial(draw_crops, made, width=width)
                    found.append(Drawing(drawing, _table(series, made, some, note)))
    return _numbered(found)


def _numbered(drawings: Sequence[Drawing]) -> list[Drawing]:
    """Number drawings that have the same name."""
    names = [drawing.data.name for drawing in drawings]
    found = []
    for i, drawing in enumerate(drawings):
        name = names[i]
        if names.count(name) > 1:
            name = f"{name}-{names[: i + 1].count(name)}"
        found.append(Drawing(drawing.draw, replace(drawing.data, name=name)))
    return found


def _series(study: SuiteResults, shots: Sequence[Shot], most: int) -> Iterator[Series]:
    """Yield bandwidths at one SNR, and SNRs at one bandwidth, over each channel."""
    tasks = {shot.row.task for shot in shots}
    points = [
        point
        for point in study.points
        if point.setting.sent != "nothing" and any(row.task in tasks for row in point.rows)
    ]
    for (channel,), some in groups(points, "channel").items():
        snr_db, cbr = bandwidth_sweep(some)
        places: list[Place] = list(conditions(some, "cbr", "snr_db"))
        snrs = Counter(place[0] for place in places)
        most_snrs = max(snrs, key=lambda one: (snrs[one], one == cbr))
        over_cbr = [place for place in places if place[1] == snr_db]
        over_snr = [place for place in places if place[0] == most_snrs]
        if len(over_cbr) > 1 or len(places) == 1:
            over_cbr = evenly(over_cbr, most)
            heads = {place: f"CBR {_ratio(place)}" for place in over_cbr}
            yield Series("crops-cbr", channel, heads, {"snr_db": snr_db})
        if len(over_snr) > 1:
            over_snr = evenly(over_snr, most)
            heads = {place: f"{place[1]:g} dB" for place in over_snr}
            yield Series("crops-snr", channel, heads, {"cbr": most_snrs})


def _ratio(place: Place) -> str:
    return ratio(float(Fraction(place[0])))


def _intact(
    study: SuiteResults,
    database: Database,
    series: Series,
    shots: Sequence[Shot],
    tell: Tell | None,
) -> dict[Where, Shot]:
    """Return the deliveries with intact pictures."""
    mine = [s for s in shots if s.setting.channel == series.channel and _place(s) in series.heads]
    good, damaged = intact(database, mine)
    for shot in damaged:
        text = f"a picture of {study.labels[shot.system]}, {shot.row.name} is damaged"
        if tell is None:
            raise InputError(text)
        tell(f"{series.name}: {text}")
    return {(study.labels[shot.system], _place(shot)): shot for shot in good}


def _place(shot: Shot) -> Place:
    return shot.setting.cbr, shot.setting.snr_db


def _cut(database: Database, series: Series, shots: Mapping[Where, Shot]) -> Crops:
    """Choose the crop, and cut it out of all pictures."""
    first = next(iter(shots.values()))
    original = np.asarray(decode(read(database, first.row.task, first.reference)))
    region = _region(database, shots.values())
    side = min(max(min(original.shape[:2]) // _SHARE, _LEAST), *original.shape[:2])
    lost = frozenset(one for one, shot in shots.items() if shot.outcome["all_lost"])
    box = _box(_weights(database, original, region, shots, lost), side)
    score = "region_psnr_db" if 0 < region.mean() < 1 else "psnr_db"
    values = {one: shot.outcome["scores"].get(score) for one, shot in shots.items()}
    return Crops(
        (first.row.name, *where(series.channel, **series.fixed)),
        original,
        "seen by the camera" if first.reference == "seen" else "original",
        region,
        box,
        tuple(dict.fromkeys(system for system, _ in shots)),
        series.heads,
        {one: picture[box].copy() for one, picture in _received(database, shots)},
        {one: value for one, value in values.items() if value is not None},
        lost,
    )


def _box(weights: NDArray[np.float64], side: int) -> tuple[slice, slice]:
    """Return the square with the largest weight, centred on it if that costs little weight."""

    def square(top: int, left: int) -> tuple[slice, slice]:
        return slice(top, top + side), slice(left, left + side)

    best = square(*heaviest(weights, side, side))
    centre = []
    for axis, part in enumerate(best):
        along = weights[best].sum(axis=1 - axis)
        middle = part.start + float(along @ np.arange(side)) / float(along.sum())
        centre.append(min(max(round(middle - side / 2), 0), weights.shape[axis] - side))
    moved = square(*centre)
    return moved if weights[moved].sum() >= _NEARLY * weights[best].sum() else best


def _region(database: Database, shots: Iterable[Shot]) -> NDArray[np.bool_]:
    """Return the union of the regions of all systems."""
    masks = (np.asarray(decode(read(database, shot.row.task, "region"))) for shot in shots)
    return functools.reduce(np.logical_or, (mask[..., 0] >= 128 for mask in masks))


def _received(database: Database, shots: Mapping[Where, Shot]) -> Iterator[tuple[Where, Image]]:
    stored = ((one, read(database, shot.row.task, "received")) for one, shot in shots.items())
    return in_threads(lambda pair: (pair[0], np.asarray(decode(pair[1]))), stored)


def _weights(
    database: Database,
    original: Image,
    region: NDArray[np.bool_],
    shots: Mapping[Where, Shot],
    lost: frozenset[Where],
) -> NDArray[np.float64]:
    """Return the spread of the systems' squared errors for each pixel of the region.

    All conditions have the same weight, whatever the quality of their pictures. Lost pictures count
    only if all pictures are lost.
    """
    shown = {one: shot for one, shot in shots.items() if one not in lost} or shots
    low: dict[Place, NDArray[Any]] = {}
    high: dict[Place, NDArray[Any]] = {}
    for (_, place), picture in _received(database, shown):
        error = ((original.astype(np.float32) - picture) ** 2).mean(axis=-1)
        low[place] = np.minimum(low[place], error) if place in low else error
        high[place] = np.maximum(high[place], error) if place in high else error
    alone = len({system for system, _ in shown}) == 1
    weights = np.zeros(original.shape[:2])
    for place in high:
        spread = high[place] - (0 if alone else low[place])
        weights += spread / max(float(spread.mean()), 1e-9)
    inside = region if region.any() else np.ones_like(region)
    weights *= inside
    return weights if weights.any() else inside.astype(np.float64)


def _table(series: Series, made: Crops, shots: Mapping[Where, Shot], note: str) -> Table:
    score = "region" if 0 < made.region.mean() < 1 else "PSNR"
    what = "region PSNR" if score == "region" else score
    beside = "the original" if made.beside == "original" else "the picture that the camera saw"
    caption = (
        f"One crop of the pictures received in the first draw of the channel, beside {beside}. "
        "It shows where the systems differ most within the region, which is outlined in white. "
        f"Below each crop: {what} of that draw, with the highest in bold. {note}"
    ).strip()
    rows, columns = made.box
    cells = tuple(
        (
            shot.row.name,
            series.channel,
            _ratio(one[1]),
            one[1][1],
            one[0],
            made.values.get(one),
            "yes" if one in made.lost else None,
            columns.start,
            rows.start,
            rows.stop - rows.start,
            shot.row.task,
        )
        for one, shot in shots.items()
    )
    place = ("image", "channel", "CBR", "SNR", "system")
    heads = (*place, short(score), "lost", "x", "y", "side", "task")
    return Table(series.name, f"Crops of {made.title[0]}", caption, heads, cells)
