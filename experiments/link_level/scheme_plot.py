"""The plot of ``semcom mcs``: efficiency against SNR, and gaps to capacity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from channels.packets.mcs import modulation_name
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import BLUE, DARK, GREEN, GREY, PURPLE, SKY, VERMILION
from experiments.saving import save_figure

if TYPE_CHECKING:
    from experiments.link_level.scheme_table import FadingLaw, SchemeRow

# By bits per symbol.
_STYLES = {
    1: (SKY, "v"),
    2: (BLUE, "o"),
    4: (VERMILION, "s"),
    6: (GREEN, "D"),
    8: (PURPLE, "^"),
}


def plot_schemes(rows: Sequence[SchemeRow], law: FadingLaw, title: str, out: Path) -> list[Path]:
    """Draw both panels; return the files written, ``mcs`` as PNG and PDF."""
    files = []
    with plain_text():
        figure = _draw(rows, law, title)
        for suffix in (".png", ".pdf"):
            files.append(out / f"mcs{suffix}")
            save_figure(files[-1], figure, dpi=200)
    return files


def _draw(rows: Sequence[SchemeRow], law: FadingLaw, title: str) -> Figure:
    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _efficiencies(left, rows, law)
    _gaps(right, rows)
    for plot in (left, right):
        plot.grid(alpha=0.3, linewidth=0.5)
        plot.tick_params(labelsize=7)
    figure.suptitle(f"5G LDPC schemes at BLER 1e-2, {title}", fontsize=9)
    return figure


def _efficiencies(plot: Axes, rows: Sequence[SchemeRow], law: FadingLaw) -> None:
    needs = np.array([row.snr_db[1] for row in rows])
    efficiencies = np.array([row.efficiency for row in rows])
    snrs = np.linspace(needs.min() - 3, needs.max() + 2, 80)
    plot.plot(snrs, [law.capacity(s) for s in snrs], color="black", lw=1.4, label="capacity")
    for bits in sorted({row.scheme.bits_per_symbol for row in rows}):
        colour, marker = _STYLES[bits]
        mine = np.array([row.scheme.bits_per_symbol == bits for row in rows])
        bound = [law.bicm(bits, s) for s in snrs]
        plot.plot(snrs, bound, "--", color=colour, linewidth=1.0)
        plot.plot(
            needs[mine],
            efficiencies[mine],
            marker,
            color=colour,
            markersize=3.5,
            label=modulation_name(bits),
        )
    order = np.argsort(needs)
    best = np.maximum.accumulate(efficiencies[order])
    steps = (np.append(needs[order], snrs[-1]), np.append(best, best[-1]))
    plot.step(*steps, where="post", color=GREY, lw=0.9, label="best scheme at this SNR")
    handles, _ = plot.get_legend_handles_labels()
    handles.append(Line2D([], [], color=DARK, ls="--", lw=1.0, label="BICM limits"))
    plot.legend(handles=handles, frameon=False, fontsize=7.5, loc="upper left")
    plot.set_ylim(0, 1.12 * efficiencies.max())
    plot.set_xlabel("Es/N0, dB", fontsize=8)
    plot.set_ylabel("bits per complex use", fontsize=8)


def _gaps(plot: Axes, rows: Sequence[SchemeRow]) -> None:
    for row in rows:
        colour, marker = _STYLES[row.scheme.bits_per_symbol]
        x = row.efficiency
        plot.plot(x, row.capacity_gap_db, marker, color=colour, markersize=4)
        if row.normal_gap_db is not None:
            plot.plot(x, row.normal_gap_db, marker, color=colour, markersize=4, mfc="white")
    grey = {"color": DARK, "marker": "o", "linestyle": "none", "markersize": 4}
    handles = [Line2D([], [], label="to capacity", **grey)]  # type: ignore[arg-type]
    if any(row.normal_gap_db is not None for row in rows):
        label = "to the normal approximation"
        handles.append(Line2D([], [], label=label, mfc="white", **grey))  # type: ignore[arg-type]
    plot.legend(handles=handles, frameon=False, fontsize=7.5)
    plot.set_ylim(bottom=0)
    plot.set_xlabel("bits per complex use", fontsize=8)
    plot.set_ylabel("gap, dB", fontsize=8)
