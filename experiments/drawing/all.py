"""Every figure and table that a study supports."""

from __future__ import annotations

from experiments.drawing.base import Drawing, Table
from experiments.drawing.points import prepare
from experiments.drawing.rate_distortion import quality_snr, rate_distortion
from experiments.drawing.style import COLUMN
from experiments.study import Study

FIGURES = {"rate-distortion": rate_distortion, "quality-snr": quality_snr}


def draw(study: Study, *, width: float = COLUMN) -> list[Drawing]:
    """Draw every figure that the data support."""
    study = prepare(study)
    return [one for figure in FIGURES.values() for one in figure(study, width=width)]


def tables(study: Study) -> list[Table]:
    return []
