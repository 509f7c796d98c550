"""When a point has been measured: intervals of means over draws of the channel.

A point is a setting. Its mean is over the images, which are what they are; what is random is the
channel. With the mean ``m_i`` and the variance ``s_i²`` of ``n_i`` draws of image i, the mean over
N images has the standard error ``sqrt(Σ v_i) / N`` with ``v_i = s_i²/n_i``. Its interval is
Student's with ``(Σ v_i)² / Σ (v_i²/(n_i - 1))`` degrees of freedom: images differ in how much their
draws vary (F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
Biometrics Bulletin 2, 1946, doi:10.2307/3002019).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from experiments.counts import Count
from experiments.database import Database
from experiments.draws import Draws

CONFIDENCE = 0.95
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """The mean over draws of one score."""

    score: str
    images: int
    draws: int
    """Of each image; the fewest."""
    mean: float | None
    low: float | None
    high: float | None
    """None where the draws do not tell: a single one, or no finite value."""


def mean_interval(
    score: str,
    sums: Sequence[tuple[float, float, float]],
    draws: int,
    *,
    weights: Sequence[float] | None = None,
) -> Interval:
    """Return the interval of a mean over images.

    Parameters
    ----------
    score
        Its name.
    sums
        Of each image: draws with a value, their sum and their sum of squares.
    draws
        Of each image.
    weights
        How often each image counts; once unless given.
    """
    each = zip(weights or [1.0] * len(sums), sums, strict=True)
    known = [(weight, n, total, squares) for weight, (n, total, squares) in each if n]
    if not known:
        return Interval(score, 0, draws, None, None, None)
    whole = math.fsum(weight for weight, *_ in known)
    mean = math.fsum(weight * (total / n) for weight, n, total, _ in known) / whole
    if any(n < 2 for _, n, *_ in known):
        return Interval(score, len(known), draws, mean, None, None)
    variances = [
        weight**2 * (_spread(n, total / n, squares) / (n - 1) / n)
        for weight, n, total, squares in known
    ]
    total_variance = math.fsum(variances)
    half = 0.0
    if total_variance:
        shares = (
            (v / total_variance) ** 2 / (n - 1)
            for v, (_, n, *_) in zip(variances, known, strict=True)
        )
        from scipy.stats import t as student  # takes most of a second to import

        factor = float(student.ppf((1 + CONFIDENCE) / 2, 1 / math.fsum(shares)))
        half = factor * math.sqrt(total_variance) / whole
    return Interval(score, len(known), draws, mean, mean - half, mean + half)


def _spread(n: float, mean: float, squares: float) -> float:
    """Sum of squared deviations; nothing where rounding alone may have left it."""
    spread = squares - n * mean * mean
    return spread if spread > _ROUNDING * squares else 0.0


def lost_interval(lost: int, draws: int, images: int) -> Interval:
    """Return the interval of the share of pictures of which nothing arrived (Clopper, Pearson)."""
    trials = draws * images
    count = Count(trials, lost, trials, lost)
    low, high = count.interval(CONFIDENCE)
    return Interval("lost", images, draws, count.rate, low, high)


def measure(
    database: Database,
    setting: str,
    images: Collection[tuple[str, str]],
    score: str,
    *,
    until: int | None = None,
) -> Interval:
    """Return the interval of a score of one setting over these images.

    They are known by the SHA-256 of their file and of the mask's, empty where the setting takes no
    mask. One of which any draw has no finite value, as an exact copy has none, has no mean.

    ``until`` leaves out draws of later rounds: a run that was killed among them goes on as if it
    had not begun with them.
    """
    sums: dict[tuple[str, str], list[float]] = {}
    drawn: Counter[tuple[str, str]] = Counter()
    lost = 0
    sql = "SELECT image, mask, draws, lost, sums FROM rows WHERE setting = ? AND first + draws <= ?"
    end = 2**53 if until is None else until
    for *key, draws, gone, text in database.query(sql, (setting, end)):
        image = key[0], key[1]
        if image in images:
            drawn[image] += draws
            lost += gone
            total = sums.setdefault(image, [0.0, 0.0, 0.0])
            for i, value in enumerate(json.loads(text).get(score, [])):
                total[i] += value
    fewest = min(drawn.values(), default=0)
    if score == "lost" and drawn:
        one = lost_interval(lost, sum(drawn.values()), 1)
        return Interval(score, len(drawn), fewest, one.mean, one.low, one.high)
    known = [(n, a, b) for image, (n, a, b) in sums.items() if n == drawn[image]]
    return mean_interval(score, known, fewest)


def why_done(draws: Draws, score: Interval, lost: Interval) -> str:
    """Say why a point needs no more draws; empty where it does."""
    if score.draws >= draws.most:
        return "most draws"
    if not draws.stops or score.mean is None or score.low is None or score.high is None:
        return ""
    half = (score.high - score.low) / 2
    allowed = max(draws.within or 0.0, (draws.relative or 0.0) * abs(score.mean))
    if lost.low is None or lost.high is None or (lost.high - lost.low) / 2 > draws.lost_within:
        return ""
    return "narrow enough" if half <= allowed else ""
