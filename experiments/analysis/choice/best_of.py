"""One curve of the best of several systems at each point, as papers draw their digital baselines.

A paper tries several modulation and coding schemes at each SNR and bandwidth, and shows the one
whose mean PSNR over the images is highest. The choice is made after the fact, on the same images
that the curve is then shown for, so that it is better than what a sender could do that chooses
beforehand. Tables therefore name the winner of every point, and say how many took part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from experiments.naming import unique
from experiments.store.common_images import align
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import AXES, DEFAULTS, Setting

SCORE = "psnr_db"
"""The score that decides."""


def best_of(study: SuiteResults) -> SuiteResults:
    """Replace systems that differ only in the axis ``best_of`` of the suite by their best points.

    At each point, the system with the highest mean PSNR over its images wins. A system that lacks
    an image, because its budget was too small there, takes part only if no system has them all, and
    is counted only then.
    Without that key in the suite, the results are returned unchanged.
    """
    axis = str(study.suite.get("best_of") or "")
    if not axis:
        return study
    groups: dict[tuple[System, Setting], list[Point]] = {}
    for point in study.points:
        rest = replace(point.setting, **{AXES[axis]: DEFAULTS[axis]})
        groups.setdefault((point.key.without(axis), rest), []).append(point)
    found = [
        _winner(axis, key, setting, group) if _varies(group[0], axis) else group
        for (key, setting), group in groups.items()
    ]
    points = [point for some in found for point in some]
    keys = list(dict.fromkeys(point.key for point in points))
    labels = dict(zip(keys, unique([key.label for key in keys]), strict=True))
    return replace(study, points=align([replace(p, system=labels[p.key]) for p in points]))


def about_best(study: SuiteResults) -> str:
    """Return a sentence about the systems that are the best of several; empty if there are none."""
    axis = str(study.suite.get("best_of") or "")
    said = []
    for key in dict.fromkeys(point.key for point in study.points if point.chosen[0]):
        mine = [point for point in study.points if point.key == key]
        counts = sorted({point.chosen[1] for point in mine})
        number = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
        name = mine[0].system or study.name
        said.append(
            f"{name}: at each point the best of {number} values of {axis}, chosen by the mean PSNR "
            "over these same images, which no sender knows beforehand."
        )
    return " ".join(said)


def _varies(point: Point, axis: str) -> bool:
    return any(name == axis for name, _ in point.key.varies)


def _winner(axis: str, key: System, setting: Setting, group: Sequence[Point]) -> list[Point]:
    every = {row.key for point in group for row in point.rows}
    whole = [point for point in group if {row.key for row in point.rows} == every]
    most = max(len(point.rows) for point in group)
    taking_part = whole or [point for point in group if len(point.rows) == most]
    best = max(taking_part, key=_mean)
    won = str(getattr(best.setting, AXES[axis]))
    return [replace(best, key=key, setting=setting, chosen=(won, len(taking_part)))]


def _mean(point: Point) -> float:
    """Return the mean over all images of the point; an exact copy is better than any other."""
    values = [row.mean(SCORE) for row in point.rows]
    return math.fsum(_or_infinite(values)) / len(values)


def _or_infinite(values: Iterable[float | None]) -> list[float]:
    return [math.inf if value is None else value for value in values]
