"""Bandwidth at equal quality: Bjøntegaard's delta rate.

The mean difference of ln(CBR) between two curves over the qualities that both reach, between the
points by Akima's interpolation (package ``bjontegaard``; G. Bjøntegaard, VCEG-M33, 2001). Curves
are those of the means over the images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bjontegaard
import numpy as np

from experiments.analysis.gains import anchor_name, gain_scores, pairs
from experiments.analysis.points import conditions, curves, rescore
from experiments.analysis.published import beside as published
from experiments.analysis.score_names import SHORT
from experiments.analysis.table import Table
from experiments.store.measured import Point, SuiteResults
from experiments.suites.literature import Curve

LEAST_POINTS = 4  # what the interpolation takes


@dataclass(frozen=True)
class Rate:
    """What a system needs at equal quality."""

    rate: float
    """Mean relative difference in CBR, -1 to infinity."""
    low: float
    high: float
    """The qualities that both reach."""

    @property
    def times(self) -> float:
        """How many times the bandwidth of the system the anchor needs."""
        return 1 / (1 + self.rate)


def bd_rate(anchor: Curve, test: Curve) -> Rate | None:
    """Return the difference in rate of ``test`` against ``anchor``, points (rate, quality).

    None where the curves share no quality, have fewer than four points, or do not rise.
    """
    for curve in (anchor, test):
        qualities = [quality for _, quality in sorted(curve)]
        if len(curve) < LEAST_POINTS or not (np.diff(qualities) > 0).all():
            return None
    low = max(min(quality for _, quality in curve) for curve in (anchor, test))
    high = min(max(quality for _, quality in curve) for curve in (anchor, test))
    if low >= high:
        return None
    arrays = [
        np.array(column) for curve in (anchor, test) for column in zip(*sorted(curve), strict=True)
    ]
    found = bjontegaard.bd_rate(
        *arrays, method="akima", require_matching_points=False, min_overlap=0.0
    )
    return Rate(float(found) / 100, low, high)


def bd_rates(anchor: Sequence[Point], test: Sequence[Point], score: str) -> Rate | None:
    """Compare two systems' points at equal score; θ-PSNR is that of the second's θ for both."""
    if score == "theta_psnr_db":
        theta = test[0].setting.theta
        anchor, test = ([rescore(p, theta) for p in line] for line in (anchor, test))
    return bd_rate(curve_of(anchor, score), curve_of(test, score))


def curve_of(points: Sequence[Point], score: str) -> Curve:
    """Return the points (mean CBR, mean score) that have a score."""
    pairs = [(point.over(score).mean("cbr"), point.mean(score)) for point in points]
    return [(rate, quality) for rate, quality in pairs if rate is not None and quality is not None]


def bd_table(study: SuiteResults) -> Table | None:
    """Return the table of bandwidth at equal quality; None where there are too few bandwidths."""
    rows = []
    for (channel, snr_db), points in conditions(study.points, "channel", "snr_db").items():
        for system, others, score, found in _compare(study, channel, snr_db, points):
            cells: tuple[float | None, ...] = (None,) * 4
            if found is not None:
                cells = (100 * found.rate, found.times, found.low, found.high)
            images = len(study.counted[score])
            place = (channel, snr_db, system, others, SHORT[score])
            rows.append((*place, *cells, images))
    if not rows:
        return None
    caption = (
        f"BD-rate against {anchor_name(study)}: mean difference of ln(CBR) at equal mean score, "
        "over the qualities that both reach (columns from and to); Akima's interpolation between "
        "the points (package bjontegaard). Empty where the curves share no quality, do not rise, "
        "or have fewer than four points over all images. "
        f"Times: the bandwidth that {anchor_name(study)} takes for the same."
    )
    where = ("channel", "SNR", "system", "published", "score")
    columns = (*where, "BD-rate, %", "times", "from", "to", "images")
    return Table("bd-rate", "Bandwidth at equal quality", caption, columns, tuple(rows))


def _compare(
    study: SuiteResults, channel: str, snr_db: float, points: Sequence[Point]
) -> Iterator[tuple[str, str | None, str, Rate | None]]:
    """Yield each system, or scheme that others published, with its rate for each score."""
    beside = {id(pair.point): pair.anchor for pair in pairs(study)}
    for line in curves((point for point in points if id(point) in beside), "cbr"):
        if len(line) >= LEAST_POINTS:
            theirs = [beside[id(point)] for point in line]
            for score in gain_scores(study):
                mine = study.whole(line, score)
                rate = bd_rates(study.whole(theirs, score), mine, score) if mine else None
                yield line[0].system, None, score, rate
    anchors = [point for point in points if point.key == study.anchor]
    anchor = curve_of(study.whole(anchors, "psnr_db"), "psnr_db")
    if len(anchor) >= LEAST_POINTS:
        for one in published(study, channel):
            if len(curve := one.over_cbr(snr_db)) >= LEAST_POINTS:
                yield one.name, "yes", "psnr_db", bd_rate(anchor, curve)
