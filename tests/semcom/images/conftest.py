"""A small picture."""

from __future__ import annotations

import numpy as np
import pytest

from tests.semcom.images.files import Pixels


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """48 rows, 64 columns of a face."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[60:108, 190:254])
