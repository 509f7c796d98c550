"""What a figure or a table is made of, whoever shows it: ``semcom plot``, or the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cells = tuple[tuple[Any, ...], ...]
"""Rows of text, numbers or None, as wide as the columns."""


@dataclass(frozen=True)
class Table:
    """Numbers with a name."""

    name: str
    """For files: ``bd-rate``."""
    title: str
    """One line for people."""
    caption: str
    """How the numbers were obtained, and what they do not say; one or two sentences."""
    columns: tuple[str, ...]
    rows: Cells
    scores: tuple[str, ...] = ()
    """Those columns that are scores, or gains of them."""
    anchor: str = ""
    """What gains are against."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """By channel: the title of its rows alone, where there are several channels."""


@dataclass(frozen=True)
class Drawing:
    """A figure and the numbers behind it."""

    figure: Figure
    data: Table
    """Every point that is drawn, with its interval; its name, title and caption are the figure's.
    """
