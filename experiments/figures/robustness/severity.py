"""Figures over the severity of disturbances: scores, and gains over the anchor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from experiments.analysis.gains import Pair, anchor_name, gain, gain_label, gain_scores, pairs
from experiments.analysis.left_out import left_out
from experiments.analysis.points import count_images
from experiments.analysis.robustness import CONTROL, by_kind, is_disturbed, kind_of, name_of
from experiments.analysis.score_names import label, shown_scores
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import about, where
from experiments.figures.parts.panels import Axis, Line, Panel, Range
from experiments.figures.parts.style import Look, system_look
from experiments.store.measured import Point, SuiteResults
from semcom.disturbances.attacks.gradient import EPSILON
from semcom.disturbances.pin import unpinned

_CLEAN = 0  # place of undisturbed pictures on the axis of severity
MOST_PANELS = 6
"""Disturbances that have a panel each; more are shown as a map."""


def over_severity(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw scores over the severity, with a panel for each disturbance."""
    if not is_disturbed(study) or len(disturbances(study)) > MOST_PANELS:
        return []
    panels = [
        panel for score in shown_scores(study) for panel in _panels(study, score, gains=False)
    ]
    said = (about(study.points) + _note(study), left_out(study, shown_scores(study)))
    caption = " ".join(filter(None, said))
    return drawings("severity", "Scores over severity", caption, panels, width=width)


def gain_over_severity(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw gains over the anchor under the same disturbance, over the severity."""
    if not is_disturbed(study) or len(disturbances(study)) > MOST_PANELS:
        return []
    panels = [panel for score in gain_scores(study) for panel in _panels(study, score, gains=True)]
    caption = gained(study) + " Bands: ± standard error." * (count_images(study.points) > 1)
    if len({point.setting.scored_theta for point in study.points}) > 1:
        caption += " Each system is compared at its own θ."
    said = (caption + _note(study), left_out(study, gain_scores(study)))
    caption = " ".join(filter(None, said))
    title = "Gain at equal bandwidth over severity"
    return drawings("gain-severity", title, caption, panels, width=width)


def gained(study: SuiteResults) -> str:
    """Describe what gains are over, and what they are means of."""
    text = f"Gain over {anchor_name(study)} within the same bandwidth and under the same "
    images = count_images(study.points)
    what = f"Means over {images} images of the difference for each image." if images > 1 else ""
    return f"{text}disturbance. {what or 'One image.'}"


def disturbances(study: SuiteResults) -> list[str]:
    """Return the names of the disturbances, in the order of the suite."""
    names = dict.fromkeys(point.setting.disturbance for point in study.points)
    return [name for name in names if name]


def _has_clean(study: SuiteResults) -> bool:
    return any(not point.setting.disturbance for point in study.points)


def _steady(study: SuiteResults) -> list[str]:
    """Return the disturbances of one severity that are a line in each panel and have none.

    These are the control, and others if there are no undisturbed pictures to draw a line from.
    """
    names = disturbances(study)
    cells = {(point.setting.disturbance, point.setting.severity) for point in study.points}
    counts = Counter(name for name, _ in cells)
    clean = _has_clean(study)
    found = [name for name in names if counts[name] == 1 and (name == CONTROL or not clean)]
    return found if len(found) < len(names) else []


def _note(study: SuiteResults) -> str:
    note = " Severity 0: undisturbed." * _has_clean(study)
    if steady := _steady(study):
        note += f" Thin horizontal lines: {', '.join(map(unpinned, steady))}, of a single severity."
    return note


def _panels(study: SuiteResults, score: str, *, gains: bool) -> list[Panel]:
    kinds = list(dict.fromkeys(map(kind_of, study.points)))
    partner = {id(pair.point): pair for pair in pairs(study)} if gains else None
    conditions = list(dict.fromkeys(key for _, key in by_kind(study)))
    steady = _steady(study)
    places = [_place(p) for p in study.points if p.setting.disturbance not in steady]
    panels = []
    for name in (one for one in disturbances(study) if one not in steady):
        for condition in conditions:
            lines, flat = [], []
            for (kind, key), points in by_kind(study).items():
                if key != condition:
                    continue
                look = system_look(kinds.index(kind))
                known = _known(study, points, ("", name), score, partner)
                lines += _line(name_of(kind), look, known)
                for other in steady:
                    text = f"{name_of(kind)}, {unpinned(other)}"
                    known = _known(study, points, (other,), score, partner)
                    flat += [_flat(text, look, places, mean) for _, mean, _ in known]
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
            panels.append(Panel(title, {**facts, "score": score}, x, y, (*lines, *flat), base=base))
    return panels


def _severity(name: str) -> str:
    """Label the axis; severities of attacks are largest changes of a pixel."""
    if name.partition(":")[0] not in ("fgsm", "pgd"):
        return "severity"
    return f"severity (ε = {', '.join(map(str, EPSILON))} grey levels)"


def value_of(
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


def _known(
    study: SuiteResults,
    points: Sequence[Point],
    names: Sequence[str],
    score: str,
    partner: dict[int, Pair] | None,
) -> list[tuple[int, float, float]]:
    """Return severities, values and standard errors under these disturbances, in order."""
    some = [point for point in points if point.setting.disturbance in names]
    values = [(_place(point), value_of(study, point, score, partner)) for point in some]
    return sorted((place, *value) for place, value in values if value is not None)


def _line(text: str, look: Look, known: Sequence[tuple[int, float, float]]) -> list[Line]:
    if len(known) < 2:
        return []
    x, y, errors = zip(*known, strict=True)
    band: tuple[Range, ...] = tuple((m - e, m + e) for m, e in zip(y, errors, strict=True))
    return [Line(text, tuple(map(float, x)), y, look, error=band if any(errors) else ())]


def _flat(text: str, look: Look, places: Sequence[int], value: float) -> Line:
    """Return a thin line of one value over all severities."""
    ends = float(min(places)), float(max(places))
    return Line(text, ends, (value, value), {**look, "marker": "", "linewidth": 0.7})
