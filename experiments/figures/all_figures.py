"""All figures of the results of a suite."""

from __future__ import annotations

from pathlib import Path

from experiments.analysis.points import prepare
from experiments.analysis.robustness import is_disturbed
from experiments.analysis.table import Tell, spared
from experiments.figures.crops import crops
from experiments.figures.drawing import Drawing
from experiments.figures.gain_figures import gain_figures, gain_theta
from experiments.figures.needed_bandwidth import needed_bandwidth
from experiments.figures.outage import outage
from experiments.figures.overview import overview
from experiments.figures.parts.style import COLUMN
from experiments.figures.rate_distortion import quality_snr, rate_distortion
from experiments.figures.region_background import region_background
from experiments.figures.robustness.gain_over_iou import gain_over_iou
from experiments.figures.robustness.maps import gain_map, severity_map, transfer
from experiments.figures.robustness.severity import gain_over_severity, over_severity
from experiments.figures.robustness.texture_share import texture_share
from experiments.figures.scatter import scatter
from experiments.store.database import Database
from experiments.store.measured import SuiteResults

FIGURES = (
    rate_distortion,
    quality_snr,
    region_background,
    gain_figures,
    gain_theta,
    outage,
    scatter,
    overview,
    needed_bandwidth,
)
DISTURBED = (
    over_severity,
    gain_over_severity,
    gain_over_iou,
    severity_map,
    gain_map,
    transfer,
    texture_share,
)
"""The figures of a suite whose systems are disturbed in different ways; the others would show each
disturbance and severity as a system of its own."""


def draw(
    study: SuiteResults,
    *,
    width: float = COLUMN,
    pictures: Path | Database | None = None,
    tell: Tell | None = None,
) -> list[Drawing]:
    """Return every figure that the data support, ``width`` inches wide.

    If ``pictures`` is the results file, crops of its pictures are drawn as well. ``tell`` receives
    the errors of figures that fail; without it, they are raised.
    """
    study = prepare(study)
    found: list[Drawing] = []
    for figure in DISTURBED if is_disturbed(study) else FIGURES:
        with spared(figure.__name__.replace("_", "-"), tell):
            found += figure(study, width=width)
    if pictures is not None and not is_disturbed(study):
        with spared("crops", tell):
            found += crops(study, pictures, width=width, tell=tell)
    return found
