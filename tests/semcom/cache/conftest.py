"""A cache in a folder of the test's own."""

from __future__ import annotations

import pytest

from semcom import cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache of this test's own."""
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "encodings"))
    return tmp_path / "encodings"
