"""Bandwidth at equal quality: Bjøntegaard's delta rate (BD-rate).

It is the mean difference of ln(CBR) between two curves over the range of qualities that both reach,
with Akima's interpolation between the points (package ``bjontegaard``; G. Bjøntegaard, VCEG-M33,
2001). The curves are those of the means over the images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bjontegaard
import numpy as np

from experiments.analysis.gains import anchor_name, gain_scores, pairs
from experiments.analysis.papers.published import beside as published
from experiments.analysis.points import conditions, curves, rescore
from experiments.analysis.score_names import fine, naming, short
from experiments.analysis.table import Table
from experiments.store.measured import Point, SuiteResults
from experiments.suites.literature import Curve

LEAST_POINTS = 4  # the interpolation needs that many


@dataclass(frozen=True)
class Rate:
    """The bandwidth of a system relative to the anchor at equal quality."""

    rate: float
    """Mean relative difference in CBR, -1 to infinity."""
    low: float
    high: float
    """Ends of the range of qualities that both reach."""

    @property
    def times(self) -> float:
        """Bandwidth of the anchor divided by the bandwidth of the system."""
        return 1 / (1 + self.rate)


def bd_rate(anchor: Curve, test: Curve) -> Rate | None:
    """Return the difference in rate of ``test`` against ``anchor``, given points (rate, quality).

    The result is None if the ranges of quality do not overlap, or a curve has fewer than four
    points, does not rise, or has a quality that is infinite or a rate that is not above 0.

    Examples
    --------
    >>> anchor = [(1 / 48, 28.0), (1 / 24, 31.0), (1 / 16, 33.0), (1 / 12, 35.0)]
    >>> test = [(rate / 2, quality) for rate, quality in anchor]
    >>> found = bd_rate(anchor, test)
    >>> round(found.rate, 3), round(found.times, 2)
    (-0.5, 2.0)
    """
    for curve in (anchor, test):
        qualities = [quality for _, quality in sorted(curve)]
        if len(curve) < LEAST_POINTS or not (np.diff(qualities) > 0).all():
            return None
        if not np.isfinite(qualities).all() or min(rate for rate, _ in curve) <= 0:
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
    """Compare the points of two systems at equal score; θ-PSNR uses the θ of the second."""
    if score == "theta_psnr_db":
        theta = test[0].setting.scored_theta
        anchor, test = ([rescore(p, theta) for p in line] for line in (anchor, test))
    sign = -1 if naming(score).lower else 1  # quality rises with bandwidth
    found = bd_rate(*(_signed(curve_of(line, score), sign) for line in (anchor, test)))
    if found is None or sign > 0:
        return found
    return Rate(found.rate, -found.high, -found.low)


def _signed(curve: Curve, sign: int) -> Curve:
    return [(rate, sign * quality) for rate, quality in curve]


def curve_of(points: Sequence[Point], score: str) -> Curve:
    """Return the points (mean CBR, mean score) with a value of the score."""
    pairs = [(point.over(score).mean("cbr"), point.mean(score)) for point in points]
    return [(rate, quality) for rate, quality in pairs if rate is not None and quality is not None]


def bd_table(study: SuiteResults) -> Table | None:
    """Return the table of bandwidth at equal quality; None if there are too few bandwidths."""
    rows = []
    for (channel, snr_db), points in conditions(study.points, "channel", "snr_db").items():
        for system, others, score, found in _compare(study, channel, snr_db, points):
            cells: tuple[float | None, ...] = (None,) * 4
            if found is not None:
                cells = (100 * found.rate, found.times, found.low, found.high)
            images = len(study.counted[score])
            place = (channel, snr_db, system, others, short(score))
            rows.append((*place, *cells, images))
    if not rows:
        return None
    caption = (
        f"BD-rate against {anchor_name(study)}: mean difference of ln(CBR) at equal mean score "
        "over the range that both reach (columns from and to), with Akima's interpolation between "
        "the points (package bjontegaard). A cell is empty if the ranges do not overlap, or a "
        "curve does not rise or has fewer than four points over all images. Times: the bandwidth "
        f"of {anchor_name(study)} divided by that of the system, at equal score. Each score is on "
        "its own scale."
    )
    where = ("channel", "SNR", "system", "published", "score")
    columns = (*where, "BD-rate, %", "times", "from", "to", "images")
    title, digits = "Bandwidth at equal quality", fine(gain_scores(study))
    return Table("bd-rate", title, caption, columns, tuple(rows), fine=digits)


def _compare(
    study: SuiteResults, channel: str, snr_db: float, points: Sequence[Point]
) -> Iterator[tuple[str, str | None, str, Rate | None]]:
    """Yield each system and each published scheme, with its rate for each score."""
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
