"""What others published, where it is about the same images and channel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from experiments.drawing.panels import Line
from experiments.drawing.style import published_look
from experiments.literature import Curve, Published, choose, is_kodak
from experiments.measured import Study

NOTE = (
    " Published curves are grey, with their names at their ends, and dotted where they are bounds; "
    "most were read off figures, ±0.1 dB, and are of PSNR without any region."
)


def beside(study: Study, channel: str) -> list[Published]:
    """Return the curves that a suite asks for; none but for all 24 images of Kodak."""
    names = ",".join(study.suite["beside"])
    every = {row.key for point in study.points for row in point.rows}
    if not names or not is_kodak(study.digests) or study.counted["psnr_db"] != every:
        return []
    return choose(names, channel)[0]


def published_lines(curves: Iterable[tuple[Published, Curve]]) -> list[Line]:
    """Return lines, the highest first."""
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
