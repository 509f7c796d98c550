"""Records as tables for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from experiments.means import Point, count_images
from semcom.scores import SCORES

if TYPE_CHECKING:
    from experiments.literature import Published

SYSTEMS = {"blind": "blind", "importance": "by importance"}
"""What people read for a record's system."""


def print_records(records: dict[str, dict[str, Any]], *, title: str = "") -> None:
    """Print records side by side, one column each: settings, bandwidth by item, scores."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for name in records:
        table.add_column(name, justify="right")
    for label, cells in _rows(list(records.values())):
        table.add_row(label, *cells, end_section=label in _SECTION_ENDS)
    Console(markup=False, emoji=False).print(table)  # brackets in file names are no markup


_SHORT = {
    "psnr_db": "PSNR",
    "ssim": "SSIM",
    "region_psnr_db": "region",
    "background_psnr_db": "rest",
    "theta_psnr_db": "θ-PSNR",
}


def print_means(means: Sequence[Point]) -> None:
    """Print the mean of each score over the images, a line for each point and system."""
    bounds = dict.fromkeys(p.system for p in means if p.system.startswith("bound"))
    table = Table(title=_title(means), box=SIMPLE_HEAD, caption=next(iter(bounds), None))
    names = [name for name in _SHORT if any(point.values(name) for point in means)]
    for column in ("CBR", "SNR", "system", *(_SHORT[name] for name in names), "lost"):
        table.add_column(column, justify="right")
    for point in means:
        scores = [_number(name, point.mean(name)) for name in names]
        lost = f"{point.num_lost}/{len(point.rows)}"
        system = point.system.replace(f": {point.codec} at capacity", "").replace("by ", "")
        table.add_row(ratio(point.cbr_budget), f"{point.snr_db:g}", system, *scores, lost)
    Console().print(table)


def print_differences(means: Sequence[Point], published: Sequence[Published]) -> None:
    """Print how much better the blind system's PSNR is than the published, where points coincide.

    The published are blind, too: none knows what matters.
    """
    blind = [point for point in means if point.system == "blind"]
    cells = {
        one.name: [_difference(point, one.at(point.cbr_budget, point.snr_db)) for point in blind]
        for one in published
    }
    if not any(any(row) for row in cells.values()):
        return
    title = "PSNR of blind minus published, dB"
    table = Table(title=title, box=SIMPLE_HEAD, caption="columns: CBR, SNR in dB")
    table.add_column("published")
    for point in blind:
        table.add_column(f"{ratio(point.cbr_budget)}\n{point.snr_db:g}", justify="right")
    for name, row in cells.items():
        if any(row):
            table.add_row(name, *row)
    Console().print(table)


def _difference(point: Point, published: float | None) -> str:
    ours = point.mean("psnr_db")
    return "" if ours is None or published is None else f"{ours - published:+.1f}"


def print_tradeoff(means: Sequence[Point], theta: float) -> None:
    """Print region and rest, a line for each codec and θ; θ-PSNR at one ``theta`` for all."""
    table = Table(title=_title(means), box=SIMPLE_HEAD)
    # Where several masks matter, how they share what the region has.
    names = {"region_psnr_db": "region", "background_psnr_db": "rest"}
    if any(point.values("others_psnr_db") for point in means):
        names |= {"first_psnr_db": "first\nmask", "others_psnr_db": "other\nmasks"}
    names |= {"psnr_db": "PSNR"}
    table.add_column("codec, θ", no_wrap=True)
    for column in (*names.values(), f"θ-PSNR\nat {theta:g}", "lost"):
        table.add_column(column, justify="right")
    codec = None
    for point in means:
        if point.codec != codec:
            codec = point.codec
            table.add_row(codec)
        cells = [_number(name, point.mean(name)) for name in names]
        at_theta = _number("theta_psnr_db", _theta_psnr_db(point, theta))
        steered = "blind" if point.system == "blind" else f"{point.theta:g}"
        lost = f"{point.num_lost}/{len(point.rows)}"
        table.add_row(f"  {steered}", *cells, at_theta, lost)
    Console(markup=False, emoji=False).print(table)  # codec:option is no emoji


def _theta_psnr_db(point: Point, theta: float) -> float | None:
    """Mean θ-PSNR at another θ than a row's own, from its PSNR over the region and the rest."""
    names = ("region_psnr_db", "background_psnr_db")
    pairs = [(row[names[0]], row[names[1]]) for row in point.rows]
    values = [
        -10 * math.log10(theta * 10 ** (-region / 10) + (1 - theta) * 10 ** (-rest / 10))
        for region, rest in pairs
        if region is not None and rest is not None
    ]
    return sum(values) / len(values) if values else None


def _title(means: Sequence[Point]) -> str:
    count = count_images(row for point in means for row in point.rows)
    return f"means of {count} image" + "s" * (count != 1)


def ratio(cbr: float) -> str:
    """Write 0.0625 as 1/16, other values as they are."""
    inverse = 1 / cbr
    return f"1/{round(inverse)}" if abs(inverse - round(inverse)) < 1e-3 else f"{cbr:.3g}"


_SECTION_ENDS = {"scheme", "CBR", "packets"}


def _rows(records: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    rows = [
        ("region found by", [str(r["segmenter"]) for r in records]),
        ("codec", [r["codec"] for r in records]),
        ("channel", [f"{r['channel']}, {r['snr_db']:g} dB" for r in records]),
        ("scheme", [r["scheme"] for r in records]),
        ("payload bits", [f"{r['num_bits']:,}" for r in records]),
    ]
    rows.append(("channel uses", [f"{r['num_uses']:,}" for r in records]))
    for item in records[0]["accounting"]:
        if item == "overhead" and not any(r["accounting"][item] for r in records):
            continue
        rows.append((f"  {item}", [_uses(r["accounting"][item]) for r in records]))
    rows.append(("CBR", [f"{r['cbr']:.5f}" for r in records]))
    for name, (description, _) in SCORES.items():
        rows.append((description, [_number(name, r[name]) for r in records]))
    packets = [f"{r['packets_received']} of {r['packets_sent']}" for r in records]
    return [*rows, ("packets", packets)]


def _uses(value: float) -> str:
    """Channel uses; a part of one is possible where several bits share a symbol."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if name.endswith("_db") else f"{value:.4f}"
