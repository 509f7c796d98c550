"""Rows made by hand, and those that stand in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.store.database import Database, TaskResult


def made(i: int, *, draws: int = 1, **about: Any) -> TaskResult:
    scores = {"psnr_db": 20 + i / 7, "ssim": None}
    outcome = {"count": draws, "all_lost": False, "scores": scores, "draw": i, "sha256": "0" * 64}
    record = {"sha256": "f" * 64, "cbr": 1 / 16, "notes": ["a", "b"]}
    parts = {"record": record, "outcomes": [outcome]} | about
    return TaskResult(f"task{i:04}", i, draws, f"image{i % 3}", "", "setting", 0, 0.25, **parts)


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    with Database(path) as database:
        return list(database.query("SELECT * FROM rows ORDER BY task, first"))
