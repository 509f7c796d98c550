"""Figures before they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from experiments.analysis.table import Table


@dataclass(frozen=True)
class Drawing:
    """A figure that is drawn when needed, and the numbers that it shows."""

    draw: Callable[[], Figure]
    data: Table
    """All points with their intervals, and the name, title and caption of the figure."""

    @cached_property
    def figure(self) -> Figure:
        """The figure, which is drawn on first use."""
        return self.draw()
