"""The tables of a study for people, on the console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from experiments.drawing.base import Table
from experiments.drawing.tables import COUNT, HALF

_WIDTH = 200  # of a console that is no terminal; tables take what they need
Row = dict[str, Any]


def print_tables(tables: Sequence[Table]) -> None:
    """Print them all, one for each channel where there are several."""
    by_name = {table.name: table for table in tables}
    for name, show in (
        ("means", _print_means),
        ("gains", lambda table: _print_gains(table, by_name.get("bd-rate"))),
        ("differences", _print_differences),
        ("draws", _print_draws),
        ("lost", _print_lost),
    ):
        if name in by_name:
            show(by_name[name])


def _print_means(table: Table) -> None:
    rows = list(_rows(table))
    partial = len({row["images"] for row in rows}) > 1
    exact = any(row["exact"] for row in rows)
    more = [*["images"] * partial, *["exact"] * exact, "lost"]
    for title, some in _by_channel(table):
        shown = _start(title, ("CBR", "SNR", "system", *table.scores, *more), table.caption)
        for row in some:
            cells = [_score(name, row) for name in table.scores]
            cells += [str(row["images"])] * partial
            cells += [f"{row['exact']}/{row['draws']}"] * exact
            place = (row["CBR"], f"{row['SNR']:g}", row["system"])
            shown.add_row(*place, *cells, f"{row['lost']}/{row['draws']}")
        _print(shown)


def _print_gains(table: Table, rates: Table | None) -> None:
    """Print gains: of each system over its conditions, or of all systems at the only one."""
    known = [row for row in _rows(rates) if not row["published"]] if rates else []
    for where, rows in _by_channel(replace(table, title="")):
        places = list(dict.fromkeys((row["CBR"], row["SNR"]) for row in rows))
        if len(places) == 1:
            cbr, snr_db = places[0]
            title = f"against {table.anchor}{where}, CBR {cbr} at {snr_db:g} dB"
            shown = _start(title, ("system", *table.scores), "")
            for row in rows:
                shown.add_row(row["system"], *(_gain(name, row) for name in table.scores))
            _print(shown)
            continue
        for system in dict.fromkeys(row["system"] for row in rows):
            mine = [row for row in rows if row["system"] == system]
            mates = [
                r for r in known if (r["channel"], r["system"]) == (mine[0]["channel"], system)
            ]
            _print_gain(f"{system} against {table.anchor}{where}", table, mine, mates)


def _print_gain(title: str, table: Table, rows: Sequence[Row], rates: Sequence[Row]) -> None:
    """Print one system's gains over CBR and SNR, with the bandwidth that they are worth."""
    names = table.scores
    snrs = list(dict.fromkeys(row["SNR"] for row in rows))
    several = len(snrs) > 1
    head = ("CBR", *(["SNR"] if several else []), *names)
    shown = _start(title if several else f"{title}, at {snrs[0]:g} dB", head, "")
    notes = []
    for snr_db in snrs:
        at = [f"{snr_db:g}"] if several else []
        for row in (row for row in rows if row["SNR"] == snr_db):
            shown.add_row(row["CBR"], *at, *(_gain(name, row) for name in names))
        found = {row["score"] + ", dB": row for row in rates if row["SNR"] == snr_db}
        if any(name in found for name in names):
            every = max(row["images"] for row in rows)
            shown.add_row("BD-rate", *at, *(_rate(found.get(name), every) for name in names))
            notes += _worth(found, table.anchor, *at)
    shown.caption = "\n".join(notes) or None
    _print(shown)


def _worth(found: dict[str, Row], anchor: str, snr_db: str = "") -> list[str]:
    """Say what the region's gain is worth."""
    region = "region, dB" in found
    name = "region, dB" if region else "PSNR, dB"
    times = found[name]["times"] if name in found else None
    if times is None:
        return []
    what = "region PSNR" if region else "PSNR"
    text = f"the same {what} takes {anchor} {times:.2f} times the bandwidth"
    return [f"{text} at {snr_db} dB" if snr_db else text]


