"""Table and figure of ``semcom protection``, from rows alone.

The PSNR of the error is that of an image's mean weighted squared error, then the mean over the
images: expected by the law of the channel and the measured thresholds, as the sender does, and
simulated, the mean over the draws. The latter is uncertain: a lost picture has a hundred times the
error of one that arrives, and few are lost.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.store import Row

SHOWN_DB = 25.0
"""Region PSNR from which on the region counts as shown."""
# Okabe and Ito's colours, with dashes that survive a grey print.
_EQUAL = (
    {"color": "#0072b2", "linestyle": "--"},
    {"color": "#56b4e9", "linestyle": "--"},
    {"color": "#009e73", "linestyle": ":"},
    {"color": "#7f7f7f", "linestyle": ":"},
)
_OWN = {
    "unequal": {"color": "#d55e00", "linestyle": "-"},
    "graceful": {"color": "#cc79a7", "linestyle": "-"},
}


def print_protection(rows: Sequence[Row]) -> None:
    """Print a line for each system of either experiment."""
    images = len({row["sha256"] for row in rows})
    fading = Table(title=f"fading, {images} images, θ-PSNR in dB", box=SIMPLE_HEAD)
    for column in ("system", "of the error\nexpected", "\nsimulated", "mean", "region\nshown"):
        fading.add_column(column, justify="left" if column == "system" else "right")
    for (system, _), group in _groups(rows, "fading"):
        mean = np.mean([row["theta_psnr_db"] for row in group])
        shown = f"{100 * share_shown(group):.1f} %"
        by_law = np.mean([row["expected_psnr_db"] for row in group])
        simulated = f"{simulated_psnr_db(group):.2f}"
        fading.add_row(system, f"{by_law:.2f}", simulated, f"{mean:.2f}", shown)
    console = Console(width=max(100, Console().width))
    console.print(fading)
    snrs = sorted({snr_db for (_, snr_db), _ in _groups(rows, "mismatch")})
    mismatch = Table(title=f"mismatch, {images} images, mean θ-PSNR in dB", box=SIMPLE_HEAD)
    mismatch.add_column("system")
    for snr_db in snrs:
        mismatch.add_column(f"{snr_db:g} dB", justify="right")
    for system, points in _curves(rows).items():
        mismatch.add_row(system, *(f"{points[snr_db]:.2f}" for snr_db in snrs))
    console.print(mismatch)


def simulated_psnr_db(rows: Sequence[Row]) -> float:
    """θ-PSNR of the mean weighted squared error over the draws; the mean over the images."""
    errors = defaultdict(list)
    for row in rows:
        errors[row["sha256"]].append(10 ** (-row["theta_psnr_db"] / 10))
    return float(np.mean([-10 * math.log10(np.mean(values)) for values in errors.values()]))


def share_shown(rows: Sequence[Row]) -> float:
    """Share of the draws in which the region is shown."""
    return float(np.mean([row["region_psnr_db"] >= SHOWN_DB for row in rows]))


def plot_protection(rows: Sequence[Row], out: Path) -> None:
    """Draw both experiments side by side: ``protection`` as PNG and PDF."""
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_shares(left, rows)
    _draw_mismatch(right, rows)
    images = len({row["sha256"] for row in rows})
    figure.suptitle(f"{images} images, CBR at most {max(r['cbr'] for r in rows):.4f}", fontsize=9)
    for suffix in (".png", ".pdf"):
        metadata = {"CreationDate": None} if suffix == ".pdf" else {}
        figure.savefig(out / f"protection{suffix}", dpi=200, metadata=metadata)


def _draw_shares(plot: Axes, rows: Sequence[Row]) -> None:
    """Share of the draws with at least a region PSNR."""
    styles = iter(_EQUAL)
    for (system, snr_db), group in _groups(rows, "fading"):
        values = np.sort([row["region_psnr_db"] for row in group])
        share = 1 - np.arange(len(values)) / len(values)
        style = _style(system, styles)
        plot.step(values, 100 * share, where="pre", label=system, linewidth=1.3, **style)
        plot.set_title(f"{group[0]['channel']}, mean {snr_db:g} dB, state unknown", fontsize=8)
    plot.axvline(SHOWN_DB, color="0.6", linewidth=0.8)
    plot.axhline(90, color="0.6", linewidth=0.8)
    plot.set_xlabel("region PSNR, dB", fontsize=8)
    plot.set_ylabel("draws with at least that, %", fontsize=8)
    plot.set_ylim(0, 102)
    _finish(plot)


def _draw_mismatch(plot: Axes, rows: Sequence[Row]) -> None:
    """θ-PSNR against the SNR that the channel really has."""
    styles = iter(_EQUAL)
    for system, points in _curves(rows).items():
        style = _style(system, styles)
        plot.plot(*zip(*points.items(), strict=True), label=system, linewidth=1.3, **style)
    plot.set_title("awgn, SNR other than planned", fontsize=8)
    plot.set_xlabel("SNR (Es/N0) that the channel has, dB", fontsize=8)
    plot.set_ylabel("θ-PSNR, dB", fontsize=8)
    _finish(plot)


def _style(system: str, styles: Iterator[dict[str, Any]]) -> dict[str, Any]:
    kind = system.partition(",")[0].partition(":")[0]
    return _OWN[kind] if kind in _OWN else next(styles)


def _finish(plot: Axes) -> None:
    plot.tick_params(labelsize=7)
    plot.grid(alpha=0.3, linewidth=0.5)
    plot.legend(frameon=False, fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=1)


def _curves(rows: Sequence[Row]) -> dict[str, dict[float, float]]:
    """Mean θ-PSNR of every system by SNR."""
    curves: dict[str, dict[float, float]] = defaultdict(dict)
    for (system, snr_db), group in _groups(rows, "mismatch"):
        curves[system][snr_db] = float(np.mean([row["theta_psnr_db"] for row in group]))
    return curves


def _groups(rows: Sequence[Row], experiment: str) -> Iterable[tuple[tuple[str, float], list[Row]]]:
    groups: dict[tuple[str, float], list[Row]] = defaultdict(list)
    for row in rows:
        if row["experiment"] == experiment:
            groups[row["system"], row["snr_db"]].append(row)
    return sorted(groups.items(), key=lambda item: item[0][1])
