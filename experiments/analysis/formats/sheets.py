"""Tables as text cells, for the console and for LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from experiments.analysis.table import Table
from experiments.analysis.tables import CHOSEN, COUNT, HALF, PLACE

Row = dict[str, Any]
Cell = tuple[int, int]
"""Row and column."""


@dataclass(frozen=True)
class Sheet:
    """A table whose cells are text."""

    name: str
    """Name of the table that it was made from."""
    title: str
    head: tuple[str, ...]
    """Heads of the columns; a line break gives two lines."""
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    places: int = 0
    """Number of leading columns that hold the CBR and the SNR of a row."""
    best: frozenset[Cell] = frozenset()
    """Cells with the best score at their CBR and SNR."""


def sheets(tables: Sequence[Table]) -> list[Sheet]:
    """Return the sheets of all tables, one for each channel if there are several."""
    by_name = {table.name: table for table in tables}
    found: list[Sheet] = []
    for name, write in (
        ("means", _means),
        ("gains", lambda table: _gains(table, by_name.get("bd-rate"))),
        ("robustness", _plain),
        ("spoilt", _plain),
        ("texture-share", _plain),
        ("needed", _needed),
        ("differences", _differences),
        ("draws", _draws),
        ("lost", _lost),
    ):
        if name in by_name:
            found += write(by_name[name])
    return found


def rates(tables: Sequence[Table]) -> Iterator[Sheet]:
    """Write the tables of bandwidth at equal quality, which :func:`sheets` leaves out."""
    for table in tables:
        if table.name == "bd-rate":
            for title, some in _by_channel(table):
                lines = [
                    (f"{row['SNR']:g}", row["system"], row["score"], *_rate_cells(table, row))
                    for row in some
                ]
                head = ("SNR", "system", "score", "BD-rate", "times", "from", "to", "images")
                yield Sheet(table.name, title, head, tuple(lines), table.caption, 1)


def _rate_cells(table: Table, row: Row) -> list[str]:
    digits = table.digits(row["score"])
    parts = ((row["times"], 2), (row["from"], digits), (row["to"], digits))
    numbers = ["–" if value is None else f"{value:.{n}f}" for value, n in parts]
    return [_rate(row, row["images"]), *numbers, str(row["images"])]


def _means(table: Table) -> Iterator[Sheet]:
    rows = list(_rows(table))
    partial = len({row["images"] for row in rows}) > 1
    exact = any(row["exact"] for row in rows)
    sent = any(row["SNR"] is not None for row in rows)
    best_of = CHOSEN in table.columns
    more = [*[CHOSEN] * best_of, *["images"] * partial, *["exact"] * exact, *["lost"] * sent]
    for title, some in _by_channel(table):
        lines = []
        for row in some:
            cells = [_score(table, name, row) for name in table.scores]
            cells += [row[CHOSEN] if best_of else ""] * best_of
            cells += [str(row["images"])] * partial
            cells += [f"{row['exact']}/{row['draws']}"] * exact
            cells += [f"{row['lost']}/{row['draws']}"] * sent
            lines.append((*_place(row)[: 2 * sent], row["system"], *cells))
        head = (*PLACE[1:3][: 2 * sent], "system", *table.scores, *more)
        best = _best(table, some, 1 + 2 * sent, lambda row: (row["CBR"], row["SNR"]))
        yield Sheet("means", title, head, tuple(lines), table.caption, 2 * sent, best)


def _gains(table: Table, rates: Table | None) -> Iterator[Sheet]:
    """Write the gains of each system over its conditions, or of all systems at a single one."""
    known = [row for row in _rows(rates) if not row["published"]] if rates else []
    for where, rows in _by_channel(replace(table, title="")):
        places = list(dict.fromkeys((row["CBR"], row["SNR"]) for row in rows))
        if len(places) == 1:
            cbr, snr_db = places[0]
            title = f"against {table.anchor}{where}, CBR {cbr} at {snr_db:g} dB"
            lines = [
                (row["system"], *(_gain(table, name, row) for name in table.scores)) for row in rows
            ]
            best = _best(table, rows, 1, lambda _: None)
            yield Sheet("gains", title, ("system", *table.scores), tuple(lines), best=best)
            continue
        for system in dict.fromkeys(row["system"] for row in rows):
            mine = [row for row in rows if row["system"] == system]
            mates = [
                r for r in known if (r["channel"], r["system"]) == (mine[0]["channel"], system)
            ]
            yield _system_gains(f"{system} against {table.anchor}{where}", table, mine, mates)


def _system_gains(title: str, table: Table, rows: Sequence[Row], rates: Sequence[Row]) -> Sheet:
    """Write the gains of one system over CBR and SNR, with the equivalent bandwidth."""
    names = table.scores
    snrs = list(dict.fromkeys(row["SNR"] for row in rows))
    several = len(snrs) > 1
    lines, notes = [], []
    for snr_db in snrs:
        at = [f"{snr_db:g}"] if several else []
        for row in (row for row in rows if row["SNR"] == snr_db):
            lines.append((row["CBR"], *at, *(_gain(table, name, row) for name in names)))
        found = {_head(row["score"], names): row for row in rates if row["SNR"] == snr_db}
        if any(name in found for name in names):
            every = max(row["images"] for row in rows)
            lines.append(("BD-rate", *at, *(_rate(found.get(name), every) for name in names)))
            notes += _worth(found, table.anchor, *at)
    head = ("CBR", *["SNR"] * several, *names)
    title = title if several else f"{title}, at {snrs[0]:g} dB"
    return Sheet("gains", title, head, tuple(lines), "\n".join(notes))


def _head(score: str, names: Sequence[str]) -> str:
    """Return the head of a score's column of gains, which has its unit."""
    return f"{score}, dB" if f"{score}, dB" in names else score


