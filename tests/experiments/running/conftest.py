"""A folder with two images, and a small suite that is run there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from experiments.running.runner import Summary, run
from experiments.suites.suite_file import read_suite
from tests.experiments.running.small_run import SUITE, Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images of 64x48 and a suite of 8 tasks."""
    y, x = np.mgrid[:48, :64]
    for i, name in enumerate("ab"):
        bump = 255 * np.exp(-((x - 20 - 20 * i) ** 2 + (y - 24) ** 2) / 150)
        picture = np.stack([bump, 2 * x + 0 * y, 4 * y], axis=-1).clip(0, 255)
        PilImage.fromarray(picture.astype(np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "s.yaml").write_text(SUITE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Run:
    """Run that suite, with changes, into a folder."""

    def start(out: str = "out", *changes: str, **options: Any) -> Summary:
        suite = read_suite(folder / "s.yaml", changes=changes)
        return run(suite, folder / out, base=folder, say=lambda *_: None, **options)

    return start
