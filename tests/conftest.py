"""Fixtures: real images where they are present, made ones everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

# No test may profit from what another run left behind, nor leave anything itself; also in the
# processes that it starts.
os.environ["SEMCOM_CACHE"] = "off"

SHARED = Path(__file__).parents[2] / "shared" / "data"


def _folder(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"needs the images in {SHARED / name}, which are not part of the project")
    return SHARED / name


@pytest.fixture(scope="session")
def kodak() -> Path:
    return _folder("kodak")


@pytest.fixture(scope="session")
def davis() -> Path:
    return _folder("davis")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Workers of a parallel run must not fight for the cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """A real photo, small: 160x240, a face in the middle of much texture."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[30:190, 100:340])


@pytest.fixture(scope="session")
def region(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """A made region in that photo: a tenth of it, not on the grid of blocks."""
    mask = np.zeros(photo.shape[:2], dtype=bool)
    mask[30:110, 90:138] = True
    return mask
