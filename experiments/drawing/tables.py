"""The tables of a study: means, gains, differences to what is published, what was lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

from experiments.drawing.base import Table
from experiments.drawing.gains import anchor_name, gain, gain_scores, pairs
from experiments.drawing.points import common_theta, count_images, drawn, groups
from experiments.drawing.published import beside
from experiments.drawing.scores import SHORT, shown_scores
from experiments.study import Point, Study
from experiments.tables import ratio

PLACE = ("channel", "CBR", "SNR", "system")
"""The first columns: CBR as text, SNR in dB."""
HALF = " ±"
"""Ends the name of the column with half the width of a score's 95 % interval."""


def means_table(study: Study) -> Table:
    """Return the mean of every score at every point."""
    scores = [score for score in shown_scores(study) if score != "lost"]
    halves = drawn(study.points)
    columns = list(PLACE)
    for score in scores:
        columns += [SHORT[score], *[SHORT[score] + HALF] * halves]
    rows = []
    for point in by_condition(study):
        cells: list[Any] = []
        for score in scores:
            cells += [point.mean(score), *[_half(point, score)] * halves]
        lost, draws = sum(row.lost for row in point.rows), sum(row.draws for row in point.rows)
        rows.append((*place(point), *cells, len(point.rows), lost, draws))
    count = count_images(study.points)
    title = f"means of {count} image" + "s" * (count != 1)
    named = tuple(columns)
    return Table(
        "means", title, _caption(study, scores), (*named, "images", "lost", "draws"), tuple(rows)
    )


def _caption(study: Study, scores: list[str]) -> str:
    parts = []
    if drawn(study.points):
        parts.append(
            "±: half of the 95 % interval over the draws of the channel; 0 where all gave the same."
        )
    if "theta_psnr_db" in scores and len({p.setting.theta for p in study.points}) > 1:
        parts.append(f"θ-PSNR at θ = {common_theta(study):g} for all.")
    bounds = dict.fromkeys(p.system for p in study.points if p.setting.bound)
    parts += [f"{name}: as many bits as the capacity carries, never sent." for name in bounds]
    return " ".join(parts)


def _half(point: Point, score: str) -> float | None:
    interval = point.interval(score)
    if interval.low is None or interval.high is None:
        return None
    return (interval.high - interval.low) / 2


def by_condition(study: Study) -> list[Point]:
    """Return all points, those of one channel, CBR and SNR together.

    These are in the order of the system that has most of them, as the suite has them.
    """
    systems = Counter(point.system for point in study.points)
    fullest = sorted(study.points, key=lambda point: -systems[point.system])
    order = list(groups(fullest, "channel", "cbr", "snr_db"))
    found = groups(study.points, "channel", "cbr", "snr_db")
    channels = list(groups(study.points, "channel"))
    order.sort(key=lambda key: channels.index(key[:1]))
    return [point for key in order for point in found[key]]


def place(point: Point) -> tuple[str, str, float, str]:
    """Return the cells of :data:`PLACE`."""
    setting = point.setting
    return setting.channel, ratio(point.cbr_budget), setting.snr_db, point.system


def gains_table(study: Study) -> Table | None:
    """Return what every system gains over the anchor at equal bandwidth; None without any."""
    scores = gain_scores(study)
    beside = {id(pair.point): pair for pair in pairs(study)}
    rows = []
    for point in (point for point in by_condition(study) if id(point) in beside):
        found = [gain(beside[id(point)], score) for score in scores]
        rows.append((*place(point), *(None if one is None else one.mean for one in found)))
    if not rows:
        return None
    caption = "Means over the images of the differences, in dB."
    if "theta_psnr_db" in scores:
        caption += " θ-PSNR at each system's own θ."
    columns = (*PLACE, *(f"{SHORT[score]}, dB" for score in scores))
    return Table(
        "gains", f"against {anchor_name(study)}, at equal bandwidth", caption, columns, tuple(rows)
    )


def differences_table(study: Study) -> Table | None:
    """Return PSNR minus the published, where points coincide; None where nothing does."""
    rows = []
    for point in (point for point in by_condition(study) if not point.setting.bound):
        ours = point.mean("psnr_db")
        for one in beside(study, point.setting.channel):
            theirs = one.at(point.cbr_budget, point.setting.snr_db)
            planned = point.setting.planned_snr_db
            if ours is not None and theirs is not None and planned is None:
                rows.append((*place(point), one.name, theirs, ours - theirs))
    if not rows:
        return None
    caption = "PSNR over the whole image, of which the published know no part that matters more."
    columns = (*PLACE, "published", "its PSNR", "difference")
    return Table("differences", "PSNR minus published, dB", caption, columns, tuple(rows))


def lost_table(study: Study) -> Table | None:
    """Return the points at which pictures were lost; None where none was and no task failed."""
    rows = []
    for point in by_condition(study):
        lost, draws = sum(row.lost for row in point.rows), sum(row.draws for row in point.rows)
        if lost:
            interval = point.interval("lost")
            percent = (100 * lost / draws, *_percent(interval.low), *_percent(interval.high))
            rows.append((*place(point), lost, draws, *percent))
    if not rows and not study.failed:
        return None
    caption = "Draws of which nothing could be shown; 95 % interval (Clopper, Pearson)."
    if study.failed:
        caption += f" Besides, {study.failed} tasks failed and have no row."
    columns = (*PLACE, "lost", "draws", "%", "from", "to")
    return Table("lost", "what was lost", caption, columns, tuple(rows))


def _percent(share: float | None) -> tuple[float | None]:
    return (None if share is None else 100 * share,)
