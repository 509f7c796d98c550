"""Maps: a number for each disturbance and severity, or for each attack and segmenter."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.analysis.robustness import by_kind, is_disturbed, name_of, victim_of
from experiments.analysis.score_names import label, shown_scores
from experiments.analysis.table import Table
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.lines import about, where
from experiments.figures.parts.style import SETTINGS
from experiments.figures.robustness.severity import MOST_PANELS, disturbances
from experiments.store.measured import SuiteResults
from experiments.suites.axes import disturbance_name
from semcom.scores.masks import IOU_CLEAN

_ROW = 0.17  # height of a row, inches
_LEVELS = tuple(map(str, range(1, 6)))


def severity_map(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the first score as a map of disturbances and severities, one for each system."""
    names = disturbances(study)
    if not is_disturbed(study) or len(names) <= MOST_PANELS or not (scores := shown_scores(study)):
        return []
    shown = [disturbance_name(name) for name in names]
    found: list[Drawing] = []
    several = len({condition for _, condition in by_kind(study)}) > 1
    score = scores[0]
    for (kind, condition), points in by_kind(study).items():
        values = np.full((len(names), 5), np.nan)
        for point in points:
            mean = point.mean(score)
            if point.setting.disturbance and mean is not None:
                at = names.index(point.setting.disturbance), point.setting.severity - 1
                values[at] = mean
        if np.isnan(values).all():
            continue
        channel, cbr, snr_db = condition
        place = where(channel, snr_db=snr_db, cbr=cbr) if several else ()
        text = f"{', '.join((name_of(kind), *place))}: {label(score, study)}"
        table = Table(
            f"severity-map-{len(found) + 1}",
            text,
            about(study.points),
            ("channel", "cbr", "snr_db", "disturbance", "severity", score),
            tuple(
                (*condition, shown[k], j + 1, float(values[k, j]))
                for k, j in np.argwhere(~np.isnan(values)).tolist()
            ),
        )
        draw = functools.partial(_draw, values, shown, _LEVELS, (text, "severity"), width=width)
        found.append(Drawing(draw, table))
    return found


def transfer(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw how far attacks on one segmenter move the masks of others, at the highest severity.

    There is a figure if the suite has several segmenters, and at least one attack.
    """
    attacks = [name for name in disturbances(study) if victim_of(name)]
    segmenters = list(study.axis("segmenter"))
    if not attacks or len(segmenters) < 2:
        return []
    attacked = [point for point in study.points if point.setting.disturbance in attacks]
    level = max(point.setting.severity for point in attacked)
    control = [p for p in study.points if p.setting.disturbance.startswith("jitter")]
    rows = [*dict.fromkeys(p.setting.disturbance for p in control), *attacks]
    values = np.full((len(rows), len(segmenters)), np.nan)
    for point in [*control, *(p for p in attacked if p.setting.severity == level)]:
        mean = point.mean(IOU_CLEAN)
        if mean is not None:
            at = rows.index(point.setting.disturbance), segmenters.index(point.setting.segmenter)
            values[at] = mean
    if np.isnan(values).all():
        return []
    text = f"IoU with the mask of the clean picture, attacks of severity {level}"
    table = Table(
        "transfer",
        text,
        f"{about(study.points)} Rows: the attack with its victim; jitter is the control. Columns: "
        "the segmenter that looks at the attacked picture.",
        ("disturbance", "victim", "severity", "segmenter", IOU_CLEAN),
        tuple(
            (
                disturbance_name(rows[k]),
                victim_of(rows[k]) or None,
                level,
                segmenters[j],
                float(values[k, j]),
            )
            for k, j in np.argwhere(~np.isnan(values)).tolist()
        ),
    )
    shown = [disturbance_name(name) for name in rows]
    draw = functools.partial(_draw, values, shown, segmenters, (text, "segmenter"), width=width)
    return [Drawing(draw, table)]


def _draw(
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    labels: tuple[str, str],
    *,
    width: float,
) -> Figure:
    """Draw a map; the labels are its title and that of the horizontal axis."""
    with plain_text(SETTINGS):
        figure = Figure(figsize=(width, _ROW * len(rows) + 0.7))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        axis = figure.subplots()
        shown = axis.imshow(values, aspect="auto", cmap="cividis")
        axis.grid(visible=False)
        axis.set_xticks(range(len(columns)), list(columns))
        axis.set_yticks(range(len(rows)), list(rows))
        axis.set_title(labels[0])
        axis.set_xlabel(labels[1])
        middle = np.nanmean([np.nanmin(values), np.nanmax(values)])
        for (row, column), value in np.ndenumerate(values):
            if not np.isnan(value):
                colour: Any = "black" if value > middle else "white"
                text = f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
                axis.text(column, row, text, ha="center", va="center", color=colour)
        figure.colorbar(shown, ax=axis)
    return figure
