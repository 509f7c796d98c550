"""Curves for papers: both systems on one axis, from rows alone.

Points are means over images of the per-image dB values; bands are the standard error of that mean
over the images. A score without a finite value (a lossless copy, no region) is left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from experiments.tables import SYSTEMS, ratio

Row = dict[str, Any]

PANELS = {
    "region_psnr_db": "region PSNR, dB",
    "background_psnr_db": "background PSNR, dB",
    "psnr_db": "PSNR, dB",
}
_STYLES = {
    # Okabe and Ito's colours, with markers and dashes that survive a grey print.
    "importance": {"color": "#d55e00", "marker": "o", "linestyle": "-"},
    "blind": {"color": "#0072b2", "marker": "s", "linestyle": "--"},
}


def plot_curves(rows: Sequence[Row], out: Path, *, snr_db: float, cbr: float) -> list[Path]:
    """Draw quality against CBR at ``snr_db`` and against SNR at ``cbr``.

    Returns the files written: ``rate_distortion`` and ``snr``, each as PNG and PDF.
    """
    at_snr = [row for row in rows if row["snr_db"] == snr_db]
    at_cbr = [row for row in rows if math.isclose(row["cbr_budget"], cbr)]
    what = f"{rows[0]['codec']} over {rows[0]['channel']}"
    images = len({row["sha256"] for row in rows})
    mean = f"mean of {images} images ± standard error" if images > 1 else "one image"
    files = []
    for name, chosen, axis, title in (
        ("rate_distortion", at_snr, "cbr", f"{what} at {snr_db:g} dB, {mean}"),
        ("snr", at_cbr, "snr_db", f"{what}, CBR {ratio(cbr)}, {mean}"),
    ):
        figure = _figure(chosen, axis, title)
        for suffix in (".png", ".pdf"):
            files.append(out / f"{name}{suffix}")
            metadata = {"CreationDate": None} if suffix == ".pdf" else {}
            figure.savefig(files[-1], dpi=200, metadata=metadata)
    return files


def _figure(rows: Sequence[Row], axis: str, title: str) -> Figure:
    panels = [name for name in PANELS if any(row[name] is not None for row in rows)]
    figure = Figure(figsize=(3.4 * max(len(panels), 1), 3.1), layout="constrained")
    FigureCanvasAgg(figure)
    plots = figure.subplots(1, len(panels), squeeze=False)[0] if panels else []
    for plot, score in zip(plots, panels, strict=True):
        for system in _STYLES:
            _draw(plot, [row for row in rows if row["system"] == system], axis, score, system)
        _label(plot, axis, score, sorted({row[_grid_key(axis)] for row in rows}))
    if panels:
        figure.axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=9)
    return figure


def _grid_key(axis: str) -> str:
    return "cbr_budget" if axis == "cbr" else axis


def _draw(plot: Axes, rows: Sequence[Row], axis: str, score: str, system: str) -> None:
    groups: dict[float, list[Row]] = defaultdict(list)
    for row in rows:
        if row[score] is not None:
            groups[row[_grid_key(axis)]].append(row)
    keys = sorted(groups)
    x = np.array([np.mean([row[axis] for row in groups[key]]) for key in keys])
    y = np.array([np.mean([row[score] for row in groups[key]]) for key in keys])
    error = np.array([_standard_error([row[score] for row in groups[key]]) for key in keys])
    style = _STYLES[system]
    plot.plot(x, y, label=SYSTEMS[system], markersize=4, linewidth=1.4, **style)  # type: ignore[arg-type]
    plot.fill_between(x, y - error, y + error, color=style["color"], alpha=0.15, linewidth=0)


def _standard_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _label(plot: Axes, axis: str, score: str, grid: list[float]) -> None:
    plot.set_ylabel(PANELS[score], fontsize=8)
    plot.tick_params(labelsize=7)
    plot.grid(alpha=0.3, linewidth=0.5)
    if axis == "snr_db":
        plot.set_xlabel("SNR (Es/N0), dB", fontsize=8)
        return
    plot.set_xlabel("channel bandwidth ratio, complex uses / (3HW)", fontsize=8)
    plot.set_xscale("log")
    plot.xaxis.set_major_locator(FixedLocator(grid))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ratio(value)))
