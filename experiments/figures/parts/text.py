"""Width of text in figures, and breaking of text into lines that fit.

The functions must be called within :func:`experiments.figures.parts.fonts.plain_text`, which sets
the fonts.
"""

from __future__ import annotations

import functools
import textwrap
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DPI = 300
_LEAST = 4  # letters of a line


@functools.cache
def _canvas() -> FigureCanvasAgg:
    return FigureCanvasAgg(Figure(dpi=_DPI))


def width_of(text: str, size: float) -> float:
    """Return the width in inches of the longest line of text, for a size in points."""
    canvas = _canvas()
    renderer: Any = canvas.get_renderer()  # type: ignore[no-untyped-call]
    shown = canvas.figure.text(0, 0, text, fontsize=size)
    width = shown.get_window_extent(renderer).width / _DPI
    shown.remove()
    return float(width)


def broken(text: str, width: float, size: float, *, most: int = 3) -> str:
    """Break text into at most ``most`` lines of ``width`` inches; an ellipsis ends longer text."""
    whole = width_of(text, size)
    if whole <= width:
        return text
    letters = max(_LEAST, int(len(text) * width / whole))
    while True:
        lines = textwrap.wrap(text, letters, max_lines=most, placeholder="…")
        if letters == _LEAST or max(width_of(line, size) for line in lines) <= width:
            return "\n".join(lines)
        letters = max(_LEAST, letters - 1 - letters // 20)
