"""Checkpoints of untrained networks, and a picture for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semcom.codecs.learned import MODELS
from tests.semcom.codecs.learned.networks import SIZE, new_model


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("untrained")
    files = {model: folder / f"{model}.pth.tar" for model in MODELS}
    for model, file in files.items():
        torch.save(new_model(model).state_dict(), file)
    return files


@pytest.fixture(scope="session")
def picture(photo):
    return np.ascontiguousarray(photo[: SIZE[0], : SIZE[1]])
