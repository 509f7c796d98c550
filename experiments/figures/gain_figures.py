"""Figures of gains at equal bandwidth, over bandwidth, SNR and θ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.analysis.gains import Pair, anchor_name, gain, gain_label, gain_scores, pairs
from experiments.analysis.left_out import left_out
from experiments.analysis.points import (
    conditions,
    count_images,
    curves,
    draws_words,
    family_names,
    few,
    steered,
)
from experiments.analysis.tables import THETA_PSNR
from experiments.axis_values import ratio
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import cbr_axis, codec_place, look, snr_axis, where
from experiments.figures.parts.panels import Axis, Line, Panel
from experiments.figures.parts.style import Look, system_look
from experiments.store.measured import Point, SuiteResults
from experiments.suites.setting import Setting


def gain_figures(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw gains over bandwidth, or over the SNR if there is a single bandwidth."""
    shown, note = few(study)
    caption = _caption(shown, note)
    title = "Gain at equal bandwidth"
    found = drawings("gain-cbr", title, caption, _over(shown, "cbr", "snr_db"), width=width)
    if not found:
        panels = _over(shown, "snr_db", "cbr")
        found = drawings("gain-snr", f"{title} over SNR", caption, panels, width=width)
    return found


def gain_theta(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw gains over θ, if it varies."""
    title = "Gain at equal bandwidth over θ"
    return drawings("gain-theta", title, _caption(study), _over_theta(study), width=width)


def _caption(study: SuiteResults, note: str = "") -> str:
    text = f"Gain over {anchor_name(study)} within the same bandwidth."
    images = count_images(study.points)
    if images > 1:
        text += f" Means over {images} images of the difference for each image; bands: ± standard "
        text += "error."
    if words := draws_words(study.points):
        text += f" {words.capitalize()}."
    if "theta_psnr_db" in gain_scores(study):
        text += f" {THETA_PSNR} Each system is compared at its own θ."
    return " ".join(filter(None, (text, note, left_out(study, _scores(study)))))


def _scores(study: SuiteResults) -> list[str]:
    """Return the scores to draw: not that of the whole image if its parts have scores."""
    names = gain_scores(study)
    return [name for name in names if name != "psnr_db"] if len(names) > 1 else names


def _over(study: SuiteResults, axis: str, other: str) -> list[Panel]:
    found = pairs(study)
    beside = {id(pair.point): pair for pair in found}
    panels = []
    for (channel, value), points in conditions(
        (pair.point for pair in found), "channel", other
    ).items():
        x = cbr_axis(points) if axis == "cbr" else snr_axis(points)
        facts = {"channel": channel, other: value}
        for score in _scores(study):
            lines = []
            for line in curves(points, axis):
                places = [p.cbr_budget if axis == "cbr" else p.setting.snr_db for p in line]
                mine = [beside[id(point)] for point in line]
                style = look(study, line[0])
                lines.append(_line(study, mine, score, places, line[0].system, style))
            panels.append(_panel(where(channel, **{other: value}), facts, x, score, lines))
    return panels


def _over_theta(study: SuiteResults) -> list[Panel]:
    found = pairs(study)
    beside = {id(pair.point): pair for pair in found}
    panels = []
    for (channel, snr_db), points in conditions(
        (pair.point for pair in found), "channel", "snr_db"
    ).items():
        facts = {"channel": channel, "snr_db": snr_db}
        lines = _theta_lines(study, points)
        thetas = sorted({point.setting.scored_theta for _, line in lines for point in line})
        x = Axis("theta", "θ", ticks=tuple(thetas))
        styles = _theta_looks(study, [line for _, line in lines])
        for score in _scores(study):
            drawn = [
                _line(
                    study,
                    [beside[id(point)] for point in line],
                    score,
                    [point.setting.scored_theta for point in line],
                    label,
                    style,
                )
                for (label, line), style in zip(lines, styles, strict=True)
            ]
            panels.append(_panel(where(channel, snr_db=snr_db), facts, x, score, drawn))
    return panels


def _theta_lines(study: SuiteResults, points: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    """Return a line for each system and CBR, with its label."""
    budgets = study.axis("cbr")
    names = family_names(study.points)
    lines = []
    for family, line in steered(points).items():
        name = names[family]
        for cbr in budgets:
            some = [point for point in line if point.setting.cbr == cbr]
            some.sort(key=lambda point: point.setting.scored_theta)
            text = f"{name}, CBR {ratio(float(Setting(cbr=cbr).budget))}"
            lines += [(text if len(budgets) > 1 else name, some)] * bool(some)
    return lines


def _theta_looks(study: SuiteResults, lines: Sequence[Sequence[Point]]) -> list[Look]:
    """Return the looks of lines over θ, with a different one for each CBR."""
    if len(study.axis("cbr")) == 1:
        return [look(study, line[0]) for line in lines]
    heads = [line[0] for line in lines]
    kinds = [(p.key.without("theta").without("codec"), p.setting.cbr) for p in heads]
    places = list(dict.fromkeys(kinds))
    return [
        system_look(places.index(kind), colour=codec_place(study, point))
        for kind, point in zip(kinds, heads, strict=True)
    ]


def _panel(
    title: tuple[str, ...],
    facts: dict[str, Any],
    x: Axis,
    score: str,
    lines: Sequence[Line | None],
) -> Panel:
    y = Axis(score, gain_label(score))
    known = tuple(line for line in lines if line is not None)
    return Panel(title, {**facts, "score": score}, x, y, known, base=0.0)


def _line(
    study: SuiteResults,
    pairs: Sequence[Pair],
    score: str,
    places: Sequence[float],
    label: str,
    style: Look,
) -> Line | None:
    """Return the line of gains; None if fewer than two points have a gain over all images."""
    known = [
        (place, one)
        for place, pair in zip(places, pairs, strict=True)
        if len(study.whole((pair.anchor, pair.point), score)) == 2
        and (one := gain(pair, score)) is not None
    ]
    if len({place for place, _ in known}) < 2:
        return None
    error = tuple((one.mean - one.error, one.mean + one.error) for _, one in known)
    x, means = tuple(place for place, _ in known), tuple(one.mean for _, one in known)
    return Line(label, x, means, style, error=error if any(g.error for _, g in known) else ())
