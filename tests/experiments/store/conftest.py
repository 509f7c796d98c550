"""A results file with one row."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.store.database import Database
from tests.experiments.store.rows import made


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A file with 200 rows."""
    path = tmp_path / "results.db"
    with Database(path, write=True) as database:
        database.add([made(i) for i in range(200)], "run")
    return path
