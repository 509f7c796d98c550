"""Plots, tables and CSV files of error rates against SNR, beside theory and peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.csv_table import to_csv
from experiments.figures.parts.fonts import plain_text, power_of_ten
from experiments.figures.parts.style import DARK, Look, series_look
from experiments.intervals import Count
from experiments.link_level.montecarlo import collect
from experiments.link_level.snr_axis import AXIS_LABELS, Axis, to_esn0
from experiments.link_level.task import Simulation, Task
from experiments.link_level.theory_curves import Reference
from experiments.saving import save, save_figure

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """The curve of one simulated system."""

    name: str
    x: tuple[float, ...]
    """SNRs in dB on the plot's axis, rising."""
    counts: tuple[Count, ...]
    theory: Reference | None = None
    """Error rate against SNR on the plot's axis."""
    limit: float | None = None
    """SNR on the plot's axis below which no code can work."""
    joined: bool = False
    """Whether a line joins the points; exact theory needs none, as it runs through them."""


@dataclass(frozen=True)
class CurveLabels:
    """Labels of the plot and the table."""

    rate: str
    """``"BER"``."""
    trials: str
    """``"bits"``."""
    axis: Axis
    title: str
    exact: bool
    """Whether the theory predicts the results of the simulation exactly."""
    limit: str = ""


class System(Simulation, Protocol):
    """A simulation that gives a curve."""

    @property
    def bits_per_symbol(self) -> int:
        """Bits per symbol of the modulation."""
        ...

    @property
    def code_rate(self) -> float:
        """Information bits per coded bit; 1 without a code."""
        ...


def measure(
    systems: Sequence[System],
    snrs: Sequence[float],
    axis: Axis,
    out: Path,
    *,
    seed: int,
    **sampling: Any,
) -> list[tuple[Count, ...]]:
    """Measure every system at every SNR in dB on ``axis``; return the counts of each system.

    ``out`` is the folder for ``rows.jsonl``, the raw counts from which a later run resumes.
    ``sampling`` is passed on to :func:`experiments.link_level.montecarlo.collect`.
    """
    tasks = [
        Task(one, to_esn0(snr, axis, one.bits_per_symbol, one.code_rate), seed)
        for one in systems
        for snr in snrs
    ]
    out.mkdir(parents=True, exist_ok=True)
    counts = collect(tasks, out / "rows.jsonl", **sampling)
    return [tuple(counts[i * len(snrs) : (i + 1) * len(snrs)]) for i in range(len(systems))]


def write_series(series: Sequence[Series], labels: CurveLabels, out: Path, name: str) -> list[Path]:
    """Print the table; write ``name`` as CSV, PNG and PDF into ``out`` and return the files."""
    print_series(series, labels)
    files = [out / f"{name}.csv"]
    _write_csv(series, "ebn0_db" if labels.axis == "ebn0" else "snr_db", files[0])
    with plain_text():
        figure = draw(series, labels)
        for suffix in (".png", ".pdf"):
            files.append(out / f"{name}{suffix}")
            save_figure(files[-1], figure, dpi=200)
    return files


def _theory_at(series: Series) -> list[float | None]:
    if series.theory is None:
        return [None] * len(series.x)
    return [float(value) for value in series.theory.rate(np.array(series.x))]


def print_series(series: Sequence[Series], labels: CurveLabels) -> None:
    """Print a table per system: each point, its interval, and whether exact theory lies inside."""
    console = Console(markup=False, emoji=False)
    inside = total = 0
    for one in series:
        table = Table(
            title=one.name,
            title_justify="left",
            title_style="bold",
            box=SIMPLE_HEAD,
            padding=(0, 0, 0, 1),
        )
        columns = [
            AXIS_LABELS[labels.axis],
            labels.trials,
            "errors",
            labels.rate,
            "95 % from",
            "to",
        ]
        columns += [] if one.theory is None else [one.theory.name]
        columns += ["inside"] if one.theory is not None and labels.exact else []
        for column in columns:
            table.add_column(column, justify="right", min_width=min(len(column), 9))
        for x, count, theory in zip(one.x, one.counts, _theory_at(one), strict=True):
            low, high = count.interval()
            cells = [f"{x:g}", f"{count.trials:,}", f"{count.errors:,}"]
            cells += [_short(count.rate) if count.errors else "–", _short(low), _short(high)]
            hit = theory is not None and low <= theory <= high
            cells += ["" if theory is None else _short(max(theory, 1e-300)), "yes" if hit else "no"]
            inside, total = inside + hit, total + (theory is not None)
            table.add_row(*cells[: len(columns)])
        console.print(table)
    if total and labels.exact:
        console.print(f"theory lies inside {inside} of {total} intervals; 95 % are expected")


