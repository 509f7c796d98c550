"""The share of draws of the channel in which a picture is worse than a threshold."""

from __future__ import annotations

import math
from dataclasses import replace

from experiments.store.measured import Point


def outage_of(point: Point, threshold_db: float, score: str = "region_psnr_db") -> float:
    """Return the outage: the share of draws with a score below the threshold.

    A lost picture counts with the score of mid-grey, and an exact copy is above every threshold.
    The share is averaged over the images (:func:`with_region`); NaN without any.
    """
    shares = []
    for row in with_region(point, score).rows:
        short = sum(n for v, n in row.values(score) if v is not None and v < threshold_db)
        shares.append(short / row.draws)
    return math.fsum(shares) / len(shares) if shares else math.nan


def with_region(point: Point, score: str) -> Point:
    """Leave out images whose region is empty, if the score is that of the region.

    They have no such score, which does not mean that their region arrived.
    """
    if "region" not in score:
        return point
    kept = (row for row in point.rows if row.record.get("region_area", 1) > 0)
    return replace(point, rows=tuple(kept))
