"""Tiny detectors, made once in every process, and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.semcom.detectors.tiny import save_grounding_dino, save_owlv2


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("transformers", reason="the extra hf is not installed")
    root = tmp_path_factory.mktemp("detectors")
    made = {"owlv2": save_owlv2, "grounding_dino": save_grounding_dino}
    return {name: save(root / name) for name, save in made.items()}


@pytest.fixture(params=["owlv2", "grounding_dino"])
def folder(folders: dict[str, Path], request: Any) -> Path:
    return folders[request.param]


@pytest.fixture(scope="session")
def picture() -> Any:
    """Patches of one colour, 96×128."""
    colours = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    return np.kron(colours, np.ones((16, 16, 1))).astype(np.uint8)
