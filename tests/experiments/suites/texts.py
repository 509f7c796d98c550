"""Suites as texts, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.suites.suite import Suite
from experiments.suites.suite_file import read_suite

HEAD = "title: t\nimages: a.png\nsegmenter: graph\n"


def read(folder: Path, text: str | bytes, **options: Any) -> Suite:
    path = folder / "s.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_suite(path, **options)


def refused(folder: Path, text: str | bytes, **options: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        read(folder, text, **options)
    return str(caught.value)


def ids_of(suite: Suite) -> list[str]:
    return [setting.id for _, setting in suite.settings()]
