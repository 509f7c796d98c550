"""Figures over the severity of disturbances: scores, and gains over the anchor."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analysis.gains import Pair, anchor_name, gain, gain_label, gain_scores, pairs
from experiments.analysis.left_out import left_out
from experiments.analysis.points import count_images
from experiments.analysis.robustness import by_kind, is_disturbed, kind_of, name_of
from experiments.analysis.score_names import label, shown_scores
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import about, where
from experiments.figures.parts.panels import Axis, Line, Panel, Range
from experiments.figures.parts.style import system_look
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from semcom.disturbances.attacks.gradient import EPSILON
from semcom.disturbances.pin import unpinned

_CLEAN = 0  # place of undisturbed pictures on the axis of severity
MOST_PANELS = 6
"""Disturbances that have a panel each; more are shown as a map."""
_NOTE = " Severity 0: undisturbed."


def over_severity(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw scores over the severity, with a panel for each disturbance."""
    if not is_disturbed(study) or len(disturbances(study)) > MOST_PANELS:
        return []
    panels = [
        panel for score in shown_scores(study) for panel in _panels(study, score, gains=False)
    ]
    said = (about(study.points) + _NOTE * _has_clean(study), left_out(study, shown_scores(study)))
    caption = " ".join(filter(None, said))
    return drawings("severity", "Scores over severity", caption, panels, width=width)


def gain_over_severity(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw gains over the anchor under the same disturbance, over the severity."""
    if not is_disturbed(study) or len(disturbances(study)) > MOST_PANELS:
        return []
    panels = [panel for score in gain_scores(study) for panel in _panels(study, score, gains=True)]
    caption = (
        f"Gain over {anchor_name(study)} within the same bandwidth and under the same disturbance."
    )
    if (images := count_images(study.points)) > 1:
        caption += f" Means over {images} images of the difference for each image; bands: "
        caption += "± standard error."
    if len({point.setting.scored_theta for point in study.points}) > 1:
        caption += " Each system is compared at its own θ."
    caption += _NOTE * _has_clean(study)
    caption = " ".join(filter(None, (caption, left_out(study, gain_scores(study)))))
    title = "Gain at equal bandwidth over severity"
    return drawings("gain-severity", title, caption, panels, width=width)


def disturbances(study: SuiteResults) -> list[str]:
    """Return the names of the disturbances, in the order of the suite."""
    names = dict.fromkeys(point.setting.disturbance for point in study.points)
    return [name for name in names if name]


def _has_clean(study: SuiteResults) -> bool:
    return any(not point.setting.disturbance for point in study.points)


def _panels(study: SuiteResults, score: str, *, gains: bool) -> list[Panel]:
    kinds = list(dict.fromkeys(map(kind_of, study.points)))
    partner = {id(pair.point): pair for pair in pairs(study)} if gains else {}
    conditions = list(dict.fromkeys(key for _, key in by_kind(study)))
    panels = []
    for name in disturbances(study):
        for condition in conditions:
            lines = []
            for (kind, key), points in by_kind(study).items():
                if key != condition:
                    continue
                some = [p for p in points if p.setting.disturbance in ("", name)]
                known: list[tuple[int, float, float]] = []
                for point in some:
                    value = _value(study, point, score, partner if gains else None)
                    if value is not None:
                        known.append((_place(point), *value))
                lines += _line(kind, kinds, sorted(known))
            channel, cbr, snr_db = condition
            shown = unpinned(name)
            facts = {"channel": channel, "cbr": cbr, "snr_db": snr_db, "disturbance": shown}
            title = (
                shown,
                *(where(channel, snr_db=snr_db, cbr=cbr) if len(conditions) > 1 else ()),
            )
            y = Axis(score, gain_label(score) if gains else label(score, study))
            x = Axis("severity", _severity(name), ticks=tuple(range(6)))
            base = 0.0 if gains else None
            panels.append(Panel(title, {**facts, "score": score}, x, y, tuple(lines), base=base))
    return panels


def _severity(name: str) -> str:
    """Label the axis; severities of attacks are largest changes of a pixel."""
    if name.partition(":")[0] not in ("fgsm", "pgd"):
        return "severity"
    return f"severity (ε = {', '.join(map(str, EPSILON))} grey levels)"


def _value(
    study: SuiteResults, point: Point, score: str, partner: dict[int, Pair] | None
) -> tuple[float, float] | None:
    """Return a mean, or a gain, and its standard error; None if it is not over all images."""
    if partner is None:
        mean = point.mean(score) if study.whole([point], score) else None
        return None if mean is None else (mean, point.standard_error(score))
    pair = partner.get(id(point))
    if pair is None or len(study.whole((pair.anchor, pair.point), score)) < 2:
        return None
    found = gain(pair, score)
    return None if found is None else (found.mean, found.error)


def _place(point: Point) -> int:
    return point.setting.severity if point.setting.disturbance else _CLEAN


def _line(
    kind: System, kinds: Sequence[System], known: Sequence[tuple[int, float, float]]
) -> list[Line]:
    if len(known) < 2:
        return []
    x, y, errors = zip(*known, strict=True)
    band: tuple[Range, ...] = tuple((m - e, m + e) for m, e in zip(y, errors, strict=True))
    look = system_look(kinds.index(kind))
    return [Line(name_of(kind), tuple(map(float, x)), y, look, error=band if any(errors) else ())]
