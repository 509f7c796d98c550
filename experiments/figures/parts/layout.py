"""Layout of panels in figures at the size of paper."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.figures.drawing import Drawing
from experiments.figures.parts import ticks
from experiments.figures.parts.draw_panel import draw_panel
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.legends import key_of
from experiments.figures.parts.line_ends import End, name_ends, spread
from experiments.figures.parts.panels import Panel, table
from experiments.figures.parts.style import SETTINGS, TEXT
from experiments.figures.parts.text import broken

MOST_PANELS = 8
"""Largest number of panels in a figure; more are split into several figures."""
_NARROW = 5.0  # inches; narrower figures are for one column of a paper
_TITLE = 0.3  # height of a title of one line with the space around it, inches
_HIGHEST = 2.5  # of a panel, inches
_PAGE = 8.2  # of all panels of a figure, inches
_LINE = 0.13  # height of a line of a title, inches


def drawings(
    name: str, title: str, caption: str, panels: Sequence[Panel], *, width: float
) -> list[Drawing]:
    """Draw panels in one or several figures, each with the panels of one score.

    Panels without lines are left out. The name of a figure is ``name``, followed by the score or a
    number if there are several figures.
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
        figure = functools.partial(draw_panels, part, width=width)
        found.append(Drawing(figure, table(named, described, caption, part)))
    return found


def _split(panels: list[Panel]) -> dict[str, list[Panel]]:
    """Split panels of several conditions into figures of one score with few enough panels."""
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
    """Draw panels in a grid, with one legend below."""
    columns = _columns(panels, width)
    rows = math.ceil(len(panels) / columns)
    height = _height(panels, width, columns, rows)
    with plain_text(SETTINGS):
        key = key_of(panels, width)
        shared = [part for part in panels[0].title if all(part in panel.title for panel in panels)]
        title = broken(", ".join(shared), width, TEXT)
        heights = [rows * height + _TITLE + _LINE * title.count("\n"), key.height]
        figure = Figure(figsize=(width, sum(heights)))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.03)
        parts: Any = figure.subfigures(2, 1, height_ratios=heights, hspace=0.0)
        body, below = parts
        axes = body.subplots(rows, columns, squeeze=False).ravel()
        ends = []
        for plot, panel in zip(axes, panels, strict=False):
            draw_panel(plot, panel)
            ends.append(name_ends(plot, panel.lines))
            own = ", ".join(part for part in panel.title if part not in shared)
            plot.set_title(broken(own, width / columns, TEXT))
        _label(axes, panels, columns, width / columns, height)
        for plot in axes[len(panels) :]:
            plot.set_axis_off()
        if title:
            body.suptitle(title)
        key.add_to(below)
        _settle(figure, axes, ends)
    return figure


def _settle(figure: Figure, axes: Any, ends: Sequence[Sequence[End]]) -> None:
    """Compute the final layout of a figure.

    Ticks and the names of lines depend on the available space and also occupy space; they are fixed
    after the first pass. Positions are rounded, because the last bits of the solver differ from run
    to run and would change the names in SVG files.
    """
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    ticks.fix([plot for plot in axes if plot.axison])
    engine.execute(figure)
    for plot, some in zip(axes, ends, strict=False):
        spread(plot, some)
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.p0 = np.round(part.bbox_relative.p0, 6)
        part.bbox_relative.p1 = np.round(part.bbox_relative.p1, 6)
    for plot in figure.axes:
        plot.set_position(tuple(np.round(plot.get_position(original=True).bounds, 6)))


def _columns(panels: Sequence[Panel], width: float) -> int:
    count = len(panels)
    named = sum(any(line.published for line in panel.lines) for panel in panels)
    if width < _NARROW:
        return 1 if count < 4 or named else 2
    if named > 1:  # names beside lines take room
        return min(count, 2)
    return count if count <= 3 else (2 if count == 4 else 3)


def _height(panels: Sequence[Panel], width: float, columns: int, rows: int) -> float:
    """Return the height of a panel in inches."""
    ratio = 1.0 if panels[0].diagonal else 0.66 if columns == 1 else 0.8
    return min(width / columns * ratio, _HIGHEST, _PAGE / rows)


def _label(axes: Any, panels: Sequence[Panel], columns: int, width: float, height: float) -> None:
    """Label the axes, except those with the same label as their neighbour."""
    same_x = len({panel.x.label for panel in panels}) == 1
    same_y = len({panel.y.label for panel in panels}) == 1
    for place, (plot, panel) in enumerate(zip(axes, panels, strict=False)):
        if not same_x or place + columns >= len(panels):
            plot.set_xlabel(broken(panel.x.label, 0.8 * width, TEXT))
        if not same_y or place % columns == 0:
            plot.set_ylabel(broken(panel.y.label, 0.8 * height, TEXT))
