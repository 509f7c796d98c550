"""Published curves as lines of a figure."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from experiments.figures.parts.panels import Line
from experiments.figures.parts.style import published_look
from experiments.suites.literature import Curve, Published

NOTE = (
    " Published curves are grey, with their names at their ends; bounds are dotted. Most were read "
    "off figures, ±0.1 dB, and show PSNR without any region."
)


def published_lines(curves: Iterable[tuple[Published, Curve]]) -> list[Line]:
    """Return the lines of published curves, the highest first."""
    lines = [
        Line(
            one.name,
            tuple(x for x, _ in curve),
            tuple(y for _, y in curve),
            published_look(bound=one.bound),
            published=True,
            bound=one.bound,
        )
        for one, curve in curves
        if len(curve) > 1
    ]
    middle = np.median([x for line in lines for x in line.x]) if lines else 0.0
    return sorted(lines, key=lambda line: -float(np.interp(middle, line.x, line.y)))
