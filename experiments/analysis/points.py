"""Preparation and grouping of points for figures and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from experiments.analysis.choice.best_of import best_of
from experiments.naming import unique
from experiments.store.common_images import align
from experiments.store.measured import ImageRow, Key, Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import AXES, DEFAULTS, Setting
from semcom.importance.maps import AUTO, DEFAULT_THETA
from semcom.scores.psnr import combined_psnr_db

T = TypeVar("T")
MOST_SYSTEMS = 8
"""Largest number of lines in a panel."""


def prepare(study: SuiteResults) -> SuiteResults:
    """Join points that differ only in their seed, and use the θ of the anchor for all θ-PSNR.

    Systems of which the suite asks for the best (``best_of``) become one system.

    θ-PSNR weighs the mean squared error by θ in the region and 1-θ outside. Values at different θ
    are different scores and cannot share an axis. Prepared results are returned unchanged.
    """
    if study.prepared:
        return study
    study = best_of(join_seeds(study))
    theta = common_theta(study)
    points = (p if p.setting.theta == theta else rescore(p, theta) for p in study.points)
    return replace(study, points=align(tuple(points)), prepared=True)


def join_seeds(study: SuiteResults) -> SuiteResults:
    """Join points that differ only in their seed, as all are draws of the same channel."""
    joined: dict[tuple[System, Setting], list[Point]] = {}
    for point in study.points:
        joined.setdefault((point.key, replace(point.setting, seed=0)), []).append(point)
    points = [_join(setting, group) for (_, setting), group in joined.items()]
    return replace(study, points=align(points))


def common_theta(study: SuiteResults) -> float:
    """Return the θ to use for θ-PSNR when systems of several θ are compared."""
    thetas = [point.setting.scored_theta for point in study.points if point.key == study.anchor]
    return DEFAULT_THETA if DEFAULT_THETA in thetas else thetas[0]


def rescore(point: Point, theta: float) -> Point:
    """Return the point with its θ-PSNR at another θ, from the PSNR of region and background."""
    rows = tuple(_rescore(row, theta) for row in point.rows)
    return replace(point, rows=rows)


def at_own_theta(point: Point) -> Point:
    """Return the point with the θ-PSNR of each image at the θ that steered the sender there."""
    theta = point.setting.scored_theta
    rows = tuple(_rescore(row, row.record.get("theta", theta)) for row in point.rows)
    return replace(point, rows=rows)


def _rescore(row: ImageRow, theta: float) -> ImageRow:
    outcomes = []
    n, total, squares = 0, 0.0, 0.0
    for outcome in row.outcomes:
        value = _theta_psnr_db(outcome["scores"], theta)
        outcomes.append({**outcome, "scores": {**outcome["scores"], "theta_psnr_db": value}})
        if value is not None:
            count = outcome["count"]
            n, total, squares = n + count, total + count * value, squares + count * value**2
    sums = {**row.sums, "theta_psnr_db": (float(n), total, squares)}
    return replace(row, sums=sums, outcomes=tuple(outcomes))


def _theta_psnr_db(scores: dict[str, float | None], theta: float) -> float | None:
    """Return the θ-PSNR; None if it is undefined or infinite."""
    if scores.get("theta_psnr_db") is None:
        return None
    # A part without a finite PSNR has no error.
    parts = [scores[name] for name in ("region_psnr_db", "background_psnr_db")]
    found = combined_psnr_db(*(math.inf if db is None else db for db in parts), theta=theta)
    return found if math.isfinite(found) else None


def _join(setting: Setting, points: Sequence[Point]) -> Point:
    if len(points) == 1:
        return points[0]
    rows: dict[Key, ImageRow] = {}
    for row in (row for point in points for row in point.rows):
        rows[row.key] = _add(rows[row.key], row) if row.key in rows else row
    return replace(points[0], setting=setting, rows=tuple(rows.values()))


def _add(one: ImageRow, other: ImageRow) -> ImageRow:
    sums = dict(one.sums)
    for score, (n, total, squares) in other.sums.items():
        a, b, c = sums.get(score, (0, 0.0, 0.0))
        sums[score] = (a + n, b + total, c + squares)
    return replace(
        one,
        draws=one.draws + other.draws,
        lost=one.lost + other.lost,
        sums=sums,
        outcomes=one.outcomes + other.outcomes,
    )


def groups(points: Iterable[Point], *axes: str) -> dict[tuple[Any, ...], list[Point]]:
    """Group points by axes of their setting, in the order in which they first appear."""
    found: dict[tuple[Any, ...], list[Point]] = {}
    for point in points:
        found.setdefault(tuple(getattr(point.setting, axis) for axis in axes), []).append(point)
    return found


def conditions(points: Iterable[Point], *axes: str) -> dict[tuple[Any, ...], list[Point]]:
    """Group points by axes, with channels in their order and numbers ascending."""
    points = list(points)
    found = groups(points, *axes)
    channels = list(dict.fromkeys(point.setting.channel for point in points))

    def place(key: tuple[Any, ...]) -> tuple[float, ...]:
        named = zip(axes, key, strict=True)
        return tuple(_place(axis, value, channels) for axis, value in named)

    return {key: found[key] for key in sorted(found, key=place)}


def _place(axis: str, value: Any, channels: list[str]) -> float:
    if axis == "channel":
        return channels.index(value)
    return float(Setting(cbr=value).budget) if axis == "cbr" else float(value)


def bandwidth_sweep(points: Iterable[Point]) -> tuple[float, str]:
    """Return the condition to show first: the SNR with the most CBRs, and their middle CBR.

    If there are several such SNRs, the middle one is taken.
    """
    found = conditions(points, "snr_db", "cbr")
    cbrs: dict[float, list[str]] = {}
    for snr_db, cbr in found:
        cbrs.setdefault(snr_db, []).append(cbr)
    most = max(map(len, cbrs.values()))
    snrs = [snr_db for snr_db, some in cbrs.items() if len(some) == most]
    snr_db = snrs[(len(snrs) - 1) // 2]
    return snr_db, cbrs[snr_db][(most - 1) // 2]


def evenly(values: Sequence[T], most: int) -> list[T]:
    """Return the values, or ``most`` of them at even distances, including the first and last.

    Examples
    --------
    >>> evenly("abcde", 3), evenly("ab", 3)
    (['a', 'c', 'e'], ['a', 'b'])
    """
    if len(values) <= most:
        return list(values)
    step = (len(values) - 1) / max(1, most - 1)
    return [values[round(i * step)] for i in range(most)]


def curves(points: Iterable[Point], axis: str) -> list[list[Point]]:
    """Split points into lines of one system along ``axis``, ascending."""
    found: dict[tuple[System, Setting], list[Point]] = {}
    for point in points:
        rest = replace(point.setting, **{AXES[axis]: DEFAULTS[axis]})
        found.setdefault((point.key, rest), []).append(point)
    return [
        sorted(line, key=lambda p: _place(axis, getattr(p.setting, axis), []))
        for line in found.values()
    ]


def families(points: Iterable[Point]) -> dict[System, list[Point]]:
    """Group points of systems that differ only in θ; with θ "auto" a system is by itself."""
    found: dict[System, list[Point]] = {}
    for point in points:
        key = point.key if point.setting.theta == AUTO else point.key.without("theta")
        found.setdefault(key, []).append(point)
    return found


def family_names(points: Iterable[Point]) -> dict[System, str]:
    """Return the names of the families."""
    found = families(points)
    names = [
        family.label or ("blind" if line[0].setting.blind else "by importance")
        for family, line in found.items()
    ]
    return dict(zip(found, unique(names), strict=True))


def steered(points: Iterable[Point]) -> dict[System, list[Point]]:
    """Return the families with several θ, with their points."""
    return {
        family: line
        for family, line in families(points).items()
        if not any(point.setting.blind for point in line)
        and len({point.setting.scored_theta for point in line}) > 1
    }


def few(study: SuiteResults) -> tuple[SuiteResults, str]:
    """Return results with few enough systems for a panel, and a sentence about it.

    Of systems that differ only in θ, the one nearest to the default θ is kept.
    """
    if len(study.systems) <= MOST_SYSTEMS:
        return study, ""
    kept = []
    for line in families(study.points).values():
        theta = min((p.setting.scored_theta for p in line), key=lambda t: abs(t - DEFAULT_THETA))
        kept += [point for point in line if point.setting.scored_theta == theta]
    places = {id(point): place for place, point in enumerate(study.points)}
    kept.sort(key=lambda point: places[id(point)])
    if len(kept) == len(study.points):
        return study, ""
    note = "Of systems that differ only in θ, the one nearest to 0.65 is shown."
    return replace(study, points=tuple(kept)), note


def count_images(points: Iterable[Point]) -> int:
    """Return the number of images of the points."""
    return len({row.key for point in points for row in point.rows})


def draws_words(points: Iterable[Point]) -> str:
    """Describe the number of draws per image, such as ``"8 to 64 draws of the channel each"``.

    The text is empty for single draws of a channel without fading or losses.
    """
    points = list(points)
    random = [point for point in points if point.setting.random]
    each = sorted({row.draws for point in random or points for row in point.rows})
    if not each or (each == [1] and not random):
        return ""
    count = f"{each[0]} to {each[-1]}" if len(each) > 1 else "one" if each == [1] else str(each[0])
    return f"{count} draw{'s' * (each != [1])} of the channel each"


def drawn(points: Iterable[Point]) -> bool:
    """Whether any image has several draws of the channel."""
    return any(row.draws > 1 for point in points for row in point.rows)
