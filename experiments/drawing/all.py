"""Every figure and table that a study supports."""

from __future__ import annotations

from dataclasses import replace

from experiments.drawing.base import Drawing, Table
from experiments.drawing.gains import gain_figures
from experiments.drawing.outage import outage
from experiments.drawing.points import complete, prepare
from experiments.drawing.rate_distortion import quality_snr, rate_distortion
from experiments.drawing.region_background import region_background
from experiments.drawing.scatter import scatter
from experiments.drawing.style import COLUMN
from experiments.study import Study

FIGURES = (
    rate_distortion,
    quality_snr,
    region_background,
    gain_figures,
    outage,
    scatter,
)


def draw(study: Study, *, width: float = COLUMN) -> list[Drawing]:
    """Draw every figure that the data support, ``width`` inches wide."""
    study, note = complete(prepare(study))
    found = [one for figure in FIGURES for one in figure(study, width=width)]
    return [_add(one, note) for one in found] if note else found


def _add(drawing: Drawing, note: str) -> Drawing:
    return replace(drawing, data=replace(drawing.data, caption=f"{drawing.data.caption} {note}"))


def tables(study: Study) -> list[Table]:
    return []
