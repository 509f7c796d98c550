"""Style of figures: sizes of IEEE's columns, Okabe and Ito's colours, markers for grey print."""

from __future__ import annotations

from typing import Any

COLUMN = 3.5
"""Width of a column of IEEE's journals in inches."""
PAGE = 7.16
"""Width of both columns in inches."""
TEXT = 7
"""Size of text in points."""
SMALL = 6
"""Size in points of text beside lines and points."""
PUBLISHED = "#777777"
"""Colour of published curves."""
Look = dict[str, Any]
"""Keywords of ``Axes.plot``."""

SETTINGS: Any = {
    "font.size": TEXT,
    "axes.titlesize": 7.5,
    "axes.labelsize": TEXT,
    "figure.titlesize": 7.5,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": TEXT,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.8,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "svg.hashsalt": "semcom",
}
"""Settings for :func:`experiments.figures.parts.fonts.plain_text`, for drawing and saving."""

BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
SKY, BLACK, ORANGE, GREY = "#56b4e9", "#000000", "#e69f00", "#7f7f7f"
DARK = "#555555"
"""Colour of lines in a legend that stand for several colours."""
OUTLINE = "#ff2d95"
"""Colour of the outlines of regions and crops on pictures."""
_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, BLACK, ORANGE)
_MARKERS = ("s", "o", "^", "D", "v", "P", "X")
_DASHES: tuple[Any, ...] = (
    "--",
    "-",
    "-.",
    (0, (5, 1, 1, 1, 1, 1)),
    (0, (2, 1)),
    (0, (8, 2)),
    (0, (6, 1, 2, 1)),
)


def system_look(place: int, *, colour: int | None = None, bound: bool = False) -> Look:
    """Return the look of the system at a position; 49 systems differ in marker or dashes.

    ``colour`` is the position of the colour, if the colour does not depend on the system. If there
    are more such positions than colours, marker and dashes distinguish these as well.
    """
    if colour is None:
        colour = place
    else:
        place += 3 * (colour // len(_COLOURS))
    turn = place // len(_COLOURS)
    look = {
        "color": _COLOURS[colour % len(_COLOURS)],
        "marker": _MARKERS[(place + 2 * turn) % len(_MARKERS)],
        "linestyle": _DASHES[(place + turn) % len(_DASHES)],
    }
    return {**look, "linestyle": ":", "markerfacecolor": "white"} if bound else look


def published_look(*, bound: bool) -> Look:
    """Return the look of published curves: thin and grey, with a dot at each point."""
    return {
        "color": PUBLISHED,
        "marker": ".",
        "linestyle": ":" if bound else "-",
        "linewidth": 0.7,
        "markersize": 2.6,
        "zorder": 2,
    }


def series_look(place: int) -> Look:
    """Return colour and marker of a series; markers are hollow once the colours are used up."""
    colours = (*_COLOURS, GREY)
    colour = colours[place % len(colours)]
    face = colour if place < len(colours) else "white"
    return {"color": colour, "marker": "osD^vP*X"[place % 8], "markerfacecolor": face}
