"""Records as tables for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from semcom.scores import SCORES

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


def ratio(cbr: float) -> str:
    """Write 0.0625 as 1/16, other values as they are."""
    inverse = 1 / cbr
    return f"1/{round(inverse)}" if abs(inverse - round(inverse)) < 1e-3 else f"{cbr:.3g}"


_SECTION_ENDS = {"scheme", "CBR", "packets"}


def _rows(records: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    rows = [
        ("region found by", [str(r["segmenter"]) for r in records]),
        ("region, % of frame", [f"{100 * r['region_area']:.1f}" for r in records]),
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
