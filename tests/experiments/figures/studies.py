"""Studies made by hand, of which everything is known."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from experiments.analysis.all_tables import tables
from experiments.analysis.table import Table
from experiments.figures.all_figures import draw
from experiments.figures.drawing import Drawing
from experiments.store.common_images import align
from experiments.store.database import add_up
from experiments.store.measured import ImageRow, Point, SuiteResults
from experiments.suites.axes import System
from experiments.suites.setting import Setting

CBRS = ("1/48", "1/24", "1/16", "1/12", "1/8")
Scores = dict[str, float | None]


def scores(region: float, background: float, theta: float = 0.65) -> Scores:
    """Return scores of a picture whose region is half of it."""
    error = theta * 10 ** (-region / 10) + (1 - theta) * 10 ** (-background / 10)
    whole = (10 ** (-region / 10) + 10 ** (-background / 10)) / 2
    return {
        "region_psnr_db": region,
        "background_psnr_db": background,
        "theta_psnr_db": -10 * math.log10(error),
        "psnr_db": -10 * math.log10(whole),
    }


def row(name: str, seen: Sequence[Scores], *, cbr: float, lost: int = 0, **more: Any) -> ImageRow:
    """Return one image of which each of ``seen`` was shown once, the first ``lost`` grey."""
    outcomes = [
        {"draw": i, "count": 1, "all_lost": i < lost, "packets_received": 1, "scores": values}
        for i, values in enumerate(seen)
    ]
    sums = {score: tuple(total) for score, total in add_up(outcomes).items()}
    image = hashlib.sha256(name.encode()).hexdigest()
    record = {"cbr": cbr, "sha256": image, **more}
    about = image, "", name, name, len(seen), lost
    return ImageRow(*about, sums, record, tuple(outcomes), name)  # type: ignore[arg-type]


def point(
    system: str | System, seen: dict[str, Sequence[Scores]], *, lost: int = 0, **axes: Any
) -> Point:
    """Return a point with what was seen of each image, by name."""
    setting = Setting(**axes)
    key = system if isinstance(system, System) else System(system)
    cbr = float(setting.budget)
    rows = (row(name, values, cbr=cbr, lost=lost) for name, values in seen.items())
    return Point(key, setting, tuple(rows), key.label)


def recorded(system: str, values: dict[str, dict[str, float]], **axes: Any) -> Point:
    """Return a point with scores that do not depend on draws, such as those of masks."""
    made = point(system, {image: [{}] for image in values}, **axes)
    for one, some in zip(made.rows, values.values(), strict=True):
        one.record.update(some)
    return made


def study(points: Sequence[Point], **suite: Any) -> SuiteResults:
    """Return a study of these points."""
    about = {
        "title": "by hand",
        "systems": {},
        "anchor": "",
        "scores": ["psnr_db", "region_psnr_db", "background_psnr_db", "theta_psnr_db", "lost"],
        "shown_db": 25.0,
        "beside": [],
        **suite,
    }
    return SuiteResults("hand", about, align(points), {}, None, "2024-01-01T00:00:00", 0)


def masks(
    *thetas: float, cbrs: Sequence[str] = CBRS, snrs: Sequence[float] = (10.0,)
) -> SuiteResults:
    """Return masks of several θ against blind, over bandwidth.

    All curves are linear in ln(CBR), 4 dB for each e-fold. The region of masks gains 10·θ dB, the
    background pays 2·θ dB; image ``b`` is 3 dB better than ``a`` under all systems.
    """

    def seen(cbr: str, snr_db: float, gain: float, loss: float, theta: float) -> Any:
        base = 45 + 4 * math.log(float(Setting(cbr=cbr).budget)) + snr_db / 2
        pictures = {"a": base, "b": base + 3}
        return {n: [scores(db + gain, db - loss, theta)] for n, db in pictures.items()}

    points = []
    for theta in (0.0, *thetas):
        name = System("masks", (("theta", theta),)) if theta else System("blind")
        for cbr in cbrs:
            for snr_db in snrs:
                pictures = seen(cbr, snr_db, 10 * theta, 2 * theta, theta or 0.65)
                axes = {"cbr": cbr, "snr_db": snr_db, "theta": theta or 0.65, "blind": not theta}
                points.append(point(name, pictures, **axes))
    return study(points, systems={"blind": {}, "masks": {}})


def fading(apart: float = 0.0, systems: Sequence[str] = ("plain", "robust")) -> SuiteResults:
    """Return two systems over two SNRs; four draws of each image: 10, 20, 30, 40 dB.

    Image ``b`` is ``apart`` dB better than ``a``, and each system 5 dB better than the last.
    """
    points = []
    for name, better in ((name, 5.0 * i) for i, name in enumerate(systems)):
        for snr_db in (5.0, 10.0):
            region = [10.0 + better, 20.0 + better, 30.0 + better, 40.0 + better]
            pictures = {
                image: [scores(db + more, 20.0) for db in region]
                for image, more in (("a", 0.0), ("b", apart))
            }
            points.append(point(name, pictures, channel="rayleigh", snr_db=snr_db))
    return study(points)


def named(drawings: Sequence[Drawing]) -> dict[str, Drawing]:
    return {drawing.data.name: drawing for drawing in drawings}


def draw_named(made: SuiteResults) -> dict[str, Drawing]:
    return named(draw(made))


def column(table: Table, name: str, **where: Any) -> list[Any]:
    """Return a column of the rows with these values."""
    rows = [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]
    return [r[name] for r in rows if all(r[key] == value for key, value in where.items())]


def table(made: SuiteResults, name: str) -> Table:
    return next(table for table in tables(made) if table.name == name)
