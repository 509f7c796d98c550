"""A small suite, and what stands in its results."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from click.testing import Result

from experiments.store.integrity import seal_of

Run = Callable[..., Result]
SUITE = """
title: what masks save
images: [a.png, b.png]
segmenter: beside
codec: jpeg
systems:
  blind: {blind: true}
  masks: {codec: "layered:base=jpeg"}
cbr: [1/4, 1/3]
snr_db: [7, 10]
pictures: 1
"""


def query(sql: str, file: str = "out/results.db") -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(file)
    rows = connection.execute(sql).fetchall()
    connection.commit()
    connection.close()
    return rows


def tamper(where: str, outcomes: str, file: str = "out/results.db") -> None:
    """Change a row as if another machine had made it so."""
    ((identity, *row),) = query(f"SELECT rowid, * FROM rows WHERE {where}", file)
    row[10] = outcomes
    seal = seal_of(*row[:-1])
    query(f"UPDATE rows SET outcomes = '{outcomes}', seal = {seal} WHERE rowid = {identity}", file)
