"""What systems gain against the anchor at equal bandwidth, paired image by image."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from experiments.drawing.points import rescore
from experiments.drawing.scores import GAINS, has
from experiments.setting import Setting
from experiments.study import Point, Study


@dataclass(frozen=True)
class Pair:
    """A point and the anchor's, over one channel, at one SNR and bandwidth."""

    anchor: Point
    point: Point


@dataclass(frozen=True)
class Gain:
    """The mean over the images of a difference in dB."""

    mean: float
    error: float
    """Standard error over the images; 0 for a single one."""


def anchor_name(study: Study) -> str:
    """Return what gains are against: a system with all that varies within it, such as its θ.

    Where this is all that there is, it is one of its variants.
    """
    names = [
        name
        for name in study.suite.get("systems", {})
        if name and f"{study.anchor}, ".startswith(f"{name}, ")
    ]
    name = max(names, key=len, default=study.anchor)
    return name if any(not _belongs(s, name) for s in study.systems) else study.anchor


def _belongs(system: str, name: str) -> bool:
    return f"{system}, ".startswith(f"{name}, ")


def pairs(study: Study) -> list[Pair]:
    """Put each point beside the anchor's that has most in common with it.

    A point without one is left out, and so are bounds, which are no systems.
    """
    name = anchor_name(study)
    anchors: dict[tuple[str, str, float], list[Point]] = {}
    for point in study.points:
        if _belongs(point.system, name):
            anchors.setdefault(_condition(point), []).append(point)
    return [
        Pair(max(beside, key=lambda anchor: _common(anchor, point)), point)
        for point in study.points
        if not _belongs(point.system, name)
        and not point.setting.bound
        and (beside := anchors.get(_condition(point)))
    ]


def _condition(point: Point) -> tuple[str, str, float]:
    return point.setting.channel, point.setting.cbr, point.setting.snr_db


def _common(one: Point, other: Point) -> int:
    """How many axes have the same value."""
    return sum(
        getattr(one.setting, field.name) == getattr(other.setting, field.name)
        for field in fields(Setting)
    )


def gain(pair: Pair, score: str) -> Gain | None:
    """Return what a point gains over the anchor's; None without an image that both have.

    θ-PSNR is that of the point's θ for both.
    """
    anchor, point = pair.anchor, pair.point
    if score == "theta_psnr_db":
        theta = point.setting.theta
        anchor, point = rescore(anchor, theta), rescore(point, theta)
    theirs = {row.image: row.mean(score) for row in anchor.rows}
    both = [(row.mean(score), theirs.get(row.image)) for row in point.rows]
    found = [a - b for a, b in both if a is not None and b is not None]
    if not found:
        return None
    error = float(np.std(found, ddof=1)) / math.sqrt(len(found)) if len(found) > 1 else 0.0
    return Gain(math.fsum(found) / len(found), error)


def gain_scores(study: Study) -> list[str]:
    """Return the scores in dB of which differences are taken."""
    names = GAINS if has(study.points, "background_psnr_db") else ("psnr_db",)
    return [name for name in names if has(study.points, name)]
