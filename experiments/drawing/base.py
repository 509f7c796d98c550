"""What a figure or a table is made of, whoever shows it: ``semcom plot``, or the report."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Drawing:
    """A figure and the numbers behind it."""

    figure: Figure
    data: Table
    """Every point that is drawn, with its interval; its name, title and caption are the figure's.
    """
