"""Files of counts: lines of JSON, each with an id, appended as batches finish."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read_rows(store: Path, say: Callable[..., None]) -> dict[str, Row]:
    """Read the rows of earlier runs by id; a damaged line is reported and skipped."""
    rows: dict[str, Row] = {}
    if not store.exists():
        return rows
    text = store.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            rows[row["id"]] = row
        except (ValueError, TypeError, KeyError):
            say(f"{store}, line {number}: damaged, skipped")
    if text and not text.endswith("\n"):
        with store.open("a", encoding="utf-8") as sink:
            sink.write("\n")
    return rows
