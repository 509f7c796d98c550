"""Every figure and table that a study supports."""

from __future__ import annotations

from dataclasses import replace

from experiments.drawing.base import Drawing, Table
from experiments.drawing.bd_rate import bd_table
from experiments.drawing.draws_table import draws_table
from experiments.drawing.gain_figures import gain_figures
from experiments.drawing.outage import outage
from experiments.drawing.points import complete, prepare
from experiments.drawing.rate_distortion import quality_snr, rate_distortion
from experiments.drawing.region_background import region_background
from experiments.drawing.scatter import scatter
from experiments.drawing.style import COLUMN
from experiments.drawing.tables import differences_table, gains_table, lost_table, means_table
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
    return [replace(one, data=_note(one.data, note)) for one in found]


def tables(study: Study) -> list[Table]:
    """Return every table that the data support.

    Means are of all points; what compares leaves out the points that lack images.
    """
    study = prepare(study)
    same, note = complete(study)
    compare = (gains_table(same), bd_table(same), differences_table(same))
    noted = [_note(table, note) for table in compare if table is not None]
    others = (draws_table(study), lost_table(study))
    return [means_table(study), *noted, *(table for table in others if table is not None)]


def _note(table: Table, note: str) -> Table:
    return replace(table, caption=f"{table.caption} {note}".strip())
