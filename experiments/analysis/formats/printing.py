"""Printing of tables on the console."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from experiments.analysis.formats.sheets import Sheet, sheets
from experiments.analysis.table import Table

_WIDTH = 200  # if the output is not a terminal; tables use what they need


def print_tables(tables: Sequence[Table]) -> None:
    """Print all tables, one for each channel if there are several."""
    for sheet in sheets(tables):
        _print(sheet)


def _print(sheet: Sheet) -> None:
    # Brackets in names are not markup.
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    if not sheet.rows:
        console.print(sheet.caption)
        return
    shown = RichTable(title=sheet.title, box=SIMPLE_HEAD, caption=sheet.caption or None)
    for name in sheet.head:
        shown.add_column(name, justify="left" if name == "published" else "right")
    for row in sheet.rows:
        shown.add_row(*row)
    console.print(shown)
