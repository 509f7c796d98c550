"""Panels with lines: what every figure is made of, and the numbers of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from experiments.analysis.table import Table
from experiments.figures.parts.style import Look

Range = tuple[float | None, float | None]
"""From, to; None where it is not known."""


@dataclass(frozen=True)
class Axis:
    """What lies along one side of a panel."""

    key: str
    """Its column in the table."""
    label: str
    ratio: bool = False
    """A bandwidth ratio: logarithmic, 1/16 for 0.0625."""
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """One system in a panel."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    look: Look
    error: tuple[Range, ...] = ()
    """Mean minus and plus its standard error over the images, drawn as a band."""
    interval: tuple[Range, ...] = ()
    """95 % over the draws: bars, or a band along steps."""
    notes: tuple[str, ...] = ()
    """At each point; empty texts are not drawn."""
    names: tuple[str, ...] = ()
    """Of each point, for the table alone."""
    kind: Literal["line", "steps", "points"] = "line"
    published: bool = False
    bound: bool = False
    """Of what is published: bits at capacity, never sent."""


@dataclass(frozen=True)
class Panel:
    """Axes with lines."""

    title: tuple[str, ...]
    """In parts; those that all panels of a figure share are said once."""
    facts: dict[str, Any]
    """What holds for all of it; columns of the table."""
    x: Axis
    y: Axis
    lines: tuple[Line, ...]
    marks: tuple[float, ...] = ()
    """Places on the x-axis that a thin line shows."""
    base: float | None = None
    """A height that a thin line shows."""
    diagonal: bool = False
    """Whether a thin line shows where both axes are equal."""


def table(name: str, title: str, caption: str, panels: Sequence[Panel]) -> Table:
    """Return every point that is drawn."""
    facts = list(dict.fromkeys(fact for panel in panels for fact in panel.facts))
    keys = list(dict.fromkeys(panel.y.key for panel in panels))
    y = keys[0] if len(keys) == 1 else "value"
    spread = ("error_low", "error_high", "interval_low", "interval_high")
    more = ("note", "image", "published")
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
    texts = zip(line.notes or empty, line.names or empty, strict=True)
    return [
        (x, y, *e, *i, note or None, name or None, "yes" if line.published else None)
        for x, y, e, i, (note, name) in zip(line.x, line.y, error, interval, texts, strict=True)
    ]
