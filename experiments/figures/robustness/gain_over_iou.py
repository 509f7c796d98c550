"""Scatter of gains over the IoU of the masks that steered the sender."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analysis.gains import (
    Pair,
    anchor_name,
    differences,
    gain_label,
    gain_scores,
    pairs,
)
from experiments.analysis.robustness import is_disturbed, kind_of, name_of
from experiments.analysis.score_names import has
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import where
from experiments.figures.parts.panels import Axis, Line, Panel
from experiments.figures.parts.style import system_look
from experiments.store.measured import SuiteResults
from experiments.suites.axes import System
from semcom.disturbances.pin import unpinned

_IOU = "iou_truth"
_SCORES = ("region_psnr_db", "theta_psnr_db")


def gain_over_iou(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw the gain of each disturbed picture over the IoU of its mask with the true one.

    There is a figure if masks were scored against the truth, and a panel for each of the two scores
    that importance is meant to raise.
    """
    if not is_disturbed(study) or not has(study.points, _IOU):
        return []
    kinds = list(dict.fromkeys(map(kind_of, study.points)))
    found: dict[tuple[str, str, float], dict[System, list[Pair]]] = {}
    for pair in pairs(study):
        s = pair.point.setting
        if not s.blind:
            some = found.setdefault((s.channel, s.cbr, s.snr_db), {})
            some.setdefault(kind_of(pair.point), []).append(pair)
    panels = []
    for score in (name for name in _SCORES if name in gain_scores(study)):
        for (channel, cbr, snr_db), systems in found.items():
            facts = {"channel": channel, "cbr": cbr, "snr_db": snr_db, "score": score}
            y = Axis(score, gain_label(score))
            lines = [_points(kind, kinds, some, score) for kind, some in systems.items()]
            known = tuple(line for line in lines if line)
            title = where(channel, snr_db=snr_db, cbr=cbr) if len(found) > 1 else ()
            panels.append(Panel(title, facts, _X, y, known, base=0.0))
    caption = (
        "Each point is a picture, undisturbed or under one disturbance of one severity. Above the "
        "line, it is "
        f"better than with {anchor_name(study)} within the same bandwidth."
    )
    return drawings("gain-iou", "Gain over the IoU of masks", caption, panels, width=width)


_X = Axis(_IOU, "IoU with the true mask")


def _points(kind: System, kinds: Sequence[System], some: Sequence[Pair], score: str) -> Line | None:
    known = []
    for pair in some:
        gained = differences(pair, score)
        s = pair.point.setting
        how = f", {unpinned(s.disturbance)} {s.severity}" if s.disturbance else ""
        for row in pair.point.rows:
            iou = row.mean(_IOU)
            if iou is not None and row.key in gained:
                known.append((iou, gained[row.key], f"{row.name}{how}"))
    if not known:
        return None
    x, y, names = zip(*known, strict=True)
    look = system_look(kinds.index(kind))
    return Line(name_of(kind), x, y, look, names=names, kind="points")
