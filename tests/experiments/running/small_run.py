"""A small suite, and what stands in its results file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.running.runner import Summary
from experiments.store.database import Database

SUITE = """\
title: t
images: ["*.png"]
segmenter: graph
codec: jpeg
channel: rayleigh
systems: {blind: {blind: true}, graph: {}}
cbr: 1/2
snr_db: [8, 60]
draws: {most: 16, first: 4, within: 1.5, lost_within: 0.4}
pictures: 1
"""
COLUMNS = "task, first, draws, image, mask, setting, seed, lost, sums, record, outcomes"
Run = Callable[..., Summary]


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with Database(path) as database:
        return list(database.query(sql))


def stored_rows(folder: Path, out: str = "out") -> list[tuple[Any, ...]]:
    return query(folder / out / "results.db", f"SELECT {COLUMNS} FROM rows ORDER BY task, first")


def stored_intervals(folder: Path, out: str = "out") -> list[tuple[Any, ...]]:
    sql = "SELECT * FROM intervals ORDER BY setting, score"
    return query(folder / out / "results.db", sql)
