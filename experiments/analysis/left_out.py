"""Notes on points and images that are left out, so that lines are over the same images."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.analysis.points import count_images
from experiments.analysis.score_names import short
from experiments.store.measured import Point, SuiteResults


def left_out(study: SuiteResults, scores: Iterable[str]) -> str:
    """Describe what is left out for these scores; empty if nothing is."""
    found: dict[tuple[int, int, int], list[str]] = {}
    for score in scores:
        points = _with(study, score)
        dropped = len(points) - len(study.whole(points, score))
        images = count_images(study.points) - len(study.counted.get(score, ()))
        if points and (dropped or images):
            found.setdefault((dropped, len(points), images), []).append(short(score))
    count = count_images(study.points)
    said = []
    for (dropped, points_, images), names in found.items():
        what = [f"{dropped} of {points_} points"] * bool(dropped)
        what += [f"{images} of {count} images"] * bool(images)
        said.append(f"{' and '.join(what)} of {', '.join(names)}")
    if not said:
        return ""
    exact = any(row.exact for point in study.points for row in point.rows)
    why = " An exact copy has no finite PSNR." if exact else ""
    return f"Left out for lack of results or finite values: {'; '.join(said)}.{why}"


def _with(study: SuiteResults, score: str) -> list[Point]:
    """Return the points of the systems with any value of the score."""
    systems = {
        point.key
        for point in study.points
        if any(row.mean(score) is not None for row in point.rows)
    }
    return [point for point in study.points if point.key in systems]
