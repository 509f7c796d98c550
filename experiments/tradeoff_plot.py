"""The plot of ``semcom tradeoff``: region PSNR against background PSNR, one line per codec over θ.

Points are means over images of the per-image dB values. Where several masks matter, a second panel
shows how the first, which ``graded`` prefers, does against the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.means import Point, count_images
from experiments.plots import new_figure, save_figure
from experiments.tables import ratio

# Okabe and Ito's colours with markers and dashes that survive a grey print.
_Style: TypeAlias = tuple[str, str, Any]
_STYLES: tuple[_Style, ...] = (
    ("#d55e00", "o", "-"),
    ("#0072b2", "s", "--"),
    ("#009e73", "^", "-."),
    ("#cc79a7", "D", (0, (5, 1, 1, 1, 1, 1))),
    ("#56b4e9", "v", (0, (1, 1))),
    ("#000000", "P", (0, (8, 2))),
)


def plot_tradeoff(means: Sequence[Point], path: Path, *, kind: str) -> list[Path]:
    """Draw and save as ``path`` with .png and .pdf; return the files.

    ``kind`` is that of the importance, ``"region"`` or ``"graded"``.
    """
    panels = [("background_psnr_db", "background PSNR, dB", "region_psnr_db", "region PSNR, dB")]
    if any(point.values("others_psnr_db") for point in means):
        names = ("PSNR of the other masks, dB", "PSNR of the first mask, dB")
        panels.append(("others_psnr_db", names[0], "first_psnr_db", names[1]))
    row = means[0].rows[0]
    images = count_images(row for point in means for row in point.rows)
    mean = f"mean of {images} images" if images > 1 else "one image"
    where = f"{row['channel']} at {row['snr_db']:g} dB, CBR {ratio(row['cbr_budget'])}"
    how = mean if kind == "region" else f"{kind} importance, {mean}"
    figure, axes = new_figure(len(panels), (where, how), width=4.4 * len(panels), height=3.8)
    codecs = list(dict.fromkeys(point.codec for point in means))
    for plot, (x, x_label, y, y_label) in zip(axes, panels, strict=True):
        for codec, style in zip(codecs, itertools.cycle(_STYLES), strict=False):
            _draw(plot, [point for point in means if point.codec == codec], x, y, style)
        plot.set_xlabel(x_label, fontsize=8)
        plot.set_ylabel(y_label, fontsize=8)
        plot.margins(0.15)
    grey = {"color": "#555555", "marker": "o", "linestyle": "none"}
    handles, _ = axes[0].get_legend_handles_labels()
    handles.append(Line2D([], [], label="blind", mfc="none", markersize=8, **grey))  # type: ignore[arg-type]
    axes[0].legend(handles=handles, frameon=False, fontsize=8, handlelength=3)
    return save_figure(figure, path)


def _draw(plot: Axes, means: Sequence[Point], x: str, y: str, style: _Style) -> None:
    """Draw one codec: its line over θ, and its blind point, hollow and larger."""
    colour, marker, dashes = style
    look: dict[str, Any] = {"color": colour, "marker": marker}
    steered = _places((point for point in means if point.system != "blind"), x, y)
    blind = _places((point for point in means if point.system == "blind"), x, y)
    label = means[0].codec
    if steered:
        line: dict[str, Any] = {"linestyle": dashes, "linewidth": 1.4, "markersize": 4}
        plot.plot(*zip(*steered, strict=True), **look, **line, label=label)
    if blind:
        hollow: dict[str, Any] = {"linestyle": "none", "markersize": 8, "markerfacecolor": "none"}
        plot.plot(*zip(*blind, strict=True), **look, **hollow, label=None if steered else label)
    # Region and rest compete, so that the line falls; masks that all matter rise together.
    falls = y == "region_psnr_db"
    for number, (place, thetas) in enumerate(steered.items()):
        text = "–".join(f"{theta:g}" for theta in dict.fromkeys((thetas[0], thetas[-1])))
        plot.annotate(
            text if number else f"θ = {text}",
            place,
            (6 if falls else -6, 3),
            textcoords="offset points",
            ha="left" if falls else "right",
            fontsize=6.5,
            color=colour,
        )


def _places(means: Iterable[Point], x: str, y: str) -> dict[tuple[float, float], list[float]]:
    """Where points lie, and which θ lie there: a codec may do the same for several."""
    places: dict[tuple[float, float], list[float]] = {}
    for point in means:
        at = (point.mean(x), point.mean(y))
        if at[0] is not None and at[1] is not None:
            places.setdefault((at[0], at[1]), []).append(point.theta)
    return places
