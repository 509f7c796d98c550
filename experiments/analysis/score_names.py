"""Names of the scores in figures and tables."""

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
"""Short names, for the heads of tables."""
_LONG = {
    **SHORT,
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
GAINS = (
    "region_psnr_db",
    "background_psnr_db",
    "psnr_db",
    "theta_psnr_db",
    "clean_psnr_db",
    "clean_region_psnr_db",
)
"""Scores in dB for which gains are computed."""


def label(score: str, study: SuiteResults) -> str:
    """Return the label of an axis, with its unit."""
    text = _LONG[score]
    if score == "theta_psnr_db" and len({p.setting.theta for p in study.points}) > 1:
        text = f"{text} (θ = {common_theta(study):g})"
    return f"{text}, dB" if score.endswith("_db") else text


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


def has(points: Iterable[Point], score: str) -> bool:
    """Whether any point has a value of the score."""
    return any(point.mean(score) is not None for point in points)
