"""What systems gain against the anchor at equal bandwidth, paired image by image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.drawing.base import Drawing
from experiments.drawing.figure import drawings
from experiments.drawing.lines import cbr_axis, look, snr_axis, where
from experiments.drawing.panels import Axis, Line, Panel
from experiments.drawing.points import conditions, count_images, curves, few, rescore, steered
from experiments.drawing.scores import GAINS, has
from experiments.drawing.style import system_look
from experiments.setting import Setting
from experiments.study import Point, Study
from experiments.tables import ratio

_LABELS = {
    "region_psnr_db": "region",
    "background_psnr_db": "background",
    "psnr_db": "PSNR",
    "theta_psnr_db": "θ-PSNR",
}


@dataclass(frozen=True)
class Gain:
    """The mean over the images of a difference in dB."""

    mean: float
    error: float
    """Standard error over the images; 0 for a single one."""


def gain(anchor: Point, point: Point, score: str) -> Gain | None:
    """Return what a point gains over the anchor's; None without an image that both have.

    θ-PSNR is that of the point's θ for both.
    """
    if score == "theta_psnr_db":
        theta = point.setting.theta
        anchor, point = rescore(anchor, theta), rescore(point, theta)
    theirs = {row.image: row.mean(score) for row in anchor.rows}
    pairs = [(row.mean(score), theirs.get(row.image)) for row in point.rows]
    found = [a - b for a, b in pairs if a is not None and b is not None]
    if not found:
        return None
    error = float(np.std(found, ddof=1)) / math.sqrt(len(found)) if len(found) > 1 else 0.0
    return Gain(math.fsum(found) / len(found), error)


def anchors(study: Study) -> dict[tuple[str, str, float], Point]:
    """Return the anchor's points by channel, CBR and SNR."""
    found: dict[tuple[str, str, float], Point] = {}
    for point in study.points:
        if point.system == study.anchor:
            found.setdefault(condition(point), point)
    return found


def condition(point: Point) -> tuple[str, str, float]:
    """Return channel, CBR and SNR."""
    setting = point.setting
    return setting.channel, setting.cbr, setting.snr_db


def compared(study: Study) -> list[Point]:
    """Return the points that have one of the anchor beside them; bounds are no systems."""
    known = anchors(study)
    return [
        point
        for point in study.points
        if point.system != study.anchor and not point.setting.bound and condition(point) in known
    ]


def gain_scores(study: Study) -> list[str]:
    """Return the scores in dB of which differences are taken."""
    names = GAINS if has(study.points, "background_psnr_db") else ("psnr_db",)
    return [name for name in names if has(study.points, name)]


def gain_figures(study: Study, *, width: float) -> list[Drawing]:
    """Draw gains over bandwidth, over the SNR and over θ, each where it varies."""
    lines, note = few(study)
    found = []
    for axis, other, title in (
        ("cbr", "snr_db", "Gain at equal bandwidth"),
        ("snr_db", "cbr", "Gain at equal bandwidth over SNR"),
    ):
        panels = _over(lines, axis, other)
        name = f"gain-{axis.removesuffix('_db')}"
        found += drawings(name, title, _caption(study, note), panels, width=width)
    title = "Gain at equal bandwidth over θ"
    return found + drawings("gain-theta", title, _caption(study), _over_theta(study), width=width)


def _caption(study: Study, note: str = "") -> str:
    points = compared(study)
    text = f"Against {study.anchor}, both allowed the same bandwidth."
    count = count_images(points)
    if count > 1:
        text += f" Means over {count} images of each image's difference; bands: ± standard error."
    if "theta_psnr_db" in gain_scores(study):
        text += " θ-PSNR at the θ of the system that is compared."
    return f"{text} {note}".strip()


def _figure_scores(study: Study) -> list[str]:
    """Return those that figures show: the whole image's is told by its parts."""
    names = gain_scores(study)
    return [name for name in names if name != "psnr_db"] if len(names) > 1 else names


def _over(study: Study, axis: str, other: str) -> list[Panel]:
    known = compared(study)
    panels = []
    for (channel, value), points in conditions(study, "channel", other).items():
        mine = [point for point in points if point in known]
        x = cbr_axis(mine) if axis == "cbr" else snr_axis(mine)
        title = where(channel, **{other: value})
        for score in _figure_scores(study):
            lines = [_line(study, line, score, axis) for line in curves(mine, axis)]
            facts = {"channel": channel, other: value, "score": score}
            panels.append(_panel(title, facts, x, score, lines))
    return panels


def _line(study: Study, points: Sequence[Point], score: str, axis: str) -> Line | None:
    x = [p.cbr_budget if axis == "cbr" else p.setting.snr_db for p in points]
    return _gains(study, points, score, x, points[0].system, look(study, points[0]))


def _over_theta(study: Study) -> list[Panel]:
    known = compared(study)
    budgets = study.axis("cbr")
    panels = []
    for (channel, snr_db), points in conditions(study, "channel", "snr_db").items():
        mine = [point for point in points if point in known]
        title = where(channel, snr_db=snr_db)
        for score in _figure_scores(study):
            lines = []
            for place, (name, line) in enumerate(steered(mine).items()):
                for cbr in budgets:
                    some = [point for point in line if point.setting.cbr == cbr]
                    some.sort(key=lambda point: point.setting.theta)
                    one = f"CBR {ratio(float(Setting(cbr=cbr).budget))}"
                    label = f"{name}, {one}" if len(budgets) > 1 else name
                    style = system_look(place * len(budgets) + budgets.index(cbr))
                    x = [point.setting.theta for point in some]
                    lines.append(_gains(study, some, score, x, label, style))
            facts = {"channel": channel, "snr_db": snr_db, "score": score}
            panels.append(_panel(title, facts, Axis("theta", "θ"), score, lines))
    return panels


def _panel(
    title: str, facts: dict[str, object], x: Axis, score: str, lines: Sequence[Line | None]
) -> Panel:
    y = Axis(score, f"{_LABELS[score]} gain, dB")
    return Panel(title, facts, x, y, tuple(line for line in lines if line is not None), base=0.0)


def _gains(
    study: Study,
    points: Sequence[Point],
    score: str,
    x: Sequence[float],
    label: str,
    style: dict[str, object],
) -> Line | None:
    """Return the line of gains; None where fewer than two places have one."""
    known = anchors(study)
    found = [gain(known[condition(point)], point, score) for point in points]
    pairs = [(place, one) for place, one in zip(x, found, strict=True) if one is not None]
    if len({place for place, _ in pairs}) < 2:
        return None
    error = tuple((one.mean - one.error, one.mean + one.error) for _, one in pairs)
    places, means = tuple(p for p, _ in pairs), tuple(one.mean for _, one in pairs)
    errors = error if any(one.error for _, one in pairs) else ()
    return Line(label, places, means, style, error=errors)
