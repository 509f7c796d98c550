"""``semcom mcs``: prints, writes and draws the table of schemes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from channels.packets.mcs import LEVELS
from channels.packets.target import Target
from experiments.csv_table import to_csv
from experiments.link_level.scheme_plot import plot_schemes
from experiments.link_level.scheme_table import FadingLaw, SchemeRow, scheme_rows
from experiments.saving import save

_WIDEST = 120  # columns of a terminal; no table is wider


def mcs(
    channel: str, num_bits: int, out: Path, *, schemes: str = "nr", say: Callable[..., None]
) -> list[SchemeRow]:
    """Print the table; write ``mcs.csv``, ``mcs.png`` and ``mcs.pdf`` into ``out``.

    See :func:`scheme_rows` for the parameters and errors. ``say`` receives the names of the files.
    """
    rows = scheme_rows(channel, num_bits, schemes)
    law = FadingLaw(channel)
    out.mkdir(parents=True, exist_ok=True)
    lengths = sorted({row.num_bits for row in rows}, reverse=True)
    few = " or ".join(f"{length}" for length in lengths)
    blocks = few if len(lengths) <= 3 else f"{lengths[-1]} to {lengths[0]}"
    outage = f", outage {Target().outage:g}" if law.coherence == "block" else ""
    title = f"blocks of {blocks} bits over {channel}{outage}"
    _print(rows, title)
    _write_csv(rows, out / "mcs.csv")
    files = [out / "mcs.csv", *plot_schemes(rows, law, title, out)]
    say(*map(str, files))
    return rows


def _columns(row: SchemeRow) -> dict[str, str | float | None]:
    one, ten, thousand = row.snr_db
    return {
        "no.": str(row.number),
        "scheme": row.scheme.name,
        "bits/use": row.efficiency,
        "1e-1": one,
        "1e-2": ten,
        "1e-3": thousand,
        "capacity": row.capacity_db,
        "gap": row.capacity_gap_db,
        "to normal": row.normal_gap_db,
    }


def _print(rows: list[SchemeRow], title: str) -> None:
    caption = (
        "Es/N0 in dB at block error rates of 0.1, 0.01 and 0.001, and at capacity. Gaps\n"
        "in dB at 0.01, to capacity and to the normal approximation for this block length."
    )
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, padding=(0, 0, 0, 1))
    table.title_justify = table.caption_justify = "left"
    for column in _columns(rows[0]):
        table.add_column(column, justify="left" if column == "scheme" else "right", no_wrap=True)
    for row in rows:
        last = row is rows[-1] or rows[row.number + 1].scheme.bits_per_symbol != (
            row.scheme.bits_per_symbol
        )
        cells = (
            value if isinstance(value, str) else "–" if value is None else f"{value:.2f}"
            for value in _columns(row).values()
        )
        table.add_row(*cells, end_section=last)
    console = Console(markup=False, emoji=False)
    wide = console.options.update(width=_WIDEST)
    console.width = max(console.width, console.measure(table, options=wide).maximum)
    console.print(table)


def _write_csv(rows: list[SchemeRow], file: Path) -> None:
    levels = [f"snr_db_at_{level:g}" for level in LEVELS]
    head = ["number", "scheme", "bits_per_symbol", "code_rate", "num_bits", *levels]
    head += ["capacity_db", "capacity_gap_db", "normal_db", "normal_gap_db"]
    cells = []
    for row in rows:
        scheme = row.scheme
        about = [row.number, scheme.name, scheme.bits_per_symbol, scheme.code_rate]
        gaps = [row.capacity_db, row.capacity_gap_db, row.normal_db, row.normal_gap_db]
        cells.append([*about, row.num_bits, *row.snr_db, *gaps])
    save(file, to_csv(head, cells))
