"""Figures as pictures that scale."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.drawing.base import Drawing
from experiments.drawing.fonts import plain_text
from experiments.drawing.style import SETTINGS
from experiments.report.grid import Grid, data_url, grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BYTES = 2 << 20
"""A larger SVG, of very many points, becomes a PNG."""


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page, with the numbers behind it."""

    src: str
    """As a data URL. An image, not inline, so that its styles and ids stay its own."""
    suffix: str
    numbers: Grid


def picture(drawing: Drawing) -> Picture:
    """Prepare a figure; the same figure gives the same bytes at any time."""
    data, suffix = _save(drawing.figure, "svg"), "svg"
    if len(data) > _MOST_BYTES:
        data, suffix = _save(drawing.figure, "png"), "png"
    kind = {"svg": "image/svg+xml", "png": "image/png"}[suffix]
    return Picture(data_url(kind, data), suffix, grid(drawing.data))


def _save(figure: Figure, suffix: str) -> bytes:
    sink = io.BytesIO()
    with plain_text({**SETTINGS, "svg.fonttype": "path"}):
        date = {"Date": None} if suffix == "svg" else {}
        figure.savefig(sink, format=suffix, dpi=200, facecolor="white", metadata=date)
    return sink.getvalue()
