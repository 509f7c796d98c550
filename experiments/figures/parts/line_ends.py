"""Names of published curves at their ends, because a legend of many greys would not help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from experiments.figures.parts.panels import Line
from experiments.figures.parts.style import PUBLISHED, SMALL

_BESIDE = 1.03  # where the names begin, of the axes' width
_APART = 1.25  # lines of text, in their height
_LEADER = {
    "arrowstyle": "-",
    "linewidth": 0.4,
    "color": PUBLISHED,
    "alpha": 0.6,
    "shrinkA": 1,
    "shrinkB": 1.5,
    "relpos": (0, 0.5),
}


class End(NamedTuple):
    """A name, and the first and the last point of its curve."""

    name: Annotation
    points: tuple[tuple[float, float], tuple[float, float]]


def name_ends(plot: Axes, lines: Sequence[Line]) -> list[End]:
    """Write the names of published curves to the right of a panel, at first all at one height.

    They reserve the space that they need; the height of the panel is not known yet.
    """
    ends = []
    for line in lines:
        if line.published:
            points = sorted(zip(line.x, line.y, strict=True))
            name = plot.annotate(
                line.label,
                points[-1],
                (_BESIDE, 0.5),
                textcoords="axes fraction",
                fontsize=SMALL,
                color=PUBLISHED,
                verticalalignment="center",
                annotation_clip=False,
                arrowprops=dict(_LEADER),
            )
            ends.append(End(name, (points[0], points[-1])))
    return ends


def spread(plot: Axes, ends: Sequence[End]) -> None:
    """Move names to the heights at which their curves leave the panel, without overlaps."""
    if not ends:
        return
    box = plot.get_window_extent()
    apart = _APART * SMALL * plot.figure.dpi / 72
    highest = max(apart, box.height - apart / 2)
    wanted = np.clip([_height(plot, end) for end in ends], apart / 2, highest)
    order = np.argsort(wanted, kind="stable")
    steps = apart * np.arange(len(ends))
    # Names pushed up are apart, and so are names pushed down, and the means of both positions.
    free = wanted[order] - steps
    free = (np.maximum.accumulate(free) + np.minimum.accumulate(free[::-1])[::-1]) / 2
    last = max(apart / 2, highest - steps[-1])
    for i, place in zip(order, np.clip(free, apart / 2, last) + steps, strict=True):
        ends[i].name.set_position((_BESIDE, round(float(place / box.height), 6)))


def _height(plot: Axes, end: End) -> float:
    """Return the height in pixels above the lower border at which a curve leaves the panel."""
    box = plot.get_window_extent()
    (x0, y0), (x1, y1) = plot.transData.transform(end.points)
    return float(y1 + (y1 - y0) / (x1 - x0) * (box.x1 - x1) - box.y0)
