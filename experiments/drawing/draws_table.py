"""What the draws of the channel make of the squared error, and how often the region is shown."""

from __future__ import annotations

from experiments.drawing.base import Table
from experiments.drawing.points import rescore
from experiments.drawing.tables import PLACE, by_condition, place
from experiments.study import Point, Study


def draws_table(study: Study) -> Table | None:
    """Return a line for each point of many draws; None where there is none.

    The sender minimises the expectation of the squared error, weighted by what it is told matters:
    θ-PSNR at the system's own θ, or PSNR where it is blind.
    """
    rows = []
    for point in by_condition(study):
        score = "psnr_db" if point.setting.blind else "theta_psnr_db"
        point = rescore(point, point.setting.theta)
        expected = point.mean("expected_psnr_db")
        if expected is not None and min(row.draws for row in point.rows) > 1 and _plain(point):
            shown = 100 * (1 - point.outage(float(study.suite["shown_db"])))
            error, mean = point.psnr_of_mean_error(score), point.mean(score)
            rows.append((*place(point), expected, error, mean, shown))
    if not rows:
        return None
    columns = (*PLACE, "expected", "simulated", "mean", "shown, %")
    caption = (
        "Expected: PSNR of the expected error, by the channel's law and the measured thresholds; "
        "simulated: of the mean error over the draws, in which few lost pictures weigh much; mean: "
        "of the decibels. θ-PSNR at the system's θ, PSNR where it is blind, in dB. Shown: draws "
        f"with a region PSNR of at least {study.suite['shown_db']:g} dB."
    )
    return Table("draws", "over the draws of the channel", caption, columns, tuple(rows))


def _plain(point: Point) -> bool:
    """Whether what the sender minimises is one of the scores."""
    score = "psnr_db" if point.setting.blind else "theta_psnr_db"
    told = point.setting.blind or point.setting.importance == "region"
    return told and point.mean(score) is not None
