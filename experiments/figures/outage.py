"""Figures of outage: the share of draws of the channel with a PSNR below a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from experiments.analysis.left_out import left_out
from experiments.analysis.outages import outage_of, with_region
from experiments.analysis.points import conditions, curves, draws_words, few
from experiments.analysis.score_names import has
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import look, snr_axis, where
from experiments.figures.parts.panels import Axis, Line, Panel
from experiments.intervals import share_interval
from experiments.store.measured import Point, SuiteResults

SCORES = ("region_psnr_db", "psnr_db")
"""Scores to draw: that of the region if there is one, otherwise that of the whole image."""
NO_REGION = "Images without a region are left out."
_MOST_STEPS = 400
_INTERVAL = (
    "95 % interval over the draws of all images together (Clopper, Pearson); it does not tell how "
    "other images would behave."
)


def outage(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw outage over the quality, and over the SNR at the quality that counts as shown."""
    study, note = few(study)
    points = [point.over("lost") for point in study.whole(study.points, "lost")]
    varied = [p for p in points if any(r.draws > 1 for r in p.rows) or p.setting.losses]
    if not any(row.draws > 1 for point in varied for row in point.rows):
        return []
    score = next((score for score in SCORES if has(varied, score)), SCORES[-1])
    name = "region PSNR" if score == SCORES[0] else "PSNR"
    shown = [with_region(point, score) for point in varied]
    without = any(len(a.rows) < len(b.rows) for a, b in zip(shown, varied, strict=True))
    varied = [point for point in shown if point.rows]
    over_quality = _over_quality(study, varied, score, name)
    note = " ".join(filter(None, (note, NO_REGION * without, left_out(study, ["lost"]))))
    words = f"{draws_words(varied).capitalize()}. " if draws_words(varied) else ""
    text = f"Share of the draws of the channel with a {name} below the value on the axis, averaged "
    text += f"over the images. {words}"
    caption = f"{text}Bands: {_INTERVAL} {note}".strip()
    found = drawings("outage", "Outage", caption, over_quality, width=width)
    threshold = float(study.suite["shown_db"])
    text = f"Share of the draws of the channel with a {name} below {threshold:g} dB, averaged over "
    text += f"the images. {words}"
    caption = f"{text}Bars: {_INTERVAL} {note}".strip()
    panels = _over_snr(study, varied, score, threshold)
    return found + drawings("outage-snr", "Outage against SNR", caption, panels, width=width)


def _over_quality(study: SuiteResults, varied: list[Point], score: str, name: str) -> list[Panel]:
    panels = []
    for (channel, snr_db, cbr), mine in conditions(varied, "channel", "snr_db", "cbr").items():
        values = [v for p in mine for r in p.rows for v, _ in r.values(score) if v is not None]
        if not values:
            continue
        ends = min(values) - 0.5, max(values) + 0.5
        lines = tuple(_steps(study, point, score, ends) for point in mine)
        facts = {"channel": channel, "snr_db": snr_db, "cbr": cbr}
        title = where(channel, snr_db=snr_db, cbr=cbr)
        axes = Axis(score, f"{name}, dB"), Axis("outage", "share of draws below")
        shown = float(study.suite["shown_db"])
        marks = (shown,) if ends[0] <= shown <= ends[1] else ()
        panels.append(Panel(title, facts, *axes, lines, marks=marks))
    return panels


def _steps(study: SuiteResults, point: Point, score: str, ends: tuple[float, float]) -> Line:
    """Return the share of draws below each quality that occurred, over the whole axis."""
    seen: defaultdict[float, float] = defaultdict(float)
    for row in point.rows:
        for value, count in row.values(score):
            if value is not None:
                seen[value] += count / row.draws / len(point.rows)
    values = np.array(sorted(seen))
    below = np.cumsum([seen[value] for value in values])
    # If there are many steps, those too small to be seen are merged.
    kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_STEPS)).astype(int))
    x = (ends[0], *(float(value) for value in values[kept]), ends[1])
    shares = (0.0, *(float(below[i - 1]) if i else 0.0 for i in kept), float(below[-1]))
    bands = tuple(share_interval(share, point.independent_draws) for share in shares)
    style = look(study, point)
    return Line(point.system, x, shares, style, interval=bands, kind="steps")


def _over_snr(
    study: SuiteResults, varied: list[Point], score: str, threshold: float
) -> list[Panel]:
    panels = []
    for (channel, cbr), mine in conditions(varied, "channel", "cbr").items():
        lines = []
        for line in curves(mine, "snr_db"):
            lines += [_outages(study, line, score, threshold)] if len(line) > 1 else []
        facts = {"channel": channel, "cbr": cbr, "below_db": threshold}
        y = Axis("outage", f"share of draws below {threshold:g} dB")
        panels.append(Panel(where(channel, cbr=cbr), facts, snr_axis(mine), y, tuple(lines)))
    return panels


def _outages(study: SuiteResults, points: Sequence[Point], score: str, threshold: float) -> Line:
    shares = tuple(outage_of(point, threshold, score) for point in points)
    draws = [point.independent_draws for point in points]
    bars = tuple(share_interval(share, n) for share, n in zip(shares, draws, strict=True))
    x = tuple(point.setting.snr_db for point in points)
    return Line(points[0].system, x, shares, look(study, points[0]), interval=bars)
