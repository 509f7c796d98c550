"""A figure before it is drawn."""

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
    """A figure and the numbers behind it."""

    draw: Callable[[], Figure]
    data: Table
    """Every point that is drawn, with its interval; its name, title and caption are the figure's.
    """

    @cached_property
    def figure(self) -> Figure:
        """The figure, drawn when it is asked for."""
        return self.draw()
