"""CSV tables that a spreadsheet reads as numbers and text, never as formulas."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Write a table as CSV, with numbers in full precision and empty cells for None and NaN.

    Text that a spreadsheet would take for a formula is prefixed with an apostrophe, as OWASP
    advises ("CSV Injection"), because names in results may come from anybody.

    Examples
    --------
    >>> to_csv(("a", "b"), ((0.1, None), ("x, y", -3), ("=1+1", "-2.5"), ("-x", float("nan"))))
    'a,b\n0.1,\n"x, y",-3\n\'=1+1,-2.5\n\'-x,\n'
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return sink.getvalue()


def append_row(file: Path, row: Mapping[str, Any]) -> None:
    """Append a row to a CSV file, which is made with these columns if it does not exist."""
    is_new = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(row), lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def _cell(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # csv does not quote \r, which would then begin a row
    if not text.startswith(_BEGINS_A_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
