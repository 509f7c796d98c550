"""Cells of 16x16 pixels, for which a sender can afford to describe something: one byte each."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.base import DecodeError
from semcom.sizes import block_means
from semcom.types import Map

CELL = 16
"""Side of a cell in pixels."""
LEVELS_PER_DOUBLING = 2
_LEAST = 2.0**-10


def levels_of(w: Map) -> NDArray[np.int8]:
    """Return the levels of importance, (⌈H/16⌉, ⌈W/16⌉): 0 for 1, and 2 more for each doubling.

    Examples
    --------
    >>> levels_of(np.full((20, 32), 4, dtype=np.float32))
    array([[4, 4],
           [4, 4]], dtype=int8)
    """
    exact = LEVELS_PER_DOUBLING * np.log2(np.maximum(block_means(w, CELL), _LEAST))
    levels: NDArray[np.int8] = np.clip(np.rint(exact), -127, 127).astype(np.int8)
    return levels


def weights_of(levels: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Return the importance of each cell, in the shape of ``levels``."""
    weights: NDArray[np.float32] = np.exp2(levels / LEVELS_PER_DOUBLING).astype(np.float32)
    return weights


def deflate(cells: NDArray[np.integer[Any]]) -> bytes:
    """Describe cells of one byte each."""
    return zlib.compress(cells.tobytes(), 9)


def inflate(
    who: str, data: bytes, kind: type[np.integer[Any]], height: int, width: int
) -> NDArray[np.integer[Any]]:
    """Read the description of the cells of an image, (⌈H/16⌉, ⌈W/16⌉).

    Parameters
    ----------
    who
        Name of the codec in messages.
    data
        What :func:`deflate` made.
    kind
        The dtype, of one byte.
    height, width
        Size of the image in pixels.

    Raises
    ------
    DecodeError
        The data is damaged, or is of another size.
    """
    rows, columns = -(-height // CELL), -(-width // CELL)
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(data, rows * columns + 1)
    except zlib.error as error:
        raise DecodeError(f"{who}: the map of cells cannot be read: {error}") from error
    if len(content) != rows * columns or not reader.eof or reader.unused_data:
        raise DecodeError(f"{who}: the map of cells is not for {width}x{height} pixels")
    return np.frombuffer(content, kind).reshape(rows, columns)
