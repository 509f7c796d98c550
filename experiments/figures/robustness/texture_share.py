"""Figure of the cue that a segmenter follows: texture or shape."""

from __future__ import annotations

from experiments.analysis.cue_conflict import texture_shares
from experiments.analysis.robustness import name_of
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.panels import Axis, Line, Panel
from experiments.figures.parts.style import system_look
from experiments.store.measured import SuiteResults
from semcom.disturbances.cue_conflict import CONTOUR


def texture_share(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the share of decisions for the texture over the weight of the contour."""
    shares = [share for share in texture_shares(study) if share.decided]
    kinds = list(dict.fromkeys(share.kind for share in shares))
    axes = (
        Axis("contour", "weight of the contour", ticks=CONTOUR),
        Axis("texture_share", "share of decisions for texture"),
    )
    panels = []
    for place, kind in enumerate(kinds):
        some = sorted((s for s in shares if s.kind == kind), key=lambda share: share.severity)
        x = tuple(CONTOUR[share.severity - 1] for share in some)
        y = tuple(share.texture / share.decided for share in some)
        notes = tuple(f"{share.texture}/{share.decided}" for share in some)
        line = Line(name_of(kind), x, y, system_look(place), notes=notes)
        panels.append(Panel((name_of(kind),), {}, *axes, (line,), base=0.5))
    caption = (
        "Numbers beside the points: masks that show the texture, of all masks that have an IoU of "
        "at least 0.5 with the region of one cue, and less with that of the other."
    )
    return drawings("texture-or-shape", "Texture or shape", caption, panels, width=width)
