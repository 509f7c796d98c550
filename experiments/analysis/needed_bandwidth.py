"""The bandwidth at which a receiver's task succeeds: where a score reaches 90 % of its best.

It is for scores from 0 to 1 of which the original itself has 1. The bandwidth is the least from
which on the mean over the images stays at 0.9 or above, with ln(CBR) interpolated linearly between
the two points around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.analysis.bd_rate import curve_of
from experiments.analysis.points import conditions, curves, draws_words
from experiments.analysis.score_names import further_scores, naming, short, shown_scores
from experiments.analysis.table import Table
from experiments.axis_values import ratio
from experiments.store.measured import Point, SuiteResults
from experiments.suites.literature import Curve
from semcom.errors import InputError
from semcom.scores.base import SCORES

SHARE = 0.9
LEAST_POINTS = 2


@dataclass(frozen=True)
class Needed:
    """The bandwidth that a system needs for a task."""

    channel: str
    snr_db: float
    score: str
    system: str
    point: Point
    """The first point of the curve, for the look of the system."""
    cbr: float | None
    """Least CBR at which the score is 0.9; None if no bandwidth of the suite suffices."""
    at_most: bool
    """Whether the least bandwidth of the suite suffices already, so that less might."""
    images: int


def needed(study: SuiteResults) -> Iterator[Needed]:
    """Yield the bandwidth that each system needs for each score from 0 to 1."""
    scores = [score for score in shown_scores(study) if _is_share(score)]
    if not set(scores) & set(further_scores(study)):
        return
    for (channel, snr_db), points in conditions(study.points, "channel", "snr_db").items():
        for score in scores:
            for line in curves(points, "cbr"):
                whole = study.whole(line, score)
                curve = curve_of(whole, score)
                if len(curve) >= LEAST_POINTS:
                    cbr, at_most = least(curve)
                    images = len(study.counted[score])
                    yield Needed(
                        channel, snr_db, score, line[0].system, line[0], cbr, at_most, images
                    )


def least(curve: Curve) -> tuple[float | None, bool]:
    """Return the least rate from which on the quality stays at 0.9, and whether it is the first.

    Examples
    --------
    >>> rate, first = least([(0.01, 0.5), (0.04, 1.0), (0.08, 1.0)])
    >>> round(rate, 4), first
    (0.0303, False)
    >>> least([(0.01, 0.95), (0.04, 1.0)]), least([(0.01, 0.5), (0.04, 0.8)])
    ((0.01, True), (None, False))
    """
    points = sorted(curve)
    short_of = [i for i, (_, quality) in enumerate(points) if quality < SHARE]
    if not short_of:
        return points[0][0], True
    last = short_of[-1]
    if last + 1 == len(points):
        return None, False
    (low, below), (high, above) = points[last], points[last + 1]
    part = (SHARE - below) / (above - below)
    return math.exp(math.log(low) + part * (math.log(high) - math.log(low))), False


def needed_table(study: SuiteResults) -> Table | None:
    """Return the table of needed bandwidths; None if the suite has no task."""
    found = list(needed(study))
    if not found:
        return None
    blind = {(n.channel, n.snr_db, n.score): n for n in found if n.point.key == study.anchor}
    rows = []
    for one in found:
        other = blind.get((one.channel, one.snr_db, one.score))
        times = None
        bound = one.at_most or (other is not None and other.at_most)
        if other is not None and other.cbr is not None and one.cbr is not None and not bound:
            times = other.cbr / one.cbr
        text = "more" if one.cbr is None else ("≤ " * one.at_most) + _ratio(one.cbr)
        place = (one.channel, one.snr_db, short(one.score), one.system)
        rows.append((*place, text, one.cbr, times, one.images))
    columns = ("channel", "SNR", "score", "system", "needed CBR", "CBR", "times", "images")
    return Table(
        "needed",
        f"Bandwidth to {100 * SHARE:.0f} % of the best score",
        caption(study),
        columns,
        tuple(rows),
    )


def caption(study: SuiteResults) -> str:
    """Return the sentence that explains the table and the figure."""
    text = (
        f"The least CBR from which on the mean score stays at {SHARE:g} of 1, which the original "
        "has, interpolated between the points in ln(CBR). ≤: the smallest bandwidth of the suite "
        "is enough; more: the largest is not. times: the anchor's bandwidth over the "
        "system's, where neither is a bound."
    )
    words = draws_words(study.points)
    return f"{text} {words.capitalize()}." if words else text


def _ratio(cbr: float) -> str:
    return ratio(cbr) if 1 / cbr == round(1 / cbr) else f"1/{1 / cbr:.0f}"


def _is_share(score: str) -> bool:
    """Whether a score goes from 0 to 1 and is best at 1."""
    try:
        low, high = SCORES.load(score.partition(":")[0]).range
    except InputError:
        return False
    return high == 1 and low in (0, -1) and not naming(score).lower
