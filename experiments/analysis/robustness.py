"""Results over disturbances and their severities."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any

from experiments.analysis.left_out import left_out
from experiments.analysis.score_names import naming, short, shown_scores
from experiments.analysis.table import Table
from experiments.analysis.tables import NOWHERE
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import BESIDE
from semcom.disturbances.apply import Disturb
from semcom.disturbances.pin import unpinned
from semcom.errors import InputError
from semcom.scores.masks import IOU_CLEAN, MASK_SCORES

CONTROL = "jitter"
"""The disturbance that shows how far next to nothing moves a mask."""
_OF_MASKS = (IOU_CLEAN, *MASK_SCORES, "mask_area")
_GOOD = 0.5
_SPOILT = (0.5, 0.1)


def is_disturbed(study: SuiteResults) -> bool:
    """Whether systems differ in what disturbs them."""
    return len(study.axis("disturbance")) > 1 or len(study.axis("severity")) > 1


@functools.lru_cache(maxsize=256)
def victim_of(disturbance: str) -> str:
    """Return the segmenter that an attack was computed for; empty if it is no attack."""
    try:
        return Disturb(disturbance).victim if disturbance else ""
    except InputError:  # its package, or what it reads, is not here any more
        return ""


def kind_of(point: Point) -> System:
    """Return the system of a point without its disturbance."""
    return point.key.without("disturbance").without("severity")


def name_of(kind: System) -> str:
    """Return the name of a system without its disturbance."""
    return kind.label or "all"


def by_kind(study: SuiteResults) -> dict[tuple[System, tuple[Any, ...]], list[Point]]:
    """Group points by their system without the disturbance, and by channel, bandwidth and SNR."""
    found: dict[tuple[System, tuple[Any, ...]], list[Point]] = {}
    for point in study.points:
        s = point.setting
        where = (s.channel, s.cbr, s.snr_db) if s.sent != "nothing" else (NOWHERE, None, None)
        found.setdefault((kind_of(point), where), []).append(point)
    return found


def robustness_table(study: SuiteResults) -> Table | None:
    """Return the means over all disturbances and severities, as Michaelis et al. define them.

    mPC is the mean performance under corruption: a mean over the severities of each disturbance,
    and over the disturbances without ``jitter``, which is the control. rPC is mPC relative to the
    performance on undisturbed pictures. None if there is nothing but the control.
    """
    if not is_disturbed(study):
        return None
    columns = ("channel", "CBR", "SNR", "system", "score", "clean", "mPC", "rPC", "worst", "cells")
    rows = []
    for (kind, (channel, cbr, snr_db)), points in by_kind(study).items():
        for score in shown_scores(study):
            if score in _OF_MASKS and not looks(points):
                continue
            whole = study.whole(points, score)
            clean = [p.mean(score) for p in whole if not p.setting.disturbance]
            cells: dict[str, list[float]] = {}
            for point in whole:
                value = point.mean(score)
                if point.setting.disturbance not in ("", CONTROL) and value is not None:
                    cells.setdefault(point.setting.disturbance, []).append(value)
            if not cells:
                continue
            means = {name: math.fsum(values) / len(values) for name, values in cells.items()}
            mpc = math.fsum(means.values()) / len(means)
            before = clean[0] if clean else None
            named = naming(score)
            worse = max if named.lower else min
            worst = worse(means, key=lambda name: means[name]) if named.ranked else None
            relative = named.ranked and not named.unit
            ratio = mpc / before if before and relative else None
            count = sum(map(len, cells.values()))
            place = channel, cbr, snr_db, name_of(kind)
            rows.append(
                (*place, short(score), before, mpc, ratio, worst and unpinned(worst), count)
            )
    if not rows:
        return None
    images = len(study.counted["lost"])
    note = left_out(study, shown_scores(study))
    return Table(
        "robustness",
        f"means over disturbances and severities, {images} image{'s' * (images != 1)}",
        "clean: of undisturbed pictures. mPC: mean over the severities of each disturbance, then "
        "over the disturbances; jitter, the control, is left out. rPC: mPC over clean, for scores "
        "that are no decibels. worst: the disturbance of the worst mean. cells: disturbances times "
        f"severities with a value. {note}".strip(),
        columns,
        tuple(rows),
    )


def looks(points: Iterable[Point]) -> bool:
    """Whether masks that were found steer the sender, so that it matters how good they are."""
    return any(not p.setting.blind and p.setting.segmenter != BESIDE for p in points)


def success_table(study: SuiteResults) -> Table | None:
    """Return how often a disturbance or an attack spoils a mask that was good; None without masks.

    A mask is good if its IoU with the true mask is at least 0.5 in the undisturbed picture, and
    spoilt if its IoU with that mask is at most 0.5, or at most 0.1, in the disturbed one.
    """
    if not is_disturbed(study) or IOU_CLEAN not in study.suite["scores"]:
        return None
    rows = []
    for (kind, (channel, cbr, snr_db)), points in by_kind(study).items():
        if not looks(points):
            continue
        clean = [row for p in points if not p.setting.disturbance for row in p.rows]
        good = {row.key for row in clean if (row.mean("iou_truth") or 0.0) >= _GOOD}
        for point in points:
            values = [row.mean(IOU_CLEAN) for row in point.rows if row.key in good]
            known = [value for value in values if value is not None]
            if not known or not point.setting.disturbance:
                continue
            shares = (sum(v <= most for v in known) / len(known) for most in _SPOILT)
            place = channel, cbr, snr_db, name_of(kind)
            what = unpinned(point.setting.disturbance), point.setting.severity
            rows.append((*place, *what, len(known), *shares))
    if not rows:
        return None
    return Table(
        "spoilt",
        "masks that were good and are spoilt",
        "good: an IoU of at least 0.5 with the true mask in the undisturbed picture. IoU ≤ 0.5 and "
        "IoU ≤ 0.1: the shares of these whose IoU with that mask is as low in the disturbed one.",
        (
            *("channel", "CBR", "SNR", "system", "disturbance", "severity", "good"),
            *(f"IoU ≤ {most:g}" for most in _SPOILT),
        ),
        tuple(rows),
    )
