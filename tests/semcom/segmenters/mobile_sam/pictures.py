"""Prompts and pictures for the network."""

from __future__ import annotations

import numpy as np

from semcom.types import Image

SEED = 7
POINT, BOX = (130.0, 71.0), (20.0, 30.0, 140.0, 150.0)


def smooth_image(height: int, width: int) -> Image:
    """Smooth colours and a few edges, so that resizing matters."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(7 * x + 3 * y), np.cos(5 * x * y), np.sign(np.sin(9 * y - 4 * x))]
    return np.asarray(np.stack([127 + 120 * w for w in waves], axis=-1), dtype=np.uint8)
