"""Figures of region PSNR against background PSNR, which θ trades against each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from experiments.analysis.left_out import left_out
from experiments.analysis.points import (
    conditions,
    count_images,
    draws_words,
    families,
    family_names,
    steered,
)
from experiments.figures.drawing import Drawing
from experiments.figures.parts.layout import drawings
from experiments.figures.parts.lines import intervals, look, where
from experiments.figures.parts.panels import Axis, Line, Panel
from experiments.store.measured import Point, SuiteResults

_X = Axis("background_psnr_db", "background PSNR, dB")
_Y = Axis("region_psnr_db", "region PSNR, dB")


def region_background(study: SuiteResults, *, width: float) -> list[Drawing]:
    """Draw a panel for each channel, SNR and bandwidth with several θ of a system."""
    panels = []
    names = family_names(study.points)
    for (channel, snr_db, cbr), points in conditions(
        study.points, "channel", "snr_db", "cbr"
    ).items():
        if not steered(points):
            continue
        lines = [_line(study, names[family], line) for family, line in families(points).items()]
        facts = {"channel": channel, "snr_db": snr_db, "cbr": cbr}
        title = where(channel, snr_db=snr_db, cbr=cbr)
        kept = tuple(line for line in lines if line is not None)
        panels.append(Panel(title, facts, _X, _Y, kept))
    count = count_images(study.points)
    caption = f"Means over {count} images." if count > 1 else "One image."
    caption += " Numbers beside the points: θ, the share of the total weight that the region gets."
    if words := draws_words(study.points):
        caption += f" {words.capitalize()}."
    if any(line.interval for panel in panels for line in panel.lines):
        caption += " Bars: 95 % interval of the mean region PSNR over draws of the channel."
    caption = f"{caption} {left_out(study, (_X.key, _Y.key))}".strip()
    return drawings("region-background", "Region against background", caption, panels, width=width)


def _line(study: SuiteResults, name: str, points: Sequence[Point]) -> Line | None:
    """Return the line of a system over θ, or a point if θ has no effect."""
    places: dict[tuple[float, float], list[Point]] = {}
    points = study.whole(study.whole(points, _X.key), _Y.key)
    for point in sorted(points, key=lambda point: point.setting.scored_theta):
        place = point.mean(_X.key), point.mean(_Y.key)
        if place[0] is not None and place[1] is not None:
            places.setdefault((place[0], place[1]), []).append(point)
    if not places:
        return None
    x, y = zip(*places, strict=True)
    notes = tuple(_thetas(same) for same in places.values())
    spread = intervals([same[0] for same in places.values()], _Y.key)
    style = look(study, points[0])
    kind: Literal["line", "points"] = "line" if len(places) > 1 else "points"
    return Line(name, x, y, style, interval=spread, notes=notes, kind=kind)


def _thetas(points: Iterable[Point]) -> str:
    thetas = [point.setting.theta for point in points if not point.setting.blind]
    ends = dict.fromkeys((*thetas[:1], *thetas[-1:]))
    return "–".join(f"{theta:g}" if isinstance(theta, float) else theta for theta in ends)
