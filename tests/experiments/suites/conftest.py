"""Pictures for suites."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from PIL import Image as PilImage


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A photo with the true mask of a face."""
    made = tmp_path_factory.mktemp("disturbed")
    photo = np.ascontiguousarray(skimage.data.astronaut()[30:190, 100:340])
    PilImage.fromarray(photo).save(made / "a.png")
    mask = np.zeros(photo.shape[:2], bool)
    mask[30:110, 90:138] = True
    PilImage.fromarray(mask).save(made / "a_mask.png")
    return made
