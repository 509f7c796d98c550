"""Maps: a number for each disturbance and severity, or for each attack and segmenter."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.analysis.left_out import left_out
from experiments.analysis.points import count_images
from experiments.analysis.robustness import CONTROL, by_kind, is_disturbed, name_of, victim_of
from experiments.analysis.score_names import label, shown_scores
from experiments.analysis.table import Table
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.lines import where
from experiments.figures.parts.style import SETTINGS
from experiments.figures.robustness.severity import MOST_PANELS, disturbances
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from semcom.disturbances.pin import unpinned
from semcom.scores.masks import IOU_CLEAN

_ROW = 0.17  # height of a row, inches
_LEVELS = tuple(map(str, range(1, 6)))


def severity_map(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the first score as a map of disturbances and severities, one for each system."""
    names = disturbances(study)
    if not is_disturbed(study) or len(names) <= MOST_PANELS or not (scores := shown_scores(study)):
        return []
    shown = [unpinned(name) for name in names]
    found: list[Drawing] = []
    several = len({condition for _, condition in by_kind(study)}) > 1
    score = scores[0]
    for (kind, condition), points in by_kind(study).items():
        values = np.full((len(names), 5), np.nan)
        for point in points:
            mean = point.mean(score) if study.whole([point], score) else None
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
            _over(study, score),
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

    There is a figure for each system apart from its segmenter, if there are several segmenters and
    at least one attack.
    """
    attacks = [name for name in disturbances(study) if victim_of(name)]
    segmenters = list(study.axis("segmenter"))
    if not attacks or len(segmenters) < 2:
        return []
    attacked = [point for point in study.points if point.setting.disturbance in attacks]
    level = max(point.setting.severity for point in attacked)
    groups: dict[tuple[System, tuple[Any, ...]], list[Point]] = {}
    for (kind, condition), points in by_kind(study).items():
        some = groups.setdefault((kind.without("segmenter"), condition), [])
        some += [p for p in points if p.setting.disturbance == CONTROL]
        some += [p for p in points if p.setting.disturbance in attacks]
    found: list[Drawing] = []
    for (kind, _), points in groups.items():
        shown = [p for p in points if p.setting.severity == level or p not in attacked]
        rows = list(dict.fromkeys(unpinned(p.setting.disturbance) for p in shown))
        values = np.full((len(rows), len(segmenters)), np.nan)
        cells = []
        for point in shown:
            s = point.setting
            mean = point.mean(IOU_CLEAN) if study.whole([point], IOU_CLEAN) else None
            name = unpinned(s.disturbance)
            if mean is not None:
                values[rows.index(name), segmenters.index(s.segmenter)] = mean
                victim = victim_of(s.disturbance) or None
                cells.append((name, victim, s.severity, s.segmenter, mean))
        if not cells:
            continue
        text = f"{name_of(kind)}: IoU with the mask of the clean picture"
        caption = (
            f"{_over(study, IOU_CLEAN)} Rows: the attack, of severity {level}; jitter is the "
            "control. Columns: the segmenter that looks at the attacked picture."
        )
        columns = ("disturbance", "victim", "severity", "segmenter", IOU_CLEAN)
        table = Table(f"transfer-{len(found) + 1}", text, caption, columns, tuple(cells))
        draw = functools.partial(_draw, values, rows, segmenters, (text, "segmenter"), width=width)
        found.append(Drawing(draw, table))
    return found


def _over(study: SuiteResults, score: str) -> str:
    """Describe what the numbers of a map are means of."""
    images = count_images(study.points)
    text = f"Means over {images} images." if images > 1 else "One image."
    return f"{text} {left_out(study, [score])}".strip()


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
