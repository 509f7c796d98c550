"""Traces in files: of gains, and of impulse responses."""

from pathlib import Path

import pytest

from tests.channels.models.trace.traces import NUM_ROWS, gains, write_npz


@pytest.fixture
def file(tmp_path: Path) -> str:
    return write_npz(tmp_path / "h.npz", h=gains(NUM_ROWS))
