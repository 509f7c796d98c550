"""Figures of scores over bandwidth and over the SNR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.analysis.choice.best_of import about_best
from experiments.analysis.left_out import left_out
from experiments.analysis.papers.published import beside
from experiments.analysis.points import conditions, curves, few
from experiments.analysis.score_names import label, shown_scores
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import about, cbr_axis, mean_line, snr_axis, where
from experiments.figures.parts.panels import Axis, Panel
from experiments.figures.published_lines import NOTE, published_lines
from experiments.store.measured import Point, SuiteResults
from experiments.suites.literature import PUBLISHED_SCORES, Curve, Published
from experiments.suites.setting import Setting


def rate_distortion(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw scores over bandwidth, with a panel for each channel, SNR and score."""
    study, note = few(study)
    panels = []
    for (channel, snr_db), points in conditions(study.points, "channel", "snr_db").items():
        others = beside(study, channel)
        ticks = [x for one in others for x, _ in one.over_cbr(snr_db)]
        published = {
            score: [(one, one.over_cbr(snr_db, score)) for one in others]
            for score in PUBLISHED_SCORES
        }
        facts = {"channel": channel, "snr_db": snr_db}
        title = where(channel, snr_db=snr_db)
        axis = cbr_axis(points, ticks)
        panels += score_panels(study, points, axis, title, facts, published)
    return _finish(study, panels, "rate-distortion", "Quality against bandwidth", note, width)


def quality_snr(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw scores over the SNR, with a panel for each channel, bandwidth and score.

    A dotted vertical line marks the SNR that the sender planned for, if it is not the channel's.
    """
    study, note = few(study)
    panels = []
    for (channel, cbr), points in conditions(study.points, "channel", "cbr").items():
        budget = float(Setting(cbr=cbr).budget)
        published = {
            score: [(one, one.over_snr(budget, score)) for one in beside(study, channel)]
            for score in PUBLISHED_SCORES
        }
        planned = {point.setting.planned_snr_db for point in points} - {None}
        if planned:
            published = {}  # the published systems knew the SNR
        facts, title = {"channel": channel, "cbr": cbr}, where(channel, cbr=cbr)
        made = score_panels(study, points, snr_axis(points), title, facts, published)
        marks = tuple(sorted(float(p) for p in planned if p is not None))
        panels += [Panel(p.title, p.facts, p.x, p.y, p.lines, marks=marks) for p in made]
    if any(panel.marks for panel in panels):
        note = " ".join(
            filter(None, ("Dotted vertical lines: the SNR that the sender assumed.", note))
        )
    return _finish(study, panels, "quality-snr", "Quality against SNR", note, width)


def score_panels(
    study: SuiteResults,
    points: list[Point],
    axis: Axis,
    title: tuple[str, ...],
    facts: dict[str, Any],
    published: Mapping[str, Sequence[tuple[Published, Curve]]],
) -> list[Panel]:
    """Return a panel for each score with lines; ``published`` has curves of others, by score."""
    panels = []
    for score in shown_scores(study):
        lines = [mean_line(study, line, score, axis.key) for line in curves(points, axis.key)]
        known = [line for line in lines if line is not None]
        if known:
            known += published_lines(published.get(score, ()))
        if known:
            y = Axis(score, label(score, study))
            panels.append(Panel(title, {**facts, "score": score}, axis, y, tuple(known)))
    return panels


def _finish(
    study: SuiteResults, panels: list[Panel], name: str, title: str, note: str, width: float
) -> list[Drawing]:
    others = any(line.published for panel in panels for line in panel.lines)
    said = (note, left_out(study, shown_scores(study)), about_best(study))
    note = " ".join(filter(None, said))
    caption = " ".join(filter(None, (about(study.points), note))) + NOTE * others
    return drawings(name, title, caption, panels, width=width)
