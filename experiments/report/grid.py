"""A table as the page shows it, and as a file that the page holds."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import NamedTuple

from experiments.csv_table import to_csv
from experiments.drawing.base import Table
from experiments.report.words import cell, digits, rank

MOST_ROWS = 200
"""Rows that are shown; the file has all of them."""


class Cell(NamedTuple):
    """A value, in words and as what it sorts by."""

    text: str
    rank: float | None


@dataclass(frozen=True)
class Grid:
    """A table ready for the page."""

    table: Table
    rows: list[list[Cell]]
    """The first :data:`MOST_ROWS` of them."""
    href: str
    """The whole table as CSV, in a data URL."""


def grid(table: Table) -> Grid:
    """Prepare a table."""
    shown = table.rows[:MOST_ROWS]
    decimals = [digits(column) for column in zip(*shown, strict=True)]
    rows = [
        [Cell(cell(v, d), rank(v)) for v, d in zip(row, decimals, strict=True)] for row in shown
    ]
    file = to_csv(table.columns, table.rows).encode()
    return Grid(table, rows, data_url("text/csv;charset=utf-8", file))


def data_url(kind: str, data: bytes) -> str:
    """Return a URL that holds the data itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
