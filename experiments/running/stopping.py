"""The stopping rule: intervals of means over draws of the channel.

A point is a setting. Its mean is over a fixed set of images; only the channel is random. With the
mean ``m_i`` and the variance ``s_i²`` of ``n_i`` draws of image i, the mean over N images has the
standard error ``sqrt(Σ v_i) / N`` with ``v_i = s_i²/n_i``. Its interval is Student's with
``(Σ v_i)² / Σ (v_i²/(n_i - 1))`` degrees of freedom, because the draws of different images vary
differently (F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
Biometrics Bulletin 2, 1946, doi:10.2307/3002019). A picture with several masks is several images
that see the same draws, so that their standard errors are added, and not their variances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from experiments.intervals import Interval, independent_draws, mean_interval, share_interval
from experiments.store.database import Database
from experiments.store.queries import sums_of_setting
from experiments.suites.draws import Draws

NARROW = "narrow enough"
"""Reason of :func:`why_done` that counts once all systems under a condition have a reason."""


def measure(
    database: Database,
    setting: str,
    images: Collection[tuple[str, str]],
    score: str,
    *,
    until: int | None = None,
) -> Interval:
    """Return the interval of a score of one setting over these images.

    Images are given by the SHA-256 of their file and of their mask's file, which is empty if the
    setting uses no mask. An image has no mean if any of its draws has no finite value, such as the
    PSNR of an exact copy.

    ``until`` leaves out draws of later rounds, so that a run that was killed during a round resumes
    as if that round had not begun.
    """
    sums: dict[tuple[str, str], list[float]] = {}
    drawn: Counter[tuple[str, str]] = Counter()
    lost = 0
    for row in sums_of_setting(database, setting, until):
        if row.image in images:
            drawn[row.image] += row.draws
            lost += row.lost
            total = sums.setdefault(row.image, [0.0, 0.0, 0.0])
            for i, value in enumerate(row.sums.get(score, [])):
                total[i] += value
    fewest = min(drawn.values(), default=0)
    if score == "lost" and drawn:
        share = lost / sum(drawn.values())
        known = independent_draws((picture, count) for (picture, _), count in drawn.items())
        return Interval(score, len(drawn), fewest, share, *share_interval(share, known))
    whole = {image: some for image, some in sums.items() if some[0] == drawn[image]}
    pictures = [picture for picture, _ in whole]
    each = [(n, a, b) for n, a, b in whole.values()]
    return mean_interval(score, each, fewest, pictures=pictures)


def why_done(draws: Draws, score: Interval, lost: Interval) -> str:
    """Return the reason why a point needs no more draws; empty if it needs more."""
    if score.draws >= draws.most:
        return "most draws"
    if not draws.stops or score.mean is None or score.low is None or score.high is None:
        return ""
    half = (score.high - score.low) / 2
    allowed = max(draws.within or 0.0, (draws.relative or 0.0) * abs(score.mean))
    if lost.low is None or lost.high is None or (lost.high - lost.low) / 2 > draws.lost_within:
        return ""
    return NARROW if half <= allowed else ""
