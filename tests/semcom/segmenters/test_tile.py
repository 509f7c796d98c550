"""The segmenter ``tile``."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.tile import Tile
from semcom.types import Prompts


def test_tiles_of_a_grid_cover_every_pixel_once():
    image = np.zeros((50, 71, 3), dtype=np.uint8)
    count = np.zeros((50, 71), dtype=int)
    for row in range(1, 4):
        for column in range(1, 6):
            (mask,) = Tile(rows=3, columns=5, row=row, column=column)(image)
            count += mask.pixels
    assert (count == 1).all()


def test_the_default_is_the_region_of_roi_jscc():
    """Index (1, 1), counted from 0, of 4x4 patches."""
    (mask,) = SEGMENTERS.create("tile")(np.zeros((512, 768, 3), dtype=np.uint8))
    rows, columns = np.nonzero(mask.pixels)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (128, 255, 192, 383)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("tile:rows=0", "rows must be 1 to 64, got 0"),
        ("tile:columns=65", "columns must be 1 to 64, got 65"),
        ("tile:row=5", "row must be 1 to rows=4, got 5"),
        ("tile:column=0", "column must be 1 to columns=4, got 0"),
    ],
)
def test_a_tile_that_there_is_not(spec, message):
    with pytest.raises(ValueError, match=message):
        SEGMENTERS.create(spec)


def test_refusals():
    with pytest.raises(ValueError, match="a 9x3 image is too small for 4x4 tiles"):
        Tile()(np.zeros((3, 9, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="'tile' cannot follow points, boxes or text"):
        Tile()(np.zeros((8, 8, 3), dtype=np.uint8), Prompts(points=((1.0, 1.0),)))
