"""Tables for the page, and as CSV files within the page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from experiments.analysis.score_names import naming
from experiments.analysis.table import Table
from experiments.csv_table import to_csv
from experiments.report.words import cell, digits, rank

MOST_ROWS = 200
"""Largest number of rows that are shown; the CSV file has all rows."""


_OF_SCORES = ("value", "error_low", "error_high", "interval_low", "interval_high")
"""Columns of figures' numbers whose rows are of different scores."""


class Cell(NamedTuple):
    """A value as text, and the number by which it is sorted."""

    text: str
    rank: float | None


@dataclass(frozen=True)
class Grid:
    """A table prepared for the page."""

    table: Table
    columns: list[str]
    """Columns that are shown; those with the same value in all rows are in the note instead."""
    rows: list[list[Cell]]
    """The first :data:`MOST_ROWS` rows."""
    note: str
    """Text on the values that all rows share."""
    href: str
    """The whole table as CSV, in a data URL."""


def grid(table: Table) -> Grid:
    """Prepare a table."""
    same = _same(table)
    kept = [i for i in range(len(table.columns)) if i not in same]
    columns = [table.columns[i] for i in kept]
    shown = [[row[i] for i in kept] for row in table.rows[:MOST_ROWS]]
    decimals = [
        _digits(table, name, column)
        for name, column in zip(columns, zip(*shown, strict=True), strict=False)
    ]
    rows = [
        [
            Cell(cell(v, _digits_of_score(row, columns, name, d)), rank(v))
            for v, name, d in zip(row, columns, decimals, strict=True)
        ]
        for row in shown
    ]
    said = [
        f"{table.columns[i]} {cell(value, digits([value]))}"
        for i, value in same.items()
        if value is not None
    ]
    note = f"In all rows: {', '.join(said)}." if said else ""
    file = to_csv(table.columns, table.rows).encode()
    url = data_url("text/csv;charset=utf-8", file)
    return Grid(table, columns, rows, note, url)


def _digits(table: Table, name: str, column: Sequence[Any]) -> int | None:
    """Return the number of decimals of a column, which is the same for scores in all tables."""
    if name in table.scores:
        return table.digits(name)
    return digits(column)


def _digits_of_score(
    row: Sequence[Any], columns: Sequence[str], name: str, usual: int | None
) -> int | None:
    """Return the number of decimals of a cell where each row is of another score."""
    if "score" not in columns or name not in _OF_SCORES:
        return usual
    return naming(str(row[columns.index("score")])).digits


def _same(table: Table) -> dict[int, Any]:
    """Return the columns, except scores, that have the same value in all rows."""
    if len(table.rows) < 2:
        return {}
    found = {
        i: column[0]
        for i, column in enumerate(zip(*table.rows, strict=True))
        if table.columns[i] not in table.scores and len(set(map(repr, column))) == 1
    }
    return found if len(found) < len(table.columns) else {}


def data_url(kind: str, data: bytes) -> str:
    """Return a URL that contains the data.

    Examples
    --------
    >>> data_url("text/plain", b"semcom")
    'data:text/plain;base64,c2VtY29t'
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
