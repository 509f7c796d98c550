"""Names, units and directions of the scores in figures and tables."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from experiments.analysis.points import common_theta
from experiments.store.measured import Point, SuiteResults
from semcom.errors import InputError
from semcom.scores.base import ALWAYS, SCORES

_SHORT = {
    "clean_psnr_db": "PSNR to clean",
    "clean_region_psnr_db": "region to clean",
    "iou_truth": "IoU",
    "iou_clean": "IoU to clean",
    "boundary_f": "boundary F",
    "f_beta": "Fβ",
    "mae": "MAE",
    "ber": "BER",
    "iou_mirrored": "mirrored IoU",
    "mask_area": "area",
    "lost": "lost",
}
"""Short names of the scores that are no plug-ins."""
_LONG = {
    "region_psnr_db": "region PSNR",
    "background_psnr_db": "background PSNR",
    "clean_psnr_db": "PSNR against the clean picture",
    "clean_region_psnr_db": "region PSNR against the clean picture",
    "iou_truth": "IoU with the true mask",
    "iou_clean": "IoU with the mask of the clean picture",
    "boundary_f": "F-measure of boundaries",
    "f_beta": "F-beta (β² = 0.3)",
    "mae": "mean absolute error of the mask",
    "ber": "balanced error rate of the mask",
    "iou_mirrored": "IoU with the mirrored true mask",
    "mask_area": "area of the mask, share of the frame",
    "lost": "lost, share of draws",
}
"""Longer names, for axes and sentences."""
_ERRORS = ("mae", "ber", "lost")
"""Scores that are no plug-ins, and better if they are lower."""
_NEITHER = ("mask_area", "iou_mirrored")
"""Scores that are neither better nor worse if they are higher."""
GAINS = (
    "region_psnr_db",
    "background_psnr_db",
    "psnr_db",
    "theta_psnr_db",
    "clean_psnr_db",
    "clean_region_psnr_db",
)
"""Scores in dB for which gains are always computed."""
LOWER = " ↓"
"""Behind the name of a score of which lower values are better."""


@dataclass(frozen=True)
class Naming:
    """How a score is shown."""

    short: str
    """For the heads of tables."""
    long: str
    """For axes and sentences, without the unit."""
    unit: str
    """``"dB"``, or empty."""
    lower: bool = False
    """Whether lower values are better."""
    ranked: bool = True
    """Whether higher values are better, or lower ones: neither holds for the area of a mask."""
    digits: int = 2
    """Decimals."""

    @property
    def with_unit(self) -> str:
        """The short name and the unit, for gains."""
        return f"{self.short}, {self.unit}" if self.unit else self.short


@functools.lru_cache(maxsize=256)
def naming(score: str) -> Naming:
    """Return how a score is shown; a plug-in that is not installed here goes by its own name.

    Examples
    --------
    >>> naming("psnr_db").with_unit, naming("mask_iou:segmenter=graph").short
    ('PSNR, dB', 'mask IoU (segmenter=graph)')
    >>> naming("gmsd").short, naming("gmsd").digits
    ('GMSD ↓', 4)
    """
    decibels = "dB" if score.endswith("_db") else ""
    if score in _SHORT:
        lower, ranked = score in _ERRORS, score not in _NEITHER
        text = _SHORT[score] + LOWER * (lower and score != "lost")
        return Naming(text, _LONG.get(score, score), decibels, lower, ranked)
    name, _, options = score.partition(":")
    with contextlib.suppress(InputError):
        plugin = SCORES.load(name)
        lower = plugin.better == "lower"
        short = plugin.label + (f" ({options})" if options else "") + LOWER * lower
        coarse = plugin.unit or 10 < plugin.range[1] < math.inf
        digits = 2 if coarse else 4
        return Naming(short, _LONG.get(score, short), plugin.unit, lower, digits=digits)
    return Naming(score, score, decibels, digits=2 if decibels else 4)


def short(score: str) -> str:
    """Return the short name of a score, for the heads of tables."""
    return naming(score).short


def fine(scores: Iterable[str]) -> frozenset[str]:
    """Return the short names of the scores that are shown with four decimals."""
    return frozenset(naming(score).short for score in scores if naming(score).digits > 2)


def lower(scores: Iterable[str]) -> frozenset[str]:
    """Return the short names of the scores of which lower values are better."""
    return frozenset(naming(score).short for score in scores if naming(score).lower)


def unranked(scores: Iterable[str]) -> frozenset[str]:
    """Return the short names of the scores of which no value is better than another."""
    return frozenset(naming(score).short for score in scores if not naming(score).ranked)


def label(score: str, study: SuiteResults) -> str:
    """Return the label of an axis, with its unit."""
    about = naming(score)
    text = about.long
    if score == "theta_psnr_db" and len({p.setting.theta for p in study.points}) > 1:
        text = f"{text} (θ = {common_theta(study):g})"
    return f"{text}, {about.unit}" if about.unit else text


def shown_scores(study: SuiteResults) -> list[str]:
    """Return the scores of the suite that have a value.

    If the region is the whole image, it has no score of its own, and PSNR replaces it.
    """
    wanted = [score for score in study.suite["scores"] if has(study.points, score)]
    if not has(study.points, "background_psnr_db") and has(study.points, "psnr_db"):
        wanted = ["psnr_db" if s == "region_psnr_db" else s for s in wanted]
    if not any(row.lost for point in study.points for row in point.rows):
        wanted = [score for score in wanted if score != "lost"]
    return list(dict.fromkeys(wanted))


def further_scores(study: SuiteResults) -> list[str]:
    """Return the scores with a value that are computed only because the suite asks for them."""
    known = {*ALWAYS, *_SHORT}
    return [score for score in shown_scores(study) if score not in known]


def has(points: Iterable[Point], score: str) -> bool:
    """Whether any point has a value of the score."""
    return any(point.mean(score) is not None for point in points)
