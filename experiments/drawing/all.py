"""Every figure and table that a study supports."""

from __future__ import annotations

from pathlib import Path

from experiments.drawing.base import Drawing, Table, Tell, spared
from experiments.drawing.bd_rate import bd_table
from experiments.drawing.crops import crops
from experiments.drawing.draws_table import draws_table
from experiments.drawing.gain_figures import gain_figures, gain_theta
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
    gain_theta,
    outage,
    scatter,
)
TABLES = (means_table, gains_table, bd_table, differences_table, draws_table, lost_table)


def draw(
    study: Study,
    *,
    width: float = COLUMN,
    pictures: Path | None = None,
    tell: Tell | None = None,
) -> list[Drawing]:
    """Return every figure that the data support, ``width`` inches wide.

    ``pictures`` is the results file, where those that it keeps are drawn, too. What fails is told,
    and stops no other; without ``tell``, it raises.
    """
    study = prepare(study)
    found: list[Drawing] = []
    for figure in FIGURES:
        with spared(figure.__name__.replace("_", "-"), tell):
            found += figure(study, width=width)
    if pictures is not None:
        with spared("crops", tell):
            found += crops(study, pictures, width=width, tell=tell)
    return found


def tables(study: Study, *, tell: Tell | None = None) -> list[Table]:
    """Return every table that the data support; what fails is as in :func:`draw`."""
    study = prepare(study)
    found = []
    for table in TABLES:
        with spared(table.__name__.replace("_", "-"), tell):
            found.append(table(study))
    return [table for table in found if table is not None]
