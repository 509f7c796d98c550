"""Figures as scalable images for the page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import SETTINGS
from experiments.report.table_cells import Grid, data_url, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BYTES = 2 << 20
"""Largest size of an SVG; a larger one, with very many points, becomes a PNG."""


@dataclass(frozen=True)
class Picture:
    """A figure for the page, with the numbers that it shows."""

    src: str
    """Data URL. It is an image, not inline SVG, so that its styles and ids remain separate."""
    suffix: str
    numbers: Grid
    narrow: str = ""
    """Data URL of the figure for small screens; empty if there is none."""


def picture(drawing: Drawing, narrow: Drawing | None = None) -> Picture:
    """Prepare a figure and its variant for small screens.

    The same figure always gives the same bytes.
    """
    src, suffix = _url(drawing.figure)
    small = _url(narrow.figure)[0] if narrow else ""
    return Picture(src, suffix, grid(drawing.data), small)


def _url(figure: Figure) -> tuple[str, str]:
    """Return a figure as a data URL, and the suffix of its file."""
    data = _save(figure, "svg")
    if len(data) <= _MOST_BYTES:
        return data_url("image/svg+xml", data), "svg"
    return data_url("image/png", _save(figure, "png")), "png"


def _save(figure: Figure, suffix: str) -> bytes:
    sink = io.BytesIO()
    with plain_text({**SETTINGS, "svg.fonttype": "path"}):
        date = {"Date": None} if suffix == "svg" else {}
        figure.savefig(sink, format=suffix, dpi=200, facecolor="white", metadata=date)
    return sink.getvalue()
