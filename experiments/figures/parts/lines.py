"""Lines of systems: means over an axis, with their spreads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiments.analysis.points import MOST_SYSTEMS, count_images, drawn, draws_words
from experiments.axis_values import ratio
from experiments.figures.parts.panels import Axis, Line, Range
from experiments.figures.parts.style import Look, system_look
from experiments.naming import visible
from experiments.store.measured import Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import Setting

_BANDWIDTH = "bandwidth ratio (CBR)"


def mean_line(study: SuiteResults, points: Sequence[Point], score: str, axis: str) -> Line | None:
    """Return the line of a system's means; None if fewer than two are over all images.

    Parameters
    ----------
    study
        Results with all systems; the position of the system among them defines its look.
    points
        Points in the order of ``axis``.
    score
        Score of the y-axis.
    axis
        ``cbr``, for the mean bandwidth ratio over the images, or ``snr_db``.
    """
    whole = study.whole(points, score)
    known = [(point, mean) for point in whole if (mean := point.mean(score)) is not None]
    if len(known) < 2:
        return None
    errors = [point.standard_error(score) for point, _ in known]
    band = tuple((mean - e, mean + e) for (_, mean), e in zip(known, errors, strict=True))
    return Line(
        points[0].system,
        tuple(_x(point.over(score), axis) for point, _ in known),
        tuple(mean for _, mean in known),
        look(study, points[0]),
        error=band if any(errors) else (),
        interval=intervals((point for point, _ in known), score),
        chosen=tuple(p.chosen[0] for p, _ in known) if points[0].chosen[0] else (),
    )


def look(study: SuiteResults, point: Point) -> Look:
    """Return the look of a point's system, which is the same in all figures.

    The colour depends on the codec, and marker and dashes on the rest of the system. If there is
    only one codec, colours also distinguish the systems.
    """

    def kind(system: System) -> System:
        return (system.without("theta") if many else system).without("codec")

    # If there are many systems, figures show one θ of each, or lines over θ.
    many = len(study.systems) > MOST_SYSTEMS
    kinds = list(dict.fromkeys(map(kind, study.systems)))
    style = kinds.index(kind(point.key))
    return system_look(style, colour=codec_place(study, point), bound=point.setting.bound)


def codec_place(study: SuiteResults, point: Point) -> int | None:
    """Return the position of a point's codec among the codecs; None if there is only one."""
    codecs = list(dict.fromkeys(point.setting.codec for point in study.points))
    return codecs.index(point.setting.codec) if len(codecs) > 1 else None


def intervals(points: Iterable[Point], score: str) -> tuple[Range, ...]:
    """Return the 95 % intervals over the draws, if any point has one."""
    points = list(points)
    if score == "lost" and not drawn(points):
        return ()
    found = [point.interval(score) for point in points]
    ranges = tuple((interval.low, interval.high) for interval in found)
    return ranges if any(low is not None for low, _ in ranges) else ()


def _x(point: Point, axis: str) -> float:
    mean = point.mean("cbr") if axis == "cbr" else point.setting.snr_db
    return point.cbr_budget if mean is None else mean


def cbr_axis(points: Iterable[Point], more: Iterable[float] = ()) -> Axis:
    """Return the axis of bandwidth, with ticks at the allowed ratios."""
    ticks = {point.cbr_budget for point in points} | set(more)
    return Axis("cbr", _BANDWIDTH, ratio=True, ticks=tuple(sorted(ticks)))


def snr_axis(points: Iterable[Point]) -> Axis:
    """Return the axis of SNR, called the true SNR if the sender assumes another."""
    points = list(points)
    planned = any(point.setting.planned_snr_db is not None for point in points)
    what = "true SNR (Es/N0), dB" if planned else "SNR (Es/N0), dB"
    return Axis("snr_db", what, ticks=tuple(sorted({p.setting.snr_db for p in points})))


def where(channel: str, *, snr_db: float | None = None, cbr: str | None = None) -> tuple[str, ...]:
    """Describe a condition: ``("awgn", "10 dB", "CBR 1/16")``."""
    parts = [visible(channel)]
    parts += [] if snr_db is None else [f"{snr_db:g} dB"]
    parts += [] if cbr is None else [f"CBR {ratio(float(Setting(cbr=cbr).budget))}"]
    return tuple(parts)


def about(points: Iterable[Point]) -> str:
    """Describe what the points are means of, and what bands and bars show."""
    points = list(points)
    count = count_images(points)
    text = f"Means over {count} images; bands: ± standard error over the images."
    if count == 1:
        text = "One image."
    if words := draws_words(points):
        text += f" {words.capitalize()}."
    if drawn(points):
        text += " Bars: 95 % interval of the mean over the draws of the channel (Student's t),"
        text += " side by side if several are at one SNR."
    if any(point.setting.bound for point in points):
        text += " Dotted lines with hollow markers: bounds, decoded from as many bits as the"
        text += " capacity carries, which no link can send."
    return text
