"""Maps: a number for each disturbance and severity, or for each attack and segmenter."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.analysis.gains import anchor_name, gain_scores, pairs
from experiments.analysis.left_out import left_out
from experiments.analysis.points import count_images
from experiments.analysis.robustness import (
    CONTROL,
    by_kind,
    is_disturbed,
    looks,
    name_of,
    victim_of,
)
from experiments.analysis.score_names import label, shown_scores
from experiments.analysis.table import Table
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.lines import where
from experiments.figures.parts.style import SETTINGS, SMALL, TEXT
from experiments.figures.parts.text import broken, width_of
from experiments.figures.robustness.severity import MOST_PANELS, disturbances, gained, value_of
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from semcom.disturbances.pin import unpinned
from semcom.scores.masks import IOU_CLEAN

Values = NDArray[np.float64]
"""Numbers by row and column; NaN where there is none."""

_ROW = 0.17  # height of a row, inches
_LINE = 0.13  # height of a line of a title, inches
_CELL = 0.28  # least width of a cell, inches
_MARGIN = 0.7  # width of what is beside the maps apart from the names of rows, inches
_MOST_MAPS = 4  # systems of a figure
_IOUS = ("iou_truth", IOU_CLEAN)


def severity_map(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the first score, and each IoU of masks, as maps of disturbances and severities.

    There is a figure for each of these scores, with a map for each system.
    """
    scores = shown_scores(study)
    chosen = dict.fromkeys((*scores[:1], *(score for score in scores if score in _IOUS)))
    told = [(score, label(score, study), _over(study, score)) for score in chosen]
    return _maps(study, "severity-map", told, gains=False, width=width)


def gain_map(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the gain over the anchor on the region as maps of disturbances and severities."""
    told = [
        (
            score,
            f"gain over {anchor_name(study)}: {label(score, study)}",
            f"{gained(study)} {left_out(study, [score])}".strip(),
        )
        for score in gain_scores(study)[:1]
    ]
    return _maps(study, "gain-map", told, gains=True, width=width)


def _maps(
    study: SuiteResults,
    name: str,
    told: Sequence[tuple[str, str, str]],
    *,
    gains: bool,
    width: float,
) -> list[Drawing]:
    """Draw maps of scores, or of gains, each with its title and caption."""
    names = disturbances(study)
    if not is_disturbed(study) or len(names) <= MOST_PANELS:
        return []
    shown = [unpinned(one) for one in names]
    levels = sorted({p.setting.severity for p in study.points if p.setting.disturbance})
    several = len({condition for _, condition in by_kind(study)}) > 1
    found: list[Drawing] = []
    for score, title, caption in told:
        for condition, maps in _values(study, score, names, levels, gains=gains):
            channel, cbr, snr_db = condition
            place = where(channel, snr_db=snr_db, cbr=cbr) if several else ()
            text = ", ".join((title, *place))
            table = Table(
                f"{name}-{len(found) + 1}",
                text,
                f"A map for each system, with one scale of colours. {caption}",
                ("channel", "cbr", "snr_db", "system", "disturbance", "severity", score),
                tuple(
                    (*condition, system, shown[k], levels[j], float(values[k, j]))
                    for system, values in maps.items()
                    for k, j in np.argwhere(~np.isnan(values)).tolist()
                ),
            )
            labels = text, "severity"
            draw = functools.partial(_draw, maps, shown, levels, labels, width=width)
            found.append(Drawing(draw, table))
    return found


def _values(
    study: SuiteResults, score: str, names: Sequence[str], levels: Sequence[int], *, gains: bool
) -> Iterator[tuple[tuple[Any, ...], dict[str, Values]]]:
    """Give the maps of the systems that have any number, by condition, a figure at a time.

    Systems that look at no mask of their own have no map of its IoU.
    """
    partner = {id(pair.point): pair for pair in pairs(study)} if gains else None
    found: dict[tuple[Any, ...], dict[str, Values]] = {}
    for (kind, condition), points in by_kind(study).items():
        if score in _IOUS and not looks(points):
            continue
        values = np.full((len(names), len(levels)), np.nan)
        for point in points:
            known = value_of(study, point, score, partner)
            if point.setting.disturbance and known is not None:
                at = names.index(point.setting.disturbance), levels.index(point.setting.severity)
                values[at] = known[0]
        if not np.isnan(values).all():
            found.setdefault(condition, {})[name_of(kind)] = values
    for condition, maps in found.items():
        for first in range(0, len(maps), _MOST_MAPS):
            yield condition, dict(list(maps.items())[first : first + _MOST_MAPS])


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
        draw = functools.partial(
            _draw, {"": values}, rows, segmenters, (text, "segmenter"), width=width
        )
        found.append(Drawing(draw, table))
    return found


def _over(study: SuiteResults, score: str) -> str:
    """Describe what the numbers of a map are means of."""
    images = count_images(study.points)
    text = f"Means over {images} images." if images > 1 else "One image."
    return f"{text} {left_out(study, [score])}".strip()


def _draw(
    maps: Mapping[str, Values],
    rows: Sequence[str],
    columns: Sequence[Any],
    labels: tuple[str, str],
    *,
    width: float,
) -> Figure:
    """Draw maps by their titles; the labels are the title of all and that of horizontal axes."""
    with plain_text(SETTINGS):
        room = width - _MARGIN - max(width_of(row, TEXT) for row in rows)
        beside = min(len(maps), max(1, int(room / (_CELL * len(columns)))))
        below = math.ceil(len(maps) / beside)
        title = broken(labels[0], width - 0.1, SETTINGS["figure.titlesize"])
        names = [broken(name, room / beside, SETTINGS["axes.titlesize"]) for name in maps]
        lines = max(1 + name.count("\n") for name in names)
        height = below * (_ROW * len(rows) + _LINE * lines + 0.25)
        figure = Figure(figsize=(width, height + _LINE * title.count("\n") + 0.45))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        axes = figure.subplots(below, beside, sharey=True, squeeze=False).ravel()
        every = np.stack(list(maps.values()))
        low, high = float(np.nanmin(every)), float(np.nanmax(every))
        scale = Normalize(low, high)
        for axis, name, values in zip(axes, names, every, strict=False):
            axis.imshow(values, aspect="auto", cmap="cividis", norm=scale)
            axis.grid(visible=False)
            axis.set_xticks(range(len(columns)), list(columns))
            axis.set_yticks(range(len(rows)), list(rows))
            axis.set_title(name)
            _write(axis, values, (low + high) / 2)
        for axis in axes[len(maps) :]:
            axis.set_axis_off()
        figure.suptitle(title)
        figure.supxlabel(labels[1], fontsize=TEXT)
        figure.colorbar(ScalarMappable(scale, "cividis"), ax=axes)
    return figure


def _write(axis: Axes, values: Values, middle: float) -> None:
    """Write the number into each cell that has one, in white below the middle of the scale."""
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "black" if value > middle else "white"
            text = f"{value:z.2f}" if abs(value) < 9.995 else f"{value:.1f}"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=SMALL)
