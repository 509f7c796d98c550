"""The tables of means, gains, and losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from experiments.analysis.choice.best_of import about_best
from experiments.analysis.gains import anchor_name, gain, gain_scores, pairs
from experiments.analysis.points import common_theta, conditions, drawn, draws_words, groups
from experiments.analysis.score_names import (
    LOWER,
    fine,
    lower,
    naming,
    short,
    shown_scores,
    unranked,
)
from experiments.analysis.table import Table
from experiments.axis_values import ratio
from experiments.store.measured import Point, SuiteResults

PLACE = ("channel", "CBR", "SNR", "system")
"""The first columns; CBR is text, SNR is in dB."""
NOWHERE = "none"
"""Channel of deliveries of nothing."""
HALF = " ±"
"""Suffix of the column with the half-width of a score's 95 % interval."""
COUNT = " images"
"""Suffix of the column with the number of images that a score's mean is over; the column exists
only if that number differs from the row's."""
CHOSEN = "best"
"""Column with the value that won where a system is the best of several."""

EXACT = "An exact copy has no finite PSNR, so its image counts for no system at that point."


THETA_PSNR = "θ-PSNR weighs the mean squared error by θ in the region and by 1-θ outside."


def means_table(study: SuiteResults) -> Table:
    """Return the table with the mean of every score at every point."""
    scores = [score for score in shown_scores(study) if score != "lost"]
    halves = drawn(study.points)
    chosen = any(point.chosen[0] for point in study.points)
    counts = {score: [len(point.means(score)) for point in study.points] for score in scores}
    every = [len(point.over("lost").rows) for point in study.points]
    columns = list(PLACE)
    for score in scores:
        name = short(score)
        columns += [name, *[name + HALF] * halves, *[name + COUNT] * (counts[score] != every)]
    rows = []
    for point in by_condition(study):
        cells: list[Any] = []
        for score in scores:
            cells += [point.mean(score), *[_half(point, score)] * halves]
            cells += [len(point.means(score))] * (counts[score] != every)
        cells += [point.chosen[0]] * chosen
        rows.append((*place(point), *cells, len(point.over("lost").rows), *_tally(point)))
    images = len(study.counted["lost"])
    base = f"means of {images} image" + "s" * (images != 1)
    columns += [*[CHOSEN] * chosen, "images", "lost", "exact", "draws"]
    return Table(
        "means",
        _titled(base, study.points),
        _caption(study, scores, fewer=any(numbers != every for numbers in counts.values())),
        tuple(columns),
        tuple(rows),
        scores=tuple(map(short, scores)),
        fine=fine(scores),
        lower=lower(scores),
        unranked=unranked(scores),
        bounds=frozenset(point.system for point in study.points if point.setting.bound),
        titles=titles(base, study),
    )


def _tally(point: Point) -> tuple[int, int, int]:
    """Return the numbers of lost draws, of exact copies, and of all draws."""
    tasks = point.over("lost").tasks
    return sum(r.lost for r in tasks), sum(r.exact for r in tasks), sum(r.draws for r in tasks)


def _titled(base: str, points: Iterable[Point]) -> str:
    return ", ".join(filter(None, (base, draws_words(points))))


def titles(base: str, study: SuiteResults) -> dict[str, str]:
    """Return the title of each channel's part of a table, if there are several channels."""
    found = groups(study.points, "channel")
    if len(found) == 1:
        return {}
    return {channel: _titled(f"{base}, {channel}", points) for (channel,), points in found.items()}


def _caption(study: SuiteResults, scores: list[str], *, fewer: bool) -> str:
    parts = []
    if drawn(study.points):
        parts.append(
            "±: half-width of the 95 % interval over the draws of the channel (realisations of "
            "fading and noise); 0 if all draws gave the same score."
        )
    if any(p.setting.random and r.draws == 1 for p in study.points for r in p.rows):
        parts.append(
            "A single draw of a random gain says little about the mean: another seed gives other "
            "numbers."
        )
    if fewer:
        parts.append("In brackets: the number of images that a mean is over, if it is not all.")
    images = study.counted["lost"]
    if (pictures := len({image for image, _ in images})) < len(images):
        parts.append(f"{len(images)} masks of {pictures} picture{'s' * (pictures > 1)}.")
    if any(row.exact for point in study.points for row in point.rows):
        parts.append(EXACT)
    if "theta_psnr_db" in scores and len({p.setting.theta for p in study.points}) > 1:
        parts.append(f"θ-PSNR at θ = {common_theta(study):g} for all systems.")
    if "theta_psnr_db" in scores:
        parts.append(THETA_PSNR)
    if lower(scores):
        parts.append(f"{LOWER.strip()}: lower is better.")
    bounds = dict.fromkeys(p.system for p in study.points if p.setting.bound)
    parts += [about for about in [about_best(study)] if about]
    parts += [
        f"{name}: decoded from as many bits as the capacity carries, which no link can send."
        for name in bounds
    ]
    return " ".join(parts)


