"""Drawing of a panel: lines with their spreads, and notes beside points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from experiments.figures.parts import ticks
from experiments.figures.parts.legends import look_of
from experiments.figures.parts.panels import Line, Panel, Range
from experiments.figures.parts.style import SMALL


def draw_panel(plot: Axes, panel: Panel) -> None:
    """Draw everything in a panel except its labels."""
    barred = [line.label for line in panel.lines if line.interval and line.kind == "line"]
    for line in panel.lines:
        aside = 0.0
        if line.label in barred and panel.x.key == "snr_db":  # bars must not hide each other
            aside = 1.8 * (barred.index(line.label) - (len(barred) - 1) / 2)
        _draw_line(plot, line, aside)
        _annotate(plot, line)
    for x in panel.marks:
        plot.axvline(x, color="0.45", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
    if panel.base is not None:
        plot.axhline(panel.base, color="0.3", linewidth=0.7, zorder=1)
    if any(any(line.notes) for line in panel.lines):
        plot.margins(x=0.28, y=0.16)
    ticks.mark(plot, panel.x)
    if panel.diagonal:
        _equal(plot)


def _draw_line(plot: Axes, line: Line, aside: float) -> None:
    """Draw a line with its spreads, shifted ``aside`` points to the right."""
    look = {"zorder": 3, **look_of(line)}
    colour, steps = look["color"], line.kind == "steps"
    if line.error:
        _band(plot, line.x, line.error, colour)
    if steps:
        # Each height applies from the previous position up to its own.
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
    """Extend the axes to hold a shifted line, which they do not do by themselves."""
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
            fontsize=SMALL,
            color=line.look["color"],
            bbox={"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 0},
        )


def _equal(plot: Axes) -> None:
    """Give both axes the same range, and draw the diagonal."""
    low = min(plot.get_xlim()[0], plot.get_ylim()[0])
    high = max(plot.get_xlim()[1], plot.get_ylim()[1])
    low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
    plot.plot((low, high), (low, high), color="0.4", linewidth=0.7, zorder=1)
    plot.set(xlim=(low, high), ylim=(low, high))
    plot.set_aspect("equal", adjustable="box")
