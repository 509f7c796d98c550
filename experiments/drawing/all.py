"""Every figure and table that a study supports."""

from __future__ import annotations

from experiments.drawing.base import Drawing, Table
from experiments.drawing.bd_rate import bd_table
from experiments.drawing.draws_table import draws_table
from experiments.drawing.gain_figures import gain_figures
from experiments.drawing.outage import outage
from experiments.drawing.points import prepare
from experiments.drawing.rate_distortion import quality_snr, rate_distortion
from experiments.drawing.region_background import region_background
from experiments.drawing.scatter import scatter
from experiments.drawing.style import COLUMN
from experiments.drawing.tables import differences_table, gains_table, lost_table, means_table
from experiments.measured import Study

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
    study = prepare(study)
    return [one for figure in FIGURES for one in figure(study, width=width)]


def tables(study: Study) -> list[Table]:
    """Return every table that the data support."""
    study = prepare(study)
    others = (gains_table, bd_table, differences_table, draws_table, lost_table)
    found = (table(study) for table in others)
    return [means_table(study), *(table for table in found if table is not None)]
