"""A folder of small images, and what commands do with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image as PilImage

from experiments.cli import main

Run = Callable[..., Result]


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a.png, b.png (64x48), m.png, a mask, and ranks.png, two masks."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    face = skimage.data.astronaut()[60:108, 190:254]
    PilImage.fromarray(face).save("a.png")
    PilImage.fromarray(np.ascontiguousarray(face[:, ::-1])).save("b.png")
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    PilImage.fromarray(mask).save("m.png")
    mask[:] = 0
    mask[4:28, 4:28], mask[4:28, 36:60] = 1, 2
    PilImage.fromarray(mask).save("ranks.png")


@pytest.fixture
def run(images: None) -> Run:
    """Run a command there; whatever ends in a traceback fails the test."""
    del images

    def command(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return command