def _worth(found: Mapping[str, Row], anchor: str, snr_db: str = "") -> list[str]:
    """Describe the gain of the region as a ratio of bandwidths."""
    region = "region, dB" in found
    name = "region, dB" if region else "PSNR, dB"
    times = found[name]["times"] if name in found else None
    if times is None:
        return []
    what = "region PSNR" if region else "PSNR"
    text = f"{anchor} needs {times:.2f} times the bandwidth for the same {what}"
    return [f"{text} at {snr_db} dB" if snr_db else text]


def _differences(table: Table) -> Iterator[Sheet]:
    """Write a row for each publication and a column for each point."""
    rows = list(_rows(table))
    systems = dict.fromkeys((row["score"], row["channel"], row["system"]) for row in rows)
    channels = {row["channel"] for row in rows}
    for score, channel, system in systems:
        who = (score, channel, system)
        mine = [row for row in rows if (row["score"], row["channel"], row["system"]) == who]
        places = list(dict.fromkeys((row["CBR"], row["SNR"]) for row in mine))
        unit, digits = ("", 4) if score in table.fine else (", dB", 1)
        title = f"{score} of {system} minus published{unit}"
        title += f", {channel}" if len(channels) > 1 else ""
        head = ("published", *(f"{cbr}\n{snr_db:g}" for cbr, snr_db in places))
        lines = []
        for name in sorted({row["published"] for row in mine}):
            line = {(r["CBR"], r["SNR"]): r["difference"] for r in mine if r["published"] == name}
            lines.append((name, *(_signed(line[p], digits) if p in line else "" for p in places)))
        yield Sheet("differences", title, head, tuple(lines), "columns: CBR, SNR in dB")


def _draws(table: Table) -> Iterator[Sheet]:
    head = ("CBR", "SNR", "system", "expected", "simulated", "mean", "region shown")
    for title, some in _by_channel(table):
        lines = [
            (
                *_place(row),
                row["system"],
                *(_score(table, name, row) for name in head[3:-1]),
                f"{row['shown, %']:.1f} %",
            )
            for row in some
        ]
        yield Sheet("draws", title, head, tuple(lines), table.caption, 2)