def _short(rate: float) -> str:
    """Write an error rate as ``1.47e-3``."""
    if rate < 1e-30:
        return "0" if rate == 0 else "<1e-30"
    digits, _, exponent = f"{rate:.2e}".partition("e")
    return f"{digits}e{int(exponent)}"


def _write_csv(series: Sequence[Series], axis: str, file: Path) -> None:
    rows = []
    for one in series:
        for x, count, theory in zip(one.x, one.counts, _theory_at(one), strict=True):
            low, high = count.interval()
            row = {"system": one.name, axis: x, **asdict(count), "rate": count.rate}
            rows.append({**row, "low": low, "high": high, "theory": theory})
    save(file, to_csv(list(rows[0]), [list(row.values()) for row in rows]))


def draw(series: Sequence[Series], labels: CurveLabels) -> Figure:
    """Draw all curves: points with bands, upper limits as arrows, theory dashed."""
    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    plot = figure.subplots()
    plot.set_yscale("log")
    counts = [count for one in series for count in one.counts]
    highs = [count.interval()[1] for count in counts]
    bottom = min(highs + [count.rate for count in counts if count.errors]) / 4
    for index, one in enumerate(series):
        look = series_look(index)
        _draw_points(plot, one, look)
        _draw_theory(plot, one, look["color"])
    plot.set_ylim(bottom, 1.3 * max(highs))
    plot.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    plot.yaxis.set_minor_formatter(NullFormatter())
    plot.set_xlabel(AXIS_LABELS[labels.axis], fontsize=8)
    plot.set_ylabel(labels.rate, fontsize=8)
    plot.tick_params(labelsize=7)
    plot.grid(alpha=0.3, linewidth=0.5)
    plot.grid(alpha=0.12, linewidth=0.4, which="minor", axis="y")
    plot.set_title(f"{labels.title}, 95 % confidence", fontsize=9)
    _legend(figure, series, labels)
    return figure


def _draw_points(plot: Axes, one: Series, look: Look) -> None:
    seen = [(x, count) for x, count in zip(one.x, one.counts, strict=True) if count.errors]
    x = [x for x, _ in seen]
    rate = np.array([count.rate for _, count in seen])
    ends = np.array([count.interval() for _, count in seen]).reshape(-1, 2)
    plot.errorbar(
        x,
        rate,
        np.abs(ends.T - rate),
        label=one.name,
        **look,
        markersize=4,
        linestyle="-" if one.joined else "none",
        linewidth=1.1,
        elinewidth=0.9,
        capsize=2,
    )
    colour = look["color"]
    plot.fill_between(x, ends[:, 0], ends[:, 1], color=colour, alpha=0.2, linewidth=0)
    # Without errors only an upper bound is known; it is drawn where the errors end.
    before = (None, *one.counts)
    for x_none, count, last in zip(one.x, one.counts, before, strict=False):
        if not count.errors and (last is None or last.errors):
            high = count.interval()[1]
            style: dict[str, Any] = {"marker": "_", "markersize": 7, "elinewidth": 0.9}
            plot.errorbar(x_none, high, high / 2, uplims=True, color=colour, capsize=3, **style)


def _draw_theory(plot: Axes, one: Series, colour: str) -> None:
    if one.theory is not None:
        x = np.linspace(one.x[0], one.x[-1], 200)
        plot.plot(x, np.maximum(one.theory.rate(x), 1e-300), "--", color=colour, linewidth=1.2)
    if one.limit is not None:
        plot.axvline(one.limit, color=colour, linestyle=":", linewidth=1.2)


def _legend(figure: Figure, series: Sequence[Series], labels: CurveLabels) -> None:
    (plot,) = figure.axes
    handles, _ = plot.get_legend_handles_labels()
    names = " / ".join(dict.fromkeys(one.theory.name for one in series if one.theory))
    if names:
        handles.append(Line2D([], [], color=DARK, linestyle="--", label=names))
    if any(one.limit is not None for one in series):
        handles.append(Line2D([], [], color=DARK, linestyle=":", label=labels.limit))
    if any(not count.errors for one in series for count in one.counts):
        label = "no error: 95 % upper bound"
        handles.append(Line2D([], [], color=DARK, marker=r"$\downarrow$", ls="", label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=7.5)
