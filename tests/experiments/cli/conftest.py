"""The command line in a folder with images, with a suite there and its results."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image as PilImage

from experiments.cli.main import main
from tests.experiments.cli.sending import Semcom
from tests.experiments.cli.studying import SUITE, Run


@pytest.fixture
def semcom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Semcom:
    """Run a command in a folder with a.png (64x48), m.png (its mask) and whatever a test adds."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    PilImage.fromarray(skimage.data.astronaut()[60:108, 190:254]).save("a.png")
    mask = np.zeros((48, 64), dtype=np.uint8)
    mask[8:24, 20:44] = 255
    PilImage.fromarray(mask).save("m.png")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


@pytest.fixture
def suite(run: Run) -> Run:
    """Have a suite of 16 tasks, on two images with masks beside them."""
    Path("s.yaml").write_text(SUITE, encoding="utf-8")
    for name in "ab":
        shutil.copy("m.png", f"{name}_mask.png")
    return run


@pytest.fixture
def done(suite: Run) -> Run:
    """Have it done, in ``out``."""
    assert suite("run", "s.yaml", "--out", "out", "--jobs", "1").exit_code == 0
    return suite
