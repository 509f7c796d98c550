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
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
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
        _settle(figure)
    return figure


def _settle(figure: Figure) -> None:
    """Lay the figure out, once and for all.

    Ticks depend on the room that they have, and take room: they stay as they are at first. The
    solver's last bits differ from run to run, and SVG files have names made of them.
    """
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(FixedLocator(list(axis.get_majorticklocs())))
    engine.execute(figure)
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.p0 = np.round(part.bbox_relative.p0, 6)
        part.bbox_relative.p1 = np.round(part.bbox_relative.p1, 6)
    for axes in figure.axes:
        axes.set_position(tuple(np.round(axes.get_position(original=True).bounds, 6)))


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
    shared = [part for part in panels[0].title if all(part in panel.title for panel in panels)]
    if shared:
        body.suptitle(", ".join(shared))
    for plot, panel in zip(axes, panels, strict=False):
        plot.set_title(", ".join(part for part in panel.title if part not in shared))


def _legends(
    panels: Sequence[Panel], width: float
) -> list[tuple[list[Line2D], dict[str, Any], float]]:
    """Name the systems, and below them the published: handles, options, height in inches."""
    # A panel that lacks a system says nothing about its place.
    fullest = sorted(panels, key=lambda panel: -len(panel.lines))
    lines = {(line.label, line.published): line for panel in fullest for line in panel.lines}
    found = []
    for published in (False, True):
        chosen = [line for line in lines.values() if line.published == published]
        if not chosen:
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
    for axis in (plot.xaxis, plot.yaxis):
        axis.set_major_locator(MaxNLocator(nbins="auto", steps=(1, 2, 5, 10)))
    if panel.diagonal:
        _equal(plot)
    if panel.x.ticks:
        _tick(plot, panel.x, width)


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
    look = {"zorder": 3, **_look(line)}
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
    moved: dict[str, Any] = {}
    if aside:
        shift = ScaledTranslation(aside / 72, 0, plot.figure.dpi_scale_trans)
        moved = {"transform": plot.transData + shift}
        _make_room(plot, line)
    plot.plot(line.x, line.y, **look, **moved)
    known = [
        (x, y, y - low, high - y)
        for x, y, (low, high) in zip(line.x, line.y, line.interval, strict=False)
        if low is not None and high is not None
    ]
    if known:
        x, y, below, above = zip(*known, strict=True)
        bars: dict[str, Any] = {"elinewidth": 0.7, "capsize": 1.8, "capthick": 0.7, "zorder": 3}
        plot.errorbar(x, y, yerr=(below, above), fmt="none", ecolor=colour, **bars, **moved)


def _make_room(plot: Axes, line: Line) -> None:
    """Let the axes hold a line that is moved, which they do not see by themselves."""
    heights = [(x, y) for x, y in zip(line.x, line.y, strict=True)]
    for x, ends in zip(line.x, line.interval, strict=False):
        heights += [(x, end) for end in ends if end is not None]
    plot.update_datalim(heights)
    plot.autoscale_view()


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
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    plot.plot((low, high), (low, high), color="0.4", linewidth=0.7, zorder=1)
    plot.set(xlim=(low, high), ylim=(low, high))
    plot.set_aspect("equal", adjustable="box")


def _tick(plot: Axes, axis: Axis, width: float) -> None:
    """Mark what was measured, as far as there is room for it; bandwidth ratios as 1/16."""
    if axis.ratio:
        plot.set_xscale("log")
        if len(axis.ticks) == 1:
            plot.set_xlim(axis.ticks[0] / 1.5, axis.ticks[0] * 1.5)
    place = math.log if axis.ratio else float
    low, high = map(place, plot.get_xlim())
    room = (high - low) * (0.34 if axis.ratio else 0.24) / (width - 0.5)  # of a label
    kept: list[float] = []
    for tick in sorted(axis.ticks, reverse=True):
        if not kept or place(kept[-1]) - place(tick) >= room:
            kept.append(tick)
    plot.xaxis.set_major_locator(FixedLocator(kept))
    plot.xaxis.set_minor_locator(NullLocator())
    text = ratio if axis.ratio else "{:g}".format
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
