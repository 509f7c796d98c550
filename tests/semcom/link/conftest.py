"""The link sends what codecs wrote, so that its tests share their encodings."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcom import cache


@pytest.fixture(autouse=True)
def encoded_once(encodings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of the time would go into encoding the same picture at the same quality again."""
    monkeypatch.setenv(cache.ENVIRONMENT, str(encodings))
