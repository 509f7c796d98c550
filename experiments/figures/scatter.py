"""Scatter figures: the score of each image with a system over its score with the anchor."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.analysis.gains import Pair, anchor_name, pairs
from experiments.analysis.points import (
    bandwidth_sweep,
    conditions,
    count_images,
    draws_words,
    few,
    groups,
)
from experiments.analysis.score_names import has, label
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import look, where
from experiments.figures.parts.panels import Axis, Line, Panel
from experiments.store.measured import Point, SuiteResults

_MOST = 4  # panels; if there are more conditions, one is chosen for each channel


def scatter(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw a panel for each condition, if there are several images."""
    study, note = few(study)
    both = pairs(study)
    mine = [pair.point for pair in both]
    count = count_images(mine)
    if count < 2:
        return []
    beside = {id(pair.point): pair for pair in both}
    found = conditions(mine, "channel", "cbr", "snr_db")
    chosen = list(found) if len(found) <= _MOST else _one_each(mine)
    if len(chosen) < len(found):
        note = f"Shown at the SNR with the most CBRs, and at the middle one of these. {note}"
        note = note.strip()
    region = has(mine, "region_psnr_db") and has(mine, "background_psnr_db")
    score = "region_psnr_db" if region else study.suite["scores"][0]
    text, name = label(score, study), anchor_name(study)
    axes = Axis("anchor", f"{name}: {text}"), Axis("value", text)
    panels = []
    for channel, cbr, snr_db in chosen:
        title = where(channel, snr_db=snr_db, cbr=cbr)
        facts = {"channel": channel, "snr_db": snr_db, "cbr": cbr, "score": score}
        some = [_points(study, beside[id(p)], score) for p in found[channel, cbr, snr_db]]
        lines = tuple(line for line in some if line is not None)
        panels.append(Panel(title, facts, *axes, lines, diagonal=True))
    caption = f"Each point is an image; above the line, its score is higher than with {name}."
    if words := draws_words(study.points):
        caption += f" {words.capitalize()}."
    if any(len(line.x) < count for panel in panels for line in panel.lines):
        caption += " Images without a finite value for both systems are not drawn."
    caption = f"{caption} {note}".strip()
    return drawings("scatter", "Image by image", caption, panels, width=width)


def _one_each(points: Iterable[Point]) -> list[tuple[str, str, float]]:
    """Return the condition to show first for each channel."""
    chosen = []
    for (channel,), some in groups(points, "channel").items():
        snr_db, cbr = bandwidth_sweep(some)
        chosen.append((channel, cbr, snr_db))
    return chosen


def _points(study: SuiteResults, pair: Pair, score: str) -> Line | None:
    point = pair.point
    theirs = {row.key: row.mean(score) for row in pair.anchor.rows}
    values = [(theirs.get(row.key), row.mean(score), row.name) for row in point.rows]
    known = [(a, b, name) for a, b, name in values if a is not None and b is not None]
    if not known:
        return None
    x, y, names = zip(*known, strict=True)
    return Line(point.system, x, y, look(study, point), names=names, kind="points")
