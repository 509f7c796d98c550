"""A tile of a grid as the region: for papers whose region is a place and not an object."""

from __future__ import annotations

import numpy as np

from semcom.errors import InputError
from semcom.types import Image, Mask, Prompts, Region


class Tile:
    """The segmenter ``tile``: one tile of a regular grid, wherever the objects are.

    The defaults are the region of ROI-JSCC (arXiv:2506.01269): the second tile of the second row
    in a grid of 4x4.

    Parameters
    ----------
    rows, columns
        Number of tiles in each direction, 1 to 64.
    row, column
        Position of the tile, counted from 1, from the top and from the left.

    Examples
    --------
    >>> image = np.zeros((512, 768, 3), dtype=np.uint8)
    >>> (mask,) = Tile()(image)
    >>> mask.label, float(mask.pixels.mean())
    ('tile 2,2 of 4x4', 0.0625)
    """

    def __init__(self, *, rows: int = 4, columns: int = 4, row: int = 2, column: int = 2) -> None:
        for name, number in (("rows", rows), ("columns", columns)):
            if not 1 <= number <= 64:
                raise InputError(f"{name} must be 1 to 64, got {number}")
        for name, number, last in (("row", row, rows), ("column", column, columns)):
            if not 1 <= number <= last:
                raise InputError(f"{name} must be 1 to {name}s={last}, got {number}")
        self.grid = rows, columns
        self.at = row - 1, column - 1

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Return the mask of the tile of ``image`` (H, W, 3) uint8.

        Raises
        ------
        ValueError
            For prompts, and for an image with fewer pixels than tiles in a direction.
        """
        if prompts:
            raise InputError("segmenter 'tile' cannot follow points, boxes or text")
        height, width = image.shape[:2]
        rows, columns = self.grid
        if height < rows or width < columns:
            raise InputError(f"a {width}x{height} image is too small for {rows}x{columns} tiles")
        pixels: Region = np.zeros((height, width), dtype=bool)
        row, column = self.at
        within = slice(row * height // rows, (row + 1) * height // rows)
        pixels[within, column * width // columns : (column + 1) * width // columns] = True
        return [Mask(pixels, label=f"tile {row + 1},{column + 1} of {rows}x{columns}")]
