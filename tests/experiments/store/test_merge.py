"""Rows of the same draws, divided otherwise: more draws win, and what is left out is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.store.database import Database
from experiments.store.merge import merge
from tests.experiments.store.rows import made, rows_of


def _file(path: Path, *ranges: tuple[int, int]) -> Path:
    with Database(path, write=True) as database:
        rows = [replace(made(0, draws=draws), first=first) for first, draws in ranges]
        database.add(rows, "run")
    return path


@pytest.mark.parametrize(
    ("mine", "theirs", "after", "told"),
    [
        ([(0, 3)], [(0, 20)], [(0, 20)], 0),
        ([(0, 3), (3, 5)], [(0, 20)], [(0, 20)], 0),
        ([(0, 20)], [(0, 3), (3, 5)], [(0, 20)], 0),
        ([(0, 3)], [(3, 5)], [(0, 3), (3, 5)], 0),
        ([(0, 5)], [(3, 5)], [(0, 5)], 1),
        ([(0, 3), (3, 5)], [(0, 6)], [(0, 3), (3, 5)], 0),
        ([(0, 3), (5, 5)], [(0, 6)], [(0, 3), (5, 5)], 1),
    ],
)
def test_no_draw_is_lost_in_silence(
    tmp_path: Path,
    mine: list[tuple[int, int]],
    theirs: list[tuple[int, int]],
    after: list[tuple[int, int]],
    told: int,
) -> None:
    target, source = _file(tmp_path / "a.db", *mine), _file(tmp_path / "b.db", *theirs)
    said: list[str] = []
    merge(target, [source], salvage=False, say=said.append)
    assert [(row[1], row[2]) for row in rows_of(target)] == after
    notes = [line for line in said if "they are left out" in line]
    assert len(notes) == told
    assert all("1 rows hold some draws" in line for line in notes)
