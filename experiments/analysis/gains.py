"""Gains of systems over the anchor at equal bandwidth, paired image by image.

The anchor is the system that the others are compared with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from experiments.analysis.points import rescore
from experiments.analysis.score_names import GAINS, further_scores, has, naming
from experiments.naming import visible
from experiments.store.measured import Key, Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import AXES


@dataclass(frozen=True)
class Pair:
    """A point and the point of the anchor for the same channel, SNR and bandwidth."""

    anchor: Point
    point: Point


@dataclass(frozen=True)
class Gain:
    """The mean difference of a score over the images, in the unit of the score."""

    mean: float
    error: float
    """Standard error over the images; 0 for a single image."""
    images: int


def anchors(study: SuiteResults) -> frozenset[System]:
    """Return the systems that gains are relative to: the anchor with all its variants, such as θ.

    If there are no other systems, it is one of the variants only.
    """
    same = frozenset(one for one in study.systems if one.name == study.anchor.name)
    return same if len(same) < len(study.systems) else frozenset([study.anchor])


def anchor_name(study: SuiteResults) -> str:
    """Return the name of the anchor for display."""
    others = any(one.name != study.anchor.name for one in study.systems)
    return visible(study.anchor.name) if others else study.labels[study.anchor]


def pairs(study: SuiteResults) -> list[Pair]:
    """Pair each point with the most similar point of the anchor.

    Points without such a partner are left out, as are bounds, which are not systems, and points of
    which nothing was sent.
    """
    against = anchors(study)
    found: dict[tuple[object, ...], list[Point]] = {}
    for point in study.points:
        if point.key in against:
            found.setdefault(point.setting.condition, []).append(point)
    return [
        Pair(max(beside, key=lambda anchor: _common(anchor, point)), point)
        for point in study.points
        if point.key not in against
        and not point.setting.bound
        and point.setting.sent != "nothing"
        and (beside := found.get(point.setting.condition))
    ]


def _common(one: Point, other: Point) -> int:
    """Return the number of axes with the same value."""
    return sum(getattr(one.setting, name) == getattr(other.setting, name) for name in AXES.values())


def gain(pair: Pair, score: str) -> Gain | None:
    """Return the gain of a point over the anchor's; None if no image counts for both."""
    found = list(differences(pair, score).values())
    if not found:
        return None
    error = float(np.std(found, ddof=1)) / math.sqrt(len(found)) if len(found) > 1 else 0.0
    return Gain(math.fsum(found) / len(found), error, len(found))


def differences(pair: Pair, score: str) -> dict[Key, float]:
    """Return the difference from the anchor for each image, by its key.

    θ-PSNR uses the θ of the point for both. Images that do not count for both are left out.
    """
    anchor, point = pair.anchor, pair.point
    if score == "theta_psnr_db":
        theta = point.setting.scored_theta
        anchor, point = rescore(anchor, theta), rescore(point, theta)
    theirs = {row.key: row.mean(score) for row in anchor.over(score).rows}
    both = {row.key: (row.mean(score), theirs.get(row.key)) for row in point.over(score).rows}
    return {key: a - b for key, (a, b) in both.items() if a is not None and b is not None}


def gain_label(score: str) -> str:
    """Return the label of an axis of gains, with the unit."""
    about = naming(score)
    name = "background" if score == "background_psnr_db" else about.short
    return f"{name} gain" + (f", {about.unit}" if about.unit else "")


def gain_scores(study: SuiteResults) -> list[str]:
    """Return the scores for which gains are computed: in dB, and those that the suite adds."""
    names = GAINS if has(study.points, "background_psnr_db") else ("psnr_db",)
    return [*(name for name in names if has(study.points, name)), *further_scores(study)]
