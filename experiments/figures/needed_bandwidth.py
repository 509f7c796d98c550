"""Figure of the bandwidth that each task of the receiver needs: a row each, a mark per system."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.analysis.needed_bandwidth import Needed, needed, needed_table
from experiments.analysis.score_names import naming
from experiments.axis_values import ratio
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.lines import look, where
from experiments.figures.parts.style import SETTINGS, Look
from experiments.store.measured import SuiteResults

_ROW = 0.42  # height of a row, inches
_APART = 0.16  # distance of the systems within a row
_Condition = tuple[str, float]


def needed_bandwidth(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the bandwidth to 90 % of the best score, for suites with scores of tasks."""
    found = list(needed(study))
    table = needed_table(study)
    if table is None:
        return []
    panels: dict[_Condition, list[Needed]] = {}
    for one in found:
        panels.setdefault((one.channel, one.snr_db), []).append(one)
    looks = {one.system: look(study, one.point) for one in found}
    cbrs = sorted({point.cbr_budget for point in study.points})
    draw = functools.partial(_draw, panels, looks, cbrs, width=width)
    return [Drawing(draw, replace(table, name="needed-bandwidth"))]


def _draw(
    panels: Mapping[_Condition, Sequence[Needed]],
    looks: Mapping[str, Look],
    cbrs: Sequence[float],
    *,
    width: float,
) -> Figure:
    scores = list(dict.fromkeys(one.score for some in panels.values() for one in some))[::-1]
    with plain_text(SETTINGS):
        figure = Figure(figsize=(width, _ROW * len(scores) + 1.0))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for panel, ((channel, snr_db), some) in zip(axes, panels.items(), strict=True):
            panel.set_title("\n".join(where(channel, snr_db=snr_db)))
            _panel(panel, some, scores, looks, cbrs)
        axes[0].set_yticks(range(len(scores)), [naming(score).short for score in scores])
        figure.supxlabel("CBR to 90 % of the best score", fontsize=SETTINGS["axes.labelsize"])
        handles = [
            Line2D([], [], label=system, **{**style, "linestyle": ""})
            for system, style in looks.items()
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _panel(
    panel: Axes,
    some: Sequence[Needed],
    scores: Sequence[str],
    looks: Mapping[str, Look],
    cbrs: Sequence[float],
) -> None:
    """Draw a panel; an arrow to the left says at most, one to the right more than the suite has."""
    systems = list(looks)
    for one in some:
        shift = _APART * ((len(systems) - 1) / 2 - systems.index(one.system))
        row, style = scores.index(one.score) + shift, {**looks[one.system], "linestyle": ""}
        if one.cbr is None or one.at_most:
            marker = ">" if one.cbr is None else "<"
            style |= {"marker": marker, "markerfacecolor": "white"}
        panel.plot(one.cbr or cbrs[-1] * 1.12, row, **style)
    panel.set_xscale("log")
    panel.set_xticks(cbrs, [ratio(cbr) for cbr in cbrs])
    panel.set_xticks([], minor=True)
    panel.set_xlim(cbrs[0] / 1.2, cbrs[-1] * 1.25)
    panel.set_ylim(-0.5, len(scores) - 0.5)
