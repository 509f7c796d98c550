"""Overview of many codecs: a row for each, a panel for each condition."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from experiments.analysis.points import MOST_SYSTEMS, conditions, count_images, draws_words
from experiments.analysis.score_names import has, label
from experiments.analysis.table import Table
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.lines import where
from experiments.figures.parts.style import BLUE, GREY, SETTINGS, VERMILION, Look
from experiments.store.measured import Point, SuiteResults

_ROW = 0.19  # height of a row, inches
_BLIND_LOOK: Look = {"marker": "o", "color": BLUE, "markerfacecolor": "white"}
_STEERED_LOOK: Look = {"marker": "o", "color": VERMILION}
_WHOLE_LOOK: Look = {"marker": "|", "color": GREY, "markersize": 6}
_SCORE, _WHOLE = "region_psnr_db", "psnr_db"

Condition = tuple[str, str, float]
Values = dict[tuple[str, bool], tuple[float, float]]
"""Score of the region and of the whole picture, by codec and by whether the sender is blind."""


def overview(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw region and picture for each codec, blind and by importance, if there are many codecs."""
    codecs = list(study.axis("codec"))
    if len(codecs) <= MOST_SYSTEMS or not all(has(study.points, s) for s in (_SCORE, _WHOLE)):
        return []
    found: dict[Condition, Values] = {}
    for condition, points in conditions(study.points, "channel", "cbr", "snr_db").items():
        values = _values(points)
        if len(values) < len(points):
            return []  # several systems with the same codec
        found[condition] = values
    order = sorted(codecs, key=lambda codec: _best(found, codec))
    title = f"{label(_SCORE, study)}, blind and by importance"
    images = count_images(study.points)
    caption = (
        f"Means over {images} {'images' if images > 1 else 'image'}. Circles: PSNR of the region, "
        "hollow for a blind sender, filled for one steered by importance. Grey lines: PSNR of the "
        "whole picture of a blind sender. Codecs without a filled circle cannot be steered."
    )
    if words := draws_words(study.points):
        caption += f" {words.capitalize()}."
    cells = tuple(
        (*condition, codec, "yes" if blind else "no", *found[condition][codec, blind])
        for condition in found
        for codec in reversed(order)
        for blind in (True, False)
        if (codec, blind) in found[condition]
    )
    columns = ("channel", "cbr", "snr_db", "codec", "blind", _SCORE, _WHOLE)
    table = Table("overview", title, caption, columns, cells)
    return [Drawing(functools.partial(_draw, found, order, width=width), table)]


def _values(points: Sequence[Point]) -> Values:
    found: Values = {}
    for point in points:
        region, whole = point.mean(_SCORE), point.mean(_WHOLE)
        if region is not None and whole is not None:
            found[point.setting.codec, point.setting.blind] = region, whole
    return found


def _best(found: Mapping[Condition, Values], codec: str) -> float:
    """Return the mean over conditions of the better of both senders' regions."""
    best = [
        max(values[codec, blind][0] for blind in (True, False) if (codec, blind) in values)
        for values in found.values()
        if (codec, True) in values or (codec, False) in values
    ]
    return sum(best) / len(best) if best else 0.0


def _draw(found: Mapping[Condition, Values], order: Sequence[str], *, width: float) -> Figure:
    with plain_text(SETTINGS):
        figure = Figure(figsize=(width, _ROW * len(order) + 1.1))
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained")
        panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
        for panel, ((channel, cbr, snr_db), values) in zip(panels, found.items(), strict=True):
            for row, codec in enumerate(order):
                blind, steered = values.get((codec, True)), values.get((codec, False))
                if blind and steered:
                    panel.plot([blind[0], steered[0]], [row, row], "-", color=BLUE, linewidth=0.8)
                for place, look in (
                    (blind and blind[1], _WHOLE_LOOK),
                    (blind and blind[0], _BLIND_LOOK),
                    (steered and steered[0], _STEERED_LOOK),
                ):
                    if place is not None:
                        panel.plot(place, row, **look)
            panel.margins(x=0.08)
            panel.set_title("\n".join(where(channel, snr_db=snr_db, cbr=cbr)))
            panel.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        panels[0].set_yticks(range(len(order)), list(order))
        figure.supxlabel("PSNR, dB", fontsize=SETTINGS["axes.labelsize"])
        shown = {
            "region, blind": _BLIND_LOOK,
            "region, by importance": _STEERED_LOOK,
            "whole picture, blind": _WHOLE_LOOK,
        }
        handles = [Line2D([], [], linestyle="", label=name, **look) for name, look in shown.items()]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure
