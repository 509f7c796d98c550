"""The images that a mean is over, which are the same for all systems that are compared.

An image may have no finite value of a score (the PSNR of an exact copy is infinite), or no row (its
task failed or is not done yet). Means over different images cannot be compared, and an exact copy
would then lower a mean instead of raising it. Hence, for each score:

- At one channel, bandwidth and SNR, an image counts if every system there has a value for it.
- An image for which fewer than half of the points have a value does not count anywhere.
- A system with rows for fewer than half of the images does not exclude images for others; its mean
  is over those of the common images that it has.

A system without any value of a score is ignored for that score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from experiments.store.measured import Key, Point
from experiments.suites.value_types import SCORE_NAMES


def align(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points, each with the images that count for each score."""
    counted: list[dict[str, frozenset[Key]]] = [{} for _ in points]
    conditions: dict[tuple[str, str, float], list[int]] = {}
    for i, point in enumerate(points):
        s = point.setting
        conditions.setdefault((s.channel, s.cbr, s.snr_db), []).append(i)
    there = [frozenset(row.key for row in point.rows) for point in points]
    drawn = dict.fromkeys(s for point in points for row in point.rows for s in row.sums)
    for score in dict.fromkeys((*SCORE_NAMES, *drawn)):
        have = [
            frozenset(row.key for row in point.rows if row.mean(score) is not None)
            for point in points
        ]
        tally = Counter(key for keys in have for key in keys)
        some = sum(map(bool, have))
        images = frozenset(key for key, count in tally.items() if 2 * count >= some)
        for places in conditions.values():
            known = [i for i in places if have[i]]
            decide = [i for i in known if 2 * len(there[i] & images) >= len(images)]
            common = images.intersection(*(have[i] for i in decide or known))
            for i in places:
                counted[i][score] = have[i] & common
    return tuple(replace(p, counted=c) for p, c in zip(points, counted, strict=True))
