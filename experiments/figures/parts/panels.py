"""Panels with lines, and the table of the numbers that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from experiments.analysis.table import Table
from experiments.figures.parts.style import Look

Range = tuple[float | None, float | None]
"""Both ends of a range; None if unknown."""


@dataclass(frozen=True)
class Axis:
    """An axis of a panel."""

    key: str
    """Name of its column in the table."""
    label: str
    ratio: bool = False
    """Whether it shows a bandwidth ratio, with a logarithmic scale and ticks such as 1/16."""
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """The line of one system in a panel."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    look: Look
    error: tuple[Range, ...] = ()
    """Mean ± standard error over the images, drawn as a band."""
    interval: tuple[Range, ...] = ()
    """95 % intervals over the draws, drawn as bars, or as a band along steps."""
    notes: tuple[str, ...] = ()
    """Text beside each point; empty texts are not drawn."""
    names: tuple[str, ...] = ()
    """Name of each point's image, only for the table."""
    chosen: tuple[str, ...] = ()
    """The value that won at each point, only for the table."""
    kind: Literal["line", "steps", "points"] = "line"
    published: bool = False
    bound: bool = False
    """Whether a published curve is a bound."""


@dataclass(frozen=True)
class Panel:
    """A panel: axes with lines."""

    title: tuple[str, ...]
    """Parts of the title; parts that all panels of a figure share appear once above them."""
    facts: dict[str, Any]
    """Values that hold for the whole panel; they are columns of the table."""
    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    marks: tuple[float, ...] = ()
    """Positions of thin vertical lines."""
    base: float | None = None
    """Height of a thin horizontal line."""
    diagonal: bool = False
    """Whether to draw the diagonal as a thin line."""


def table(name: str, title: str, caption: str, panels: Sequence[Panel]) -> Table:
    """Return the table of all points that are drawn."""
    facts = list(dict.fromkeys(fact for panel in panels for fact in panel.facts))
    keys = list(dict.fromkeys(panel.y.key for panel in panels))
    y = keys[0] if len(keys) == 1 else "value"
    spread = ("error_low", "error_high", "interval_low", "interval_high")
    more = ("note", "image", "best", "published")
    columns = (*facts, "system", panels[0].x.key, y, *spread, *more)
    rows = [
        (*(panel.facts.get(fact) for fact in facts), line.label, *point)
        for panel in panels
        for line in panel.lines
        for point in _points(line)
    ]
    first = len(facts) + 3
    kept = [i for i in range(len(columns)) if i < first or any(row[i] is not None for row in rows)]
    cells = tuple(tuple(row[i] for i in kept) for row in rows)
    return Table(name, title, caption, tuple(columns[i] for i in kept), cells)


def _points(line: Line) -> list[tuple[Any, ...]]:
    nothing: list[Range] = [(None, None)] * len(line.x)
    error, interval = line.error or nothing, line.interval or nothing
    empty = [""] * len(line.x)
    texts = zip(*(some or empty for some in (line.notes, line.names, line.chosen)), strict=True)
    published = "yes" if line.published else None
    return [
        (x, y, *e, *i, *(text or None for text in some), published)
        for x, y, e, i, some in zip(line.x, line.y, error, interval, texts, strict=True)
    ]