def _lost(table: Table) -> Iterator[Sheet]:
    head = ("CBR", "SNR", "system", "lost", "share", "95 % interval")
    for title, some in _by_channel(table):
        lines = []
        for row in some:
            interval = f"{row['from']:.1f} – {row['to']:.1f} %"
            counts = f"{row['lost']}/{row['draws']}", f"{row['%']:.1f} %"
            lines.append((*_place(row), row["system"], *counts, interval))
        yield Sheet("lost", title, head, tuple(lines), table.caption, 2)
    if not table.rows:  # nothing was lost, but tasks failed: the caption says so
        yield Sheet("lost", "", (), (), table.caption)


def _best(table: Table, rows: Sequence[Row], first: int, place: Any) -> frozenset[Cell]:
    """Return the cells with the best scores at each place, from column ``first`` on.

    Bounds, and scores over different images, are not compared.
    """
    found: set[Cell] = set()
    for where in dict.fromkeys(map(place, rows)):
        mine = [i for i, row in enumerate(rows) if place(row) == where]
        mine = [i for i in mine if rows[i]["system"] not in table.bounds]
        for column, name in enumerate(table.scores, first):
            values = {i: rows[i][name] for i in mine if rows[i][name] is not None}
            counts = {rows[i].get(name + COUNT, rows[i]["images"]) for i in values}
            if len(values) > 1 and len(counts) == 1 and name not in table.unranked:
                best = (min if name in table.lower else max)(values.values())
                shown = {i: _shown(table, name, value) for i, value in values.items()}
                same = {i for i in values if shown[i] == _shown(table, name, best)}
                found |= {(i, column) for i in same if len(same) < len(values)}
    return frozenset(found)


def _rows(table: Table) -> Iterator[Row]:
    return (dict(zip(table.columns, row, strict=True)) for row in table.rows)


def _by_channel(table: Table) -> Iterator[tuple[str, list[Row]]]:
    channels: dict[str, list[Row]] = {}
    for row in _rows(table):
        channels.setdefault(row["channel"], []).append(row)
    for channel, some in channels.items():
        several = f"{table.title}, {channel}" if len(channels) > 1 else table.title
        yield table.titles.get(channel, several), some


def _place(row: Row) -> tuple[str, str]:
    return ("–", "–") if row["SNR"] is None else (row["CBR"], f"{row['SNR']:g}")


def _plain(table: Table) -> Iterator[Sheet]:
    """Write a table as it is, without columns of the place that are the same in all rows."""
    same = {
        name
        for i, name in enumerate(table.columns)
        if name in PLACE[:3] and len({row[i] for row in table.rows}) == 1
    }
    kept = [i for i, name in enumerate(table.columns) if name not in same]
    lines = tuple(tuple(_text(row[i]) for i in kept) for row in table.rows)
    head = tuple(table.columns[i] for i in kept)
    yield Sheet(table.name, table.title, head, lines, table.caption)


def _needed(table: Table) -> Iterator[Sheet]:
    """Write the needed bandwidth as a fraction alone; the number is for the CSV file."""
    place = table.columns.index("CBR")
    rows = tuple((*row[:place], *row[place + 1 :]) for row in table.rows)
    columns = (*table.columns[:place], *table.columns[place + 1 :])
    return _plain(replace(table, columns=columns, rows=rows))


def _text(cell: Any) -> str:
    if cell is None:
        return "–"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def _score(table: Table, name: str, row: Row) -> str:
    value, half = row[name], row.get(name + HALF)
    text = "–" if value is None else _shown(table, name, value)
    return (text if half is None else f"{text} ±{_shown(table, name, half)}") + _count(name, row)


def _shown(table: Table, name: str, value: float) -> str:
    return f"{value:.{table.digits(name)}f}"


def _gain(table: Table, name: str, row: Row) -> str:
    return _signed(row[name], table.digits(name)) + _count(name, row)


def _count(name: str, row: Row) -> str:
    """Write the number of images in brackets if a mean is not over all of them."""
    count = row.get(name + COUNT, row["images"])
    return f" ({count})" if count != row["images"] else ""


def _signed(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:+.{digits}f}"


def _rate(row: Row | None, every: int) -> str:
    if row is None or row["BD-rate, %"] is None:
        return "–"
    count = f" ({row['images']})" if row["images"] != every else ""
    return f"{row['BD-rate, %']:+.1f} %{count}"
