"""Curves for papers: the systems on one axis, from means alone, published curves behind them.

Points are means over images of the per-image dB values; bands are the standard error of that mean
over the images. A score without a finite value (a lossless copy, no region) is left out. What was
measured is coloured and filled; a bound is dotted and hollow; what others published is thin, grey
and hollow, and has a legend of its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from experiments.literature import Curve, Published, literature
from experiments.means import Point, count_images
from experiments.tables import SYSTEMS, ratio

PANELS = {
    "region_psnr_db": "region PSNR, dB",
    "background_psnr_db": "background PSNR, dB",
    "psnr_db": "PSNR, dB",
}
# Okabe and Ito's colours, with markers and dashes that survive a grey print.
_BLIND = {"color": "#0072b2", "marker": "s", "linestyle": "--"}
_IMPORTANCE = {"color": "#d55e00", "marker": "o", "linestyle": "-"}
_PUBLISHED_MARKERS = "^vD<>pPX*hd"

_Curves: TypeAlias = list[tuple[Published, Curve]]


def plot_curves(
    means: Sequence[Point],
    out: Path,
    *,
    snr_db: float,
    cbr: float,
    published: Sequence[Published] = (),
) -> list[Path]:
    """Draw quality against CBR at ``snr_db`` and against SNR at ``cbr``.

    ``published`` are those of the same channel; they are drawn where they have this SNR or CBR, on
    the axes of whole-image PSNR. Returns the files written: ``rate_distortion`` and ``snr``, each
    as PNG and PDF.
    """
    at_snr = [point for point in means if point.snr_db == snr_db]
    at_cbr = [point for point in means if math.isclose(point.cbr_budget, cbr)]
    rows = [row for point in means for row in point.rows]
    images = count_images(rows)
    mean = f"mean of {images} images ± standard error" if images > 1 else "one image"
    what = f"{rows[0]['codec']} over {rows[0]['channel']}"
    over_cbr = [(one, one.over_cbr(snr_db)) for one in published]
    over_snr = [(one, one.over_snr(cbr)) for one in published]
    files = []
    for name, chosen, others, axis, title in (
        ("rate_distortion", at_snr, over_cbr, "cbr", (f"{what} at {snr_db:g} dB", mean)),
        ("snr", at_cbr, over_snr, "snr_db", (f"{what}, CBR {ratio(cbr)}", mean)),
    ):
        drawn = [(one, curve) for one, curve in others if len(curve) > 1]
        files += save_figure(_figure(chosen, drawn, axis, title), out / name)
    return files


def save_figure(figure: Figure, path: Path) -> list[Path]:
    """Save as PNG and as PDF, the same bytes for the same figure; return the files."""
    files = [path.with_name(path.name + suffix) for suffix in (".png", ".pdf")]
    for file in files:
        metadata = {"CreationDate": None} if file.suffix == ".pdf" else {}
        figure.savefig(file, dpi=200, metadata=metadata)
    return files


def new_figure(
    num_panels: int, title: tuple[str, str], *, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """Make a figure of ``width`` by ``height`` inches with panels side by side."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle((", " if num_panels > 1 else "\n").join(title), fontsize=9)
    axes = figure.subplots(1, num_panels, squeeze=False)[0] if num_panels else []
    for plot in axes:
        plot.tick_params(labelsize=7)
        plot.grid(alpha=0.3, linewidth=0.5)
    return figure, list(axes)


def _figure(
    means: Sequence[Point], published: _Curves, axis: str, title: tuple[str, str]
) -> Figure:
    # Where there is nothing outside of the region, it is the whole image.
    split = any(point.values("background_psnr_db") for point in means)
    panels = [
        name
        for name in PANELS
        if (split or name == "psnr_db") and any(point.values(name) for point in means)
    ]
    beside = bool(published) and "psnr_db" in panels
    width = max(3.4 * len(panels), 4.4) + 2.0 * beside  # for the legend
    figure, axes = new_figure(len(panels), title, width=width, height=4.2 if beside else 3.1)
    systems = list(dict.fromkeys(point.system for point in means))
    for plot, score in zip(axes, panels, strict=True):
        for system in systems:
            _draw(plot, [point for point in means if point.system == system], axis, score, system)
        plot.set_ylabel(PANELS[score], fontsize=8)
        ticks = {point.cbr_budget for point in means}
        if score == "psnr_db":
            _draw_published(plot, published)
            ticks |= {x for _, curve in published for x, _ in curve}
        _label_x(plot, axis, sorted(ticks))
    if axes:
        _legends(figure, axes, len(systems))
    return figure


def _draw(plot: Axes, means: Sequence[Point], axis: str, score: str, system: str) -> None:
    """Draw one system's line and band."""
    means = sorted(
        (point for point in means if point.values(score)),
        key=lambda point: (point.cbr_budget, point.snr_db),
    )
    x = np.array([point.mean(axis) for point in means])
    y = np.array([point.mean(score) for point in means])
    error = np.array([point.standard_error(score) for point in means])
    style: dict[str, Any] = _IMPORTANCE if system.endswith("importance") else _BLIND
    if system.startswith("bound"):
        style = {**style, "linestyle": ":", "markerfacecolor": "white"}
    else:
        plot.fill_between(x, y - error, y + error, color=style["color"], alpha=0.15, linewidth=0)
    label = SYSTEMS.get(system, system)
    plot.plot(x, y, label=label, markersize=4, linewidth=1.4, zorder=3, **style)


def _draw_published(plot: Axes, published: _Curves) -> None:
    """Draw published curves, the highest first, as the legend then lists them."""
    if not published:
        return
    markers = dict(zip(literature(), itertools.cycle(_PUBLISHED_MARKERS), strict=False))
    middle = np.median([x for _, curve in published for x, _ in curve])
    for one, curve in sorted(
        published, key=lambda item: -np.interp(middle, *np.transpose(item[1]))
    ):
        plot.plot(
            *zip(*curve, strict=True),
            label=one.name,
            color="#777777",
            linewidth=0.8,
            linestyle=":" if one.bound else "-",
            marker=markers[one.key],
            markersize=4,
            markerfacecolor="white",
            markeredgewidth=0.8,
            zorder=2,
        )


def _legends(figure: Figure, axes: Sequence[Axes], num_systems: int) -> None:
    """Name the systems on the first panel, and the published outside, if there are any."""
    handles, labels = axes[-1].get_legend_handles_labels()
    look: dict[str, Any] = {"frameon": False, "handlelength": 3}
    axes[0].legend(handles[:num_systems], labels[:num_systems], fontsize=8, **look)
    if len(handles) > num_systems:
        figure.legend(
            handles[num_systems:],
            labels[num_systems:],
            title="published, on Kodak",
            title_fontsize=7.5,
            fontsize=7,
            loc="outside right center",
            alignment="left",
            **look,
        )


def _label_x(plot: Axes, axis: str, grid: list[float]) -> None:
    if axis == "snr_db":
        plot.set_xlabel("SNR (Es/N0), dB", fontsize=8)
        return
    plot.set_xlabel("channel bandwidth ratio, complex uses / (3HW)", fontsize=8)
    plot.set_xscale("log")
    if len(grid) == 1:
        plot.set_xlim(grid[0] / 1.5, grid[0] * 1.5)
    plot.xaxis.set_major_locator(FixedLocator(grid))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ratio(value)))
