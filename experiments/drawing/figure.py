"""Panels as a figure at the size of paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation

from experiments.drawing.base import Drawing
from experiments.drawing.panels import Axis, Line, Panel, Range, table
from experiments.drawing.style import SETTINGS
from experiments.tables import ratio

MOST_PANELS = 8
"""More become a figure of their own."""
_PUBLISHED = "published, on Kodak"
_LETTER = 0.054  # mean width of a letter in the legend, inches
_LINE = 0.145  # height of a line of the legend, inches
_NARROW = 5.0  # inches; what is narrower is one column of a paper


def drawings(
    name: str, title: str, caption: str, panels: Sequence[Panel], *, width: float
) -> list[Drawing]:
    """Draw panels, those of one score in one figure, as many figures as it takes.

    Returns none where no panel has a line. A figure's name is ``name``, and where there are several
    of them the score, or a number.
    """
    panels = [panel for panel in panels if panel.lines]
    if not panels:
        return []
    parts = _split(panels)
    found = []
    for suffix, part in parts.items():
        named = name + (f"-{suffix}" if len(parts) > 1 else "")
        about = part[0].y.label.removesuffix(", dB")
        described = f"{title}: {about}" if len(parts) > 1 else title
        figure = draw_panels(part, width=width)
        found.append(Drawing(figure, table(named, described, caption, part)))
    return found


def _split(panels: list[Panel]) -> dict[str, list[Panel]]:
    """Split what is not one condition into figures of one score each, none with many panels."""
    if len({panel.title for panel in panels}) == 1 or len({p.y.key for p in panels}) == 1:
        parts = {"": panels}
    else:
        parts = {}
        for panel in panels:
            parts.setdefault(panel.y.key.removesuffix("_db").replace("_", "-"), []).append(panel)
    found = {}
    for key, part in parts.items():
        count = math.ceil(len(part) / MOST_PANELS)
        size = math.ceil(len(part) / count)
        for i in range(count):
            suffix = [key] * bool(key) + [str(i + 1)] * (count > 1)
            found["-".join(suffix)] = part[i * size : (i + 1) * size]
    return found


def draw_panels(panels: Sequence[Panel], *, width: float) -> Figure:
    """Draw panels side by side and one below the other, with one legend below all."""
    columns = _columns(len(panels), width)
    rows = math.ceil(len(panels) / columns)
    legends = _legends(panels, width)
    square = panels[0].diagonal
    height = min(width / columns * (1.0 if square else 0.66 if columns == 1 else 0.8), 2.5)
    with rc_context(SETTINGS):
        figure = Figure(figsize=(width, 0.3 + rows * height + sum(h for *_, h in legends)))
        FigureCanvasAgg(figure)
        body, *below = _stack(figure, [rows * height + 0.3, *(h for *_, h in legends)])
        axes = body.subplots(rows, columns, squeeze=False).ravel()
        for plot, panel in zip(axes, panels, strict=False):
            _draw(plot, panel, width / columns)
        _label(axes, panels, columns)
        for plot in axes[len(panels) :]:
            plot.set_axis_off()
        _title(body, axes, panels)
        for part, (handles, options, _) in zip(below, legends, strict=True):
            part.legend(handles=handles, loc="center", **options)
    return figure


def _columns(count: int, width: float) -> int:
    if width < _NARROW:
        return 1 if count < 4 else 2
    return count if count <= 3 else (2 if count == 4 else 3)


def _stack(figure: Figure, heights: list[float]) -> list[Any]:
    """Divide a figure into parts one below the other."""
    figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.03)
    if len(heights) == 1:
        return [figure]
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights, hspace=0.0)
    return list(parts)


def _title(body: Any, axes: Any, panels: Sequence[Panel]) -> None:
    """Say once what holds for all panels."""
    if len({panel.title for panel in panels}) == 1:
        body.suptitle(panels[0].title)
        return
    for plot, panel in zip(axes, panels, strict=False):
        plot.set_title(panel.title)


def _legends(
    panels: Sequence[Panel], width: float
) -> list[tuple[list[Line2D], dict[str, Any], float]]:
    """Name the systems, and below them the published: handles, options, height in inches."""
    # A panel that lacks a system says nothing about its place.
    fullest = sorted(panels, key=lambda panel: -len(panel.lines))
    lines = {line.label: line for panel in fullest for line in panel.lines}
    found = []
    for published in (False, True):
        chosen = [line for line in lines.values() if line.published == published]
        if not chosen or (len(lines) == 1 and not published):
            continue
        with rc_context(SETTINGS):
            handles = [Line2D([], [], label=line.label, **_look(line)) for line in chosen]
        widest = max(len(line.label) for line in chosen) * _LETTER + 0.5
        columns = max(1, min(int(width / widest), len(chosen)))
        height = math.ceil(len(chosen) / columns) * _LINE + 0.08
        options: dict[str, Any] = {"ncols": columns, "columnspacing": 0.8, "borderpad": 0}
        if published:
            options |= {"title": _PUBLISHED, "alignment": "left"}
            height += _LINE
        found.append((handles, options, height))
    return found


def _look(line: Line) -> dict[str, Any]:
    return {**line.look, "linestyle": "none"} if line.kind == "points" else line.look


def _draw(plot: Axes, panel: Panel, width: float) -> None:
    barred = [line.label for line in panel.lines if line.interval and line.kind == "line"]
    for line in panel.lines:
        aside = 0.0
        if line.label in barred and panel.x.key == "snr_db":  # so that bars do not hide each other
            aside = 1.8 * (barred.index(line.label) - (len(barred) - 1) / 2)
        _draw_line(plot, line, aside)
        _annotate(plot, line)
    for x in panel.marks:
        plot.axvline(x, color="0.45", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
    if panel.base is not None:
        plot.axhline(panel.base, color="0.3", linewidth=0.7, zorder=1)
    if any(any(line.notes) for line in panel.lines):
        plot.margins(x=0.28, y=0.16)
    if panel.diagonal:
        _equal(plot)
    if panel.x.ratio:
        _label_ratios(plot, panel.x, width)


def _label(axes: Any, panels: Sequence[Panel], columns: int) -> None:
    """Label the axes, but not those whose neighbour says the same."""
    same_x = len({panel.x.label for panel in panels}) == 1
    same_y = len({panel.y.label for panel in panels}) == 1
    for place, (plot, panel) in enumerate(zip(axes, panels, strict=False)):
        if not same_x or place + columns >= len(panels):
            plot.set_xlabel(panel.x.label)
        if not same_y or place % columns == 0:
            plot.set_ylabel(panel.y.label)


def _draw_line(plot: Axes, line: Line, aside: float) -> None:
    """Draw a line with its spreads, ``aside`` points to the right."""
    shift = ScaledTranslation(aside / 72, 0, plot.figure.dpi_scale_trans)
    look = {"zorder": 3, "transform": plot.transData + shift, **_look(line)}
    colour, steps = look["color"], line.kind == "steps"
    if line.error:
        _band(plot, line.x, line.error, colour)
    if steps:
        # Each height holds from the place before up to its own.
        every = max(len(line.x) // 6, 1)
        plot.step(line.x, line.y, where="pre", markevery=every, **look)
        if line.interval:
            _band(plot, line.x, line.interval, colour, step="pre")
        return
    plot.plot(line.x, line.y, **look)
    known = [
        (x, y, y - low, high - y)
        for x, y, (low, high) in zip(line.x, line.y, line.interval, strict=False)
        if low is not None and high is not None
    ]
    if known:
        x, y, below, above = zip(*known, strict=True)
        bars: dict[str, Any] = {"elinewidth": 0.7, "capsize": 1.8, "capthick": 0.7, "zorder": 3}
        bars["transform"] = look["transform"]
        plot.errorbar(x, y, yerr=(below, above), fmt="none", ecolor=colour, **bars)


def _band(plot: Axes, x: Sequence[float], band: Sequence[Range], colour: str, **how: Any) -> None:
    low, high = np.array(band, dtype=float).T
    plot.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1, **how)


def _annotate(plot: Axes, line: Line) -> None:
    for x, y, note in zip(line.x, line.y, line.notes, strict=False):
        plot.annotate(
            note,
            (x, y),
            (5, 2.5),
            textcoords="offset points",
            fontsize=6,
            color=line.look["color"],
        )


def _equal(plot: Axes) -> None:
    """Give both axes one range, and draw where they are equal."""
    low = min(plot.get_xlim()[0], plot.get_ylim()[0])
    high = max(plot.get_xlim()[1], plot.get_ylim()[1])
    plot.plot((low, high), (low, high), color="0.4", linewidth=0.7, zorder=1)
    plot.set(xlim=(low, high), ylim=(low, high))
    plot.set_aspect("equal", adjustable="box")


def _label_ratios(plot: Axes, axis: Axis, width: float) -> None:
    """Show bandwidth ratios as 1/16, at as many of them as there is room for."""
    plot.set_xscale("log")
    if len(axis.ticks) == 1:
        plot.set_xlim(axis.ticks[0] / 1.5, axis.ticks[0] * 1.5)
    low, high = np.log(plot.get_xlim())
    room = (high - low) * 0.34 / (width - 0.5)  # of a label, in the logarithm
    kept: list[float] = []
    for tick in sorted(axis.ticks, reverse=True):
        if not kept or math.log(kept[-1] / tick) >= room:
            kept.append(tick)
    plot.xaxis.set_major_locator(FixedLocator(kept))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ratio(value)))
