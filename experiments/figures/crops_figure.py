"""Drawing of crops in a grid at the size of paper, each with its PSNR below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import OUTLINE, SETTINGS, SMALL, TEXT
from experiments.figures.parts.text import broken
from semcom.types import Image

_MARGIN = 0.04  # inches, as all below
_TITLE = 0.28
_HEAD = 0.2
_NAME = 0.26  # of a system, beside its row
_BELOW = 0.17  # of a crop, for its PSNR
_GAP = 0.05
_MOST = 1.5  # side of a crop
_TALLEST = 9.0  # a page

Place = tuple[str, float]
"""CBR as text and SNR in dB."""
Where = tuple[str, Place]
"""System and place."""


@dataclass(frozen=True)
class Crops:
    """The crops of an image."""

    title: tuple[str, ...]
    original: Image
    beside: str
    """Name of the original: what the camera saw may differ from it."""
    region: NDArray[np.bool_]
    """The region that matters."""
    box: tuple[slice, slice]
    """Rows and columns of the crop."""
    systems: tuple[str, ...]
    heads: dict[Place, str]
    """Heads of the columns, in order."""
    pieces: dict[Where, Image]
    values: dict[Where, float]
    """Scores in dB; an exact copy has none."""
    lost: frozenset[Where]

    def text(self, where: Where) -> str:
        """Return the text below a crop."""
        if where in self.lost:
            return "lost"
        return f"{self.values[where]:.2f} dB" if where in self.values else "exact"

    def is_best(self, where: Where) -> bool:
        """Whether a crop has the highest score of its column."""
        column = [self.values[one] for one in self.values if one[1] == where[1]]
        return len(column) > 1 and self.values.get(where) == max(column)


def draw_crops(crops: Crops, *, width: float) -> Figure:
    """Draw the original on the left and a row for each system; at most ``width`` inches wide.

    If there is a single condition, the systems are drawn side by side.
    """
    with plain_text(SETTINGS):
        grid = _Grid.of(crops, width)
        figure = Figure(figsize=(grid.width, grid.height))
        FigureCanvasAgg(figure)
        title = broken(", ".join(crops.title), grid.width - 2 * _MARGIN, TEXT, most=2)
        above = 1 - _MARGIN / grid.height
        figure.text(0.5, above, title, ha="center", va="top", fontsize=TEXT)
        _show(grid.put(figure, 0, None), crops.original[crops.box], crops.beside, "")
        if len(grid.cells) > 1:
            _show_whole(grid.put(figure, 1, None), crops)
        for row, cells in enumerate(grid.cells):
            for column, where in enumerate(cells):
                axes = grid.put(figure, row, column)
                piece = crops.pieces.get(where)
                system, place = where
                head = system if grid.alone else crops.heads[place] if row == 0 else ""
                below = "–" if piece is None else crops.text(where)
                head = broken(head, grid.side, SMALL, most=2)
                _show(axes, piece, head, below, bold=crops.is_best(where))
                if column == 0 and not grid.alone:
                    _name(axes, broken(system, grid.side, SMALL, most=2))
    return figure


class _Grid(NamedTuple):
    """The layout of the crops, in inches."""

    cells: list[list[Where]]
    alone: bool
    """Whether there is a single condition, so that columns are systems."""
    side: float
    width: float
    height: float

    @staticmethod
    def of(crops: Crops, width: float) -> _Grid:
        """Compute the layout."""
        alone, most = len(crops.heads) == 1, max(1, int(width / _MOST) - 1)
        cells = [[(system, place) for place in crops.heads] for system in crops.systems]
        if alone:
            every = [row[0] for row in cells]
            cells = [every[i : i + most] for i in range(0, len(every), most)]
        columns, rows = max(map(len, cells)), len(cells)
        room = width - 2 * _MARGIN - _NAME - columns * _GAP
        tall = (_TALLEST - _TITLE - 2 * _MARGIN) / rows - _HEAD - _BELOW
        side = min(_MOST, room / (columns + 1), tall)
        height = 2 * _MARGIN + _TITLE + rows * (_HEAD * alone + side + _BELOW) + _HEAD * (not alone)
        return _Grid(cells, alone, side, width + (columns + 1) * side - room, height)

    def put(self, figure: Figure, row: int, column: int | None) -> Axes:
        """Add axes of the size of a crop; column None is that of the original."""
        x = _MARGIN
        if column is not None:
            x += self.side + _NAME + _GAP + column * (self.side + _GAP)
        y = _MARGIN + _TITLE + _HEAD + row * (_HEAD * self.alone + self.side + _BELOW)
        size = round(self.side / self.width, 6), round(self.side / self.height, 6)
        corner = round(x / self.width, 6), round(1 - (y + self.side) / self.height, 6)
        axes = figure.add_axes((*corner, *size))
        axes.set_axis_off()
        return axes


def _show(axes: Axes, piece: Image | None, head: str, below: str, *, bold: bool = False) -> None:
    if piece is not None:
        # Show pixels as they are, without interpolation between them.
        axes.imshow(piece, interpolation="none", aspect="auto")
    centre: dict[str, Any] = {"ha": "center", "transform": axes.transAxes}
    axes.text(0.5, 1.02, head, va="bottom", fontsize=SMALL, **centre)
    weight = "bold" if bold else "normal"
    axes.text(0.5, -0.02, below, va="top", fontsize=SMALL, fontweight=weight, **centre)


def _name(axes: Axes, text: str) -> None:
    """Write a system's name upright beside the first crop of its row."""
    beside: dict[str, Any] = {"ha": "right", "va": "center", "transform": axes.transAxes}
    axes.text(-0.04, 0.5, text, rotation=90, fontsize=SMALL, **beside)


def _show_whole(axes: Axes, crops: Crops) -> None:
    """Show the whole picture with the region and the position of the crop."""
    axes.imshow(crops.original, interpolation="antialiased")
    axes.set_anchor("N")
    if 0 < crops.region.mean() < 1:
        axes.contour(crops.region, levels=[0.5], colors=["white"], linewidths=0.8)
    rows, columns = crops.box
    size = (columns.stop - columns.start, rows.stop - rows.start)
    corner = (columns.start - 0.5, rows.start - 0.5)
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=OUTLINE, linewidth=1))
