"""The legend below the panels: every system once, and the look of published curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from experiments.figures.parts.panels import Line, Panel
from experiments.figures.parts.style import TEXT, Look
from experiments.figures.parts.text import broken, width_of

_LINE = 0.145  # height of a line of text, inches
_HANDLE = 0.52  # width of the handle and of the space between columns, inches
_PUBLISHED = {False: "published by others", True: "published by others: a bound"}


@dataclass(frozen=True)
class Key:
    """A legend that fits the figure's width."""

    handles: tuple[Line2D, ...]
    labels: tuple[str, ...]
    columns: int
    height: float
    """Inches."""

    def add_to(self, part: Any) -> None:
        """Draw the legend in the middle of a figure or subfigure."""
        legend = part.legend(
            handles=self.handles,
            labels=["x"] * len(self.labels),
            loc="center",
            ncols=self.columns,
            columnspacing=0.8,
            borderpad=0,
        )
        # matplotlib leaves out labels that begin with an underscore.
        for text, label in zip(legend.get_texts(), self.labels, strict=True):
            text.set_text(label)


def key_of(panels: Sequence[Panel], width: float) -> Key:
    """Return the legend of panels in a figure ``width`` inches wide."""
    # The fullest panels come first, as they define the order of the systems.
    fullest = sorted(panels, key=lambda panel: -len(panel.lines))
    lines = [line for panel in fullest for line in panel.lines]
    found = {line.label: (line.label, look_of(line)) for line in lines if not line.published}
    entries = list(found.values())
    published = {line.bound: line for line in lines if line.published}
    entries += [(_PUBLISHED[bound], look_of(published[bound])) for bound in sorted(published)]
    labels = [broken(text, width - _HANDLE - 0.1, TEXT) for text, _ in entries]
    widest = max(width_of(label, TEXT) for label in labels) + _HANDLE
    columns = max(1, min(int(width / widest), len(labels)))
    parts = np.array_split([label.count("\n") + 1 for label in labels], columns)
    height = _LINE * max(int(part.sum()) for part in parts) + 0.08
    handles = tuple(Line2D([], [], **look) for _, look in entries)
    return Key(handles, tuple(labels), columns, height)


def look_of(line: Line) -> Look:
    """Return how a line is drawn."""
    return {**line.look, "linestyle": "none"} if line.kind == "points" else line.look
