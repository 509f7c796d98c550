"""Tiny networks, made once in every process, and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.semcom.segmenters.hf.tiny import FAMILIES, save


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    root = tmp_path_factory.mktemp("models")
    return {family: save(family, root / family) for family in FAMILIES}


@pytest.fixture(params=FAMILIES)
def folder(folders: dict[str, Path], request: Any) -> Path:
    return folders[request.param]


@pytest.fixture(scope="session")
def picture() -> Any:
    """Patches of one colour, 96×128."""
    colours = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    return np.kron(colours, np.ones((16, 16, 1))).astype(np.uint8)
