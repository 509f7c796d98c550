"""Ticks at measured values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from experiments.axis_values import ratio
from experiments.figures.parts.panels import Axis

_BETWEEN = 1.5  # points, the least between two names


def mark(plot: Axes, axis: Axis) -> None:
    """Set ticks at measured values on the x-axis and at round numbers on the y-axis."""
    for one in (plot.xaxis, plot.yaxis):
        one.set_major_locator(MaxNLocator(nbins="auto", steps=(1, 2, 5, 10)))
    if axis.ratio:
        plot.set_xscale("log")
        if len(axis.ticks) == 1:
            plot.set_xlim(axis.ticks[0] / 1.5, axis.ticks[0] * 1.5)
    if axis.ticks:
        plot.xaxis.set_major_locator(FixedLocator(sorted(axis.ticks)))
        plot.xaxis.set_minor_locator(NullLocator())
        text = ratio if axis.ratio else "{:g}".format
        plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))


def fix(every: Sequence[Axes]) -> None:
    """Fix the ticks; if labels on an x-axis would touch, turn those of all x-axes upright.

    The axes must have their final size. If labels still touch, some are left out.
    """
    for plot in every:
        for axis in (plot.xaxis, plot.yaxis):
            axis.set_major_locator(FixedLocator(list(axis.get_majorticklocs())))
    if any(_touching(plot) for plot in every):
        for plot in every:
            plot.tick_params(axis="x", labelrotation=90)
        for plot in every:
            _thin(plot)


def _ends(plot: Axes) -> list[tuple[float, float]]:
    """Return the extents of the labels on the x-axis in pixels."""
    low, high = sorted(plot.get_xlim())
    ticks = [t for t in plot.xaxis.get_major_ticks() if low <= t.get_loc() <= high]
    boxes = [tick.label1.get_window_extent() for tick in ticks if tick.label1.get_text()]
    return sorted((box.x0, box.x1) for box in boxes)


def _touching(plot: Axes) -> bool:
    ends = _ends(plot)
    least = _BETWEEN * plot.figure.dpi / 72
    return any(b[0] - a[1] < least for a, b in itertools.pairwise(ends))


def _thin(plot: Axes) -> None:
    """Keep the last label, and the labels before it for which there is space."""
    ticks = sorted(plot.xaxis.get_majorticklocs(), reverse=True)
    if len(ticks) < 2 or not _touching(plot):
        return
    ends = _ends(plot)
    room = max(high - low for low, high in ends) + _BETWEEN * plot.figure.dpi / 72
    kept: list[float] = []
    places = plot.transData.transform([(tick, 0.0) for tick in ticks])[:, 0]
    last = math.inf
    for tick, place in zip(ticks, places, strict=True):
        if last - place >= room:
            kept.append(tick)
            last = place
    plot.xaxis.set_major_locator(FixedLocator(sorted(kept)))