def _print_differences(table: Table) -> None:
    """Print a line for each publication, a column for each point."""
    rows = list(_rows(table))
    systems = dict.fromkeys((row["channel"], row["system"]) for row in rows)
    channels = {channel for channel, _ in systems}
    for channel, system in systems:
        mine = [row for row in rows if (row["channel"], row["system"]) == (channel, system)]
        places = list(dict.fromkeys((row["CBR"], row["SNR"]) for row in mine))
        title = f"PSNR of {system} minus published, dB"
        title += f", {channel}" if len(channels) > 1 else ""
        shown = RichTable(title=title, box=SIMPLE_HEAD, caption="columns: CBR, SNR in dB")
        shown.add_column("published")
        for cbr, snr_db in places:
            shown.add_column(f"{cbr}\n{snr_db:g}", justify="right")
        for name in sorted({row["published"] for row in mine}):
            line = {(r["CBR"], r["SNR"]): r["difference"] for r in mine if r["published"] == name}
            shown.add_row(name, *(_signed(line[p], 1) if p in line else "" for p in places))
        _print(shown)


def _print_draws(table: Table) -> None:
    head = ("CBR", "SNR", "system", "expected", "simulated", "mean", "region shown")
    for title, some in _by_channel(table):
        shown = _start(title, head, table.caption)
        for row in some:
            place = (row["CBR"], f"{row['SNR']:g}", row["system"])
            decibels = (_score(name, row) for name in head[3:-1])
            shown.add_row(*place, *decibels, f"{row['shown, %']:.1f} %")
        _print(shown)


def _print_lost(table: Table) -> None:
    head = ("CBR", "SNR", "system", "lost", "share", "95 % interval")
    for title, some in _by_channel(table):
        shown = _start(title, head, table.caption)
        for row in some:
            place = (row["CBR"], f"{row['SNR']:g}", row["system"])
            interval = f"{row['from']:.1f} – {row['to']:.1f} %"
            share = f"{row['%']:.1f} %"
            shown.add_row(*place, f"{row['lost']}/{row['draws']}", share, interval)
        _print(shown)
    if not table.rows:  # nothing was lost, but tasks failed: the caption says so
        Console(markup=False).print(table.caption)


def _rows(table: Table) -> Iterator[Row]:
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


def _by_channel(table: Table) -> Iterator[tuple[str, list[Row]]]:
    channels: dict[str, list[Row]] = {}
    for row in _rows(table):
        channels.setdefault(row["channel"], []).append(row)
    for channel, some in channels.items():
        several = f"{table.title}, {channel}" if len(channels) > 1 else table.title
        yield table.titles.get(channel, several), some


def _start(title: str, head: Sequence[str], caption: str) -> RichTable:
    table = RichTable(title=title, box=SIMPLE_HEAD, caption=caption or None)
    for name in head:
        table.add_column(name, justify="right")
    return table


def _print(table: RichTable) -> None:
    # Brackets in names are no markup.
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)


def _score(name: str, row: Row) -> str:
    digits = 4 if "SSIM" in name else 2
    value, half = row[name], row.get(name + HALF)
    text = "–" if value is None else f"{value:.{digits}f}"
    return (text if half is None else f"{text} ±{half:.{digits}f}") + _count(name, row)


def _gain(name: str, row: Row) -> str:
    return _signed(row[name], 2) + _count(name, row)


def _count(name: str, row: Row) -> str:
    """Say of how many images a mean is, where it is not of all."""
    count = row.get(name + COUNT, row["images"])
    return f" ({count})" if count != row["images"] else ""


def _signed(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:+.{digits}f}"


def _rate(row: Row | None, every: int) -> str:
    if row is None or row["BD-rate, %"] is None:
        return "–"
    count = f" ({row['images']})" if row["images"] != every else ""
    return f"{row['BD-rate, %']:+.1f} %{count}"
