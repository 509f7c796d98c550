"""Tables of records, for the console."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.analysis.score_names import naming, short
from semcom.scores.base import ALWAYS, SCORES

SYSTEMS = {"blind": "blind", "importance": "by importance"}
"""Names of the systems of records, for display."""


def print_records(
    records: dict[str, dict[str, Any]],
    *,
    gains: dict[str, float | None] | None = None,
    title: str = "",
) -> None:
    """Print records side by side, one column each: settings, bandwidth by item, and scores.

    ``gains`` are the differences of the scores, for an additional column.
    """
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for name in records:
        table.add_column(name, justify="right")
    if gains is not None:
        table.add_column("gain", justify="right")
    labels = {_description(name): name for name in _scores(records.values())}
    for label, cells in _rows(list(records.values())):
        if gains is not None:
            cells = [*cells, _gain(labels[label], gains) if label in labels else ""]
        table.add_row(label, *cells, end_section=label in _SECTION_ENDS)
    Console(markup=False, emoji=False).print(table)  # brackets in file names are not markup


def print_gains(gains: dict[str, dict[str, float | None]]) -> None:
    """Print the gains of several images and their means, with the number of images if not all."""
    names = list(next(iter(gains.values())))
    table = Table(title="gain by importance, at equal bandwidth", title_justify="left")
    table.add_column("", overflow="fold")
    for name in names:
        table.add_column(short(name), justify="right", no_wrap=True)
    for source, found in gains.items():
        table.add_row(source, *(_gain(name, found) for name in names))
    table.add_section()
    cells = []
    for name in names:
        known = [value for found in gains.values() if (value := found[name]) is not None]
        mean = math.fsum(known) / len(known) if known else None
        few = f" (of {len(known)})" if 0 < len(known) < len(gains) else ""
        cells.append(_gain(name, {name: mean}) + few)
    table.add_row(f"mean of {len(gains)} images", *cells)
    Console(markup=False, emoji=False).print(table)


def _gain(name: str, gains: dict[str, float | None]) -> str:
    value = gains[name]
    return "–" if value is None else f"{value:+.{naming(name).digits}f}"


_SECTION_ENDS = {"scheme", "CBR", "packets"}


def _rows(records: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    rows = [
        ("region found by", [str(r["segmenter"]) for r in records]),
        ("region, % of frame", [f"{100 * r['region_area']:.1f}" for r in records]),
        *_doubt(records),
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
    for name in _scores(records):
        rows.append((_description(name), [_number(name, r[name]) for r in records]))
    packets = [f"{r['packets_received']} of {r['packets_sent']}" for r in records]
    return [*rows, ("packets", packets)]


def _doubt(records: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return how sure the segmenter was, if the sender asked."""
    if "confidence" not in records[0]:
        return []
    said = [f"{r['confidence']:.2f}, θ = {r['theta']:.3g}" for r in records]
    return [("confidence in the region", said)]


def _uses(value: float) -> str:
    """Write channel uses; a fraction is possible if items share a symbol."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.{naming(name).digits}f}"


def _scores(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return the scores of records: those of all, and those that were asked for."""
    asked = (name for record in records for name in record.get("scores", ()))
    return list(dict.fromkeys((*ALWAYS, *asked)))


def _description(name: str) -> str:
    """Describe a score: our own in words, others by their names."""
    if name in ALWAYS:
        return SCORES.entry(name).summary
    about = naming(name)
    return about.with_unit
