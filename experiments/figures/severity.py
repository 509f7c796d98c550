"""Figures over the severity of disturbances."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.analysis.gains import Pair, anchor_name, gain, gain_scores, pairs
from experiments.analysis.points import count_images
from experiments.analysis.robustness import by_kind, is_disturbed, kind_of, name_of
from experiments.analysis.score_names import label, shown_scores
from experiments.analysis.table import Table
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import about, where
from experiments.figures.parts.panels import Axis, Line, Panel, Range
from experiments.figures.parts.style import SETTINGS, system_look
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System

_CLEAN = 0  # place of undisturbed pictures on the axis of severity
_MOST_LINES = 6  # disturbances that have a panel each; more are shown as a map
_NOTE = " Severity 0: undisturbed."
_ROW = 0.17  # height of a row of a map, inches


def over_severity(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw scores over the severity, with a panel for each disturbance."""
    if not is_disturbed(study) or len(_names(study)) > _MOST_LINES:
        return []
    panels = [
        panel for score in shown_scores(study) for panel in _panels(study, score, gains=False)
    ]
    caption = about(study.points) + _NOTE * _has_clean(study)
    return drawings("severity", "Scores over severity", caption, panels, width=width)


def gain_over_severity(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw gains over the anchor under the same disturbance, over the severity."""
    if not is_disturbed(study) or len(_names(study)) > _MOST_LINES:
        return []
    panels = [panel for score in gain_scores(study) for panel in _panels(study, score, gains=True)]
    caption = (
        f"Gain over {anchor_name(study)} within the same bandwidth and under the same disturbance."
    )
    if (images := count_images(study.points)) > 1:
        caption += f" Means over {images} images of the difference for each image; bands: "
        caption += "± standard error."
    caption += _NOTE * _has_clean(study)
    title = "Gain at equal bandwidth over severity"
    return drawings("gain-severity", title, caption, panels, width=width)


def _names(study: SuiteResults) -> list[str]:
    names = dict.fromkeys(point.setting.disturbance for point in study.points)
    return [name for name in names if name]


def _has_clean(study: SuiteResults) -> bool:
    return any(not point.setting.disturbance for point in study.points)


def _panels(study: SuiteResults, score: str, *, gains: bool) -> list[Panel]:
    kinds = list(dict.fromkeys(map(kind_of, study.points)))
    partner = {id(pair.point): pair for pair in pairs(study)} if gains else {}
    conditions = list(dict.fromkeys(key for _, key in by_kind(study)))
    panels = []
    for name in _names(study):
        for condition in conditions:
            lines = []
            for (kind, key), points in by_kind(study).items():
                if key != condition:
                    continue
                some = [p for p in points if p.setting.disturbance in ("", name)]
                known: list[tuple[int, float, float]] = []
                for point in some:
                    value = _value(point, score, partner if gains else None)
                    if value is not None:
                        known.append((_place(point), *value))
                lines += _line(kind, kinds, sorted(known))
            channel, cbr, snr_db = condition
            facts = {"channel": channel, "cbr": cbr, "snr_db": snr_db, "disturbance": name}
            title = (name, *(where(channel, snr_db=snr_db, cbr=cbr) if len(conditions) > 1 else ()))
            text = label(score, study)
            y = Axis(score, f"{text.removesuffix(', dB')} gain, dB" if gains else text)
            x = Axis("severity", "severity", ticks=tuple(range(6)))
            base = 0.0 if gains else None
            panels.append(Panel(title, {**facts, "score": score}, x, y, tuple(lines), base=base))
    return panels


def _value(point: Point, score: str, partner: dict[int, Pair] | None) -> tuple[float, float] | None:
    """Return a mean with its standard error: of a score, or of the gain over the partner."""
    if partner is None:
        mean = point.mean(score)
        return None if mean is None else (mean, point.standard_error(score))
    pair = partner.get(id(point))
    if pair is None:
        return None
    found = gain(pair, score)
    return None if found is None else (found.mean, found.error)


def _place(point: Point) -> int:
    return point.setting.severity if point.setting.disturbance else _CLEAN


def _line(
    kind: System, kinds: Sequence[System], known: Sequence[tuple[int, float, float]]
) -> list[Line]:
    if len(known) < 2:
        return []
    x, y, errors = zip(*known, strict=True)
    band: tuple[Range, ...] = tuple((m - e, m + e) for m, e in zip(y, errors, strict=True))
    look = system_look(kinds.index(kind))
    return [Line(name_of(kind), tuple(map(float, x)), y, look, error=band if any(errors) else ())]


def severity_map(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the first score as a map of disturbances and severities, one for each system."""
    names = _names(study)
    if not is_disturbed(study) or len(names) <= _MOST_LINES or not (scores := shown_scores(study)):
        return []
    found: list[Drawing] = []
    several = len({condition for _, condition in by_kind(study)}) > 1
    score = scores[0]
    for (kind, (channel, cbr, snr_db)), points in by_kind(study).items():
        values = np.full((len(names), 5), np.nan)
        for point in points:
            mean = point.mean(score)
            if point.setting.disturbance and mean is not None:
                at = names.index(point.setting.disturbance), point.setting.severity - 1
                values[at] = mean
        if np.isnan(values).all():
            continue
        place = where(channel, snr_db=snr_db, cbr=cbr) if several else ()
        text = f"{', '.join((name_of(kind), *place))}: {label(score, study)}"
        rows = tuple(
            (channel, cbr, snr_db, name, j + 1, float(values[k, j]))
            for k, name in enumerate(names)
            for j in range(5)
            if not np.isnan(values[k, j])
        )
        table = Table(
            f"severity-map-{len(found) + 1}",
            text,
            about(study.points),
            ("channel", "cbr", "snr_db", "disturbance", "severity", score),
            rows,
        )
        figure = functools.partial(_draw_map, values, names, text, width=width)
        found.append(Drawing(figure, table))
    return found


def _draw_map(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    names: Sequence[str],
    title: str,
    *,
    width: float,
) -> Figure:
    with plain_text(SETTINGS):
        figure = Figure(figsize=(width, _ROW * len(names) + 0.7))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        axis = figure.subplots()
        shown = axis.imshow(values, aspect="auto", cmap="cividis")
        axis.grid(visible=False)
        axis.set_xticks(range(5), [str(k) for k in range(1, 6)])
        axis.set_yticks(range(len(names)), list(names))
        axis.set_xlabel("severity")
        axis.set_title(title)
        middle = np.nanmean([np.nanmin(values), np.nanmax(values)])
        for (row, column), value in np.ndenumerate(values):
            if not np.isnan(value):
                colour = "black" if value > middle else "white"
                text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
                axis.text(column, row, text, ha="center", va="center", color=colour)
        figure.colorbar(shown, ax=axis)
    return figure