def _half(point: Point, score: str) -> float | None:
    interval = point.interval(score)
    if interval.low is None or interval.high is None:
        return None
    return (interval.high - interval.low) / 2


def by_condition(study: SuiteResults) -> list[Point]:
    """Return all points, grouped by channel, SNR and CBR.

    Numbers ascend, but SNRs with more CBRs, such as a sweep of the bandwidth, come first.
    """
    found = conditions(study.points, "channel", "snr_db", "cbr")
    cbrs = Counter(key[:2] for key in found)
    channels = list(dict.fromkeys(key[0] for key in found))
    order = sorted(found, key=lambda key: (channels.index(key[0]), -cbrs[key[:2]]))
    return [point for key in order for point in found[key]]


def place(point: Point) -> tuple[str, str | None, float | None, str]:
    """Return the cells of the columns :data:`PLACE`, without CBR and SNR if nothing is sent."""
    setting = point.setting
    if setting.sent == "nothing":
        return NOWHERE, None, None, point.system
    return setting.channel, ratio(point.cbr_budget), setting.snr_db, point.system


def gains_table(study: SuiteResults) -> Table | None:
    """Return the table of gains over the anchor at equal bandwidth; None if there are none."""
    if not (scores := gain_scores(study)):
        return None
    found = {id(pair.point): [gain(pair, score) for score in scores] for pair in pairs(study)}
    points = [point for point in by_condition(study) if id(point) in found]
    if not points:
        return None
    names = tuple(naming(score).with_unit for score in scores)
    every = [len(point.over("lost").rows) for point in points]
    counts = [[gain.images if gain else 0 for gain in found[id(point)]] for point in points]
    fewer = [list(column) != every for column in zip(*counts, strict=True)]
    rows = []
    for point, images, numbers in zip(points, every, counts, strict=True):
        cells: list[Any] = []
        for one, number, said in zip(found[id(point)], numbers, fewer, strict=True):
            cells += [None if one is None else one.mean, *[number] * said]
        rows.append((*place(point), *cells, images))
    caption = "Means over the images of the difference for each image."
    if words := draws_words(study.points):
        caption += f" {words.capitalize()}."
    if "theta_psnr_db" in scores:
        caption += f" {THETA_PSNR} Each system is compared at its own θ."
    columns = list(PLACE)
    for name, said in zip(names, fewer, strict=True):
        columns += [name, *[name + COUNT] * said]
    anchor = anchor_name(study)
    return Table(
        "gains",
        f"against {anchor}, at equal bandwidth",
        caption,
        (*columns, "images"),
        tuple(rows),
        scores=names,
        fine=fine(scores),
        lower=lower(scores),
        unranked=unranked(scores),
        anchor=anchor,
    )


def lost_table(study: SuiteResults) -> Table | None:
    """Return the table of lost pictures; None if none was lost and no task failed."""
    rows = []
    for point in by_condition(study):
        lost, _, draws = _tally(point)
        if lost:
            interval = point.interval("lost")
            percent = (100 * lost / draws, *_percent(interval.low), *_percent(interval.high))
            rows.append((*place(point), lost, draws, *percent))
    if not rows and not study.failed:
        return None
    parts = ["Draws in which everything was lost; 95 % interval (Clopper, Pearson)."] * bool(rows)
    if study.failed:
        one = study.failed == 1
        parts.append(
            f"{study.failed} task{'s' * (not one)} failed and {'has' if one else 'have'} no row."
        )
    columns = (*PLACE, "lost", "draws", "%", "from", "to")
    named = titles("lost pictures", study)
    caption = " ".join(parts)
    return Table("lost", "lost pictures", caption, columns, tuple(rows), titles=named)


def _percent(share: float | None) -> tuple[float | None]:
    return (None if share is None else 100 * share,)
