"""What figures and tables call the scores."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.analysis.points import common_theta
from experiments.store.measured import Point, SuiteResults

SHORT = {
    "psnr_db": "PSNR",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "region_psnr_db": "region",
    "background_psnr_db": "rest",
    "theta_psnr_db": "θ-PSNR",
    "lost": "lost",
}
"""For the heads of tables."""
_LONG = {
    **SHORT,
    "region_psnr_db": "region PSNR",
    "background_psnr_db": "background PSNR",
    "lost": "lost, share of draws",
}
GAINS = ("region_psnr_db", "background_psnr_db", "psnr_db", "theta_psnr_db")
"""Scores in dB, of which differences are taken."""


def label(score: str, study: SuiteResults) -> str:
    """Return the label of an axis: name and unit."""
    text = _LONG[score]
    if score == "theta_psnr_db" and len({p.setting.theta for p in study.points}) > 1:
        text = f"{text} (θ = {common_theta(study):g})"
    return f"{text}, dB" if score.endswith("_db") else text


def shown_scores(study: SuiteResults) -> list[str]:
    """Return the suite's scores that have a value.

    Where there is nothing outside of the region, it is the whole image and has no score of its own.
    """
    wanted = [score for score in study.suite["scores"] if has(study.points, score)]
    if not has(study.points, "background_psnr_db") and has(study.points, "psnr_db"):
        wanted = ["psnr_db" if s == "region_psnr_db" else s for s in wanted]
    if not any(row.lost for point in study.points for row in point.rows):
        wanted = [score for score in wanted if score != "lost"]
    return list(dict.fromkeys(wanted))


def has(points: Iterable[Point], score: str) -> bool:
    """Whether any point has a value."""
    return any(point.mean(score) is not None for point in points)
