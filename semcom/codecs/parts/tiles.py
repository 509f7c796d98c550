"""Cutting a picture into tiles: independent pictures in packets of their own.

A lost packet then costs one tile, which is interpolated from its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from semcom.codecs.base import DecodeError, grey
from semcom.codecs.parts.concealment import conceal
from semcom.errors import InputError
from semcom.types import Image

_UNIT = 16  # pixels; a tile is at least as high and wide

Tile = tuple[slice, slice]
Grid = tuple[int, int]
"""Rows and columns of tiles, 1 to 15 each."""


def parse_grid(codec: str, tiles: str) -> Grid:
    """Read ``"ROWSxCOLUMNS"``; raise ``ValueError`` for anything else.

    Examples
    --------
    >>> parse_grid("hevc", "2x3")
    (2, 3)
    """
    match = re.fullmatch(r"([1-9]|1[0-5])x([1-9]|1[0-5])", tiles)
    if match is None:
        raise InputError(f"{codec}: tiles must be ROWSxCOLUMNS, each 1 to 15, got {tiles!r}")
    return int(match[1]), int(match[2])


def grid_byte(grid: Grid) -> bytes:
    """Return the byte that tells the receiver the grid."""
    return bytes([grid[0] << 4 | grid[1]])


def cut(codec: str, height: int, width: int, grid: Grid) -> Iterator[Tile]:
    """Cut a picture into tiles on a grid of 16 pixels, row by row.

    Raises
    ------
    ValueError
        A tile would be empty.
    """
    edges = []
    for length, parts in zip((height, width), grid, strict=True):
        blocks = -(-length // _UNIT)
        if parts > blocks:
            raise InputError(f"{codec}: {parts} tiles do not fit into {length} pixels")
        edges.append([min(_UNIT * (blocks * i // parts), length) for i in range(parts + 1)])
    for top, bottom in zip(edges[0], edges[0][1:], strict=False):
        for left, right in zip(edges[1], edges[1][1:], strict=False):
            yield slice(top, bottom), slice(left, right)


def join(
    codec: str,
    packets: Sequence[bytes | None],
    grids: set[bytes],
    size: tuple[int, int],
    decode: Callable[[bytes, int, int], Image],
) -> Image:
    """Rebuild a picture from the packets of its tiles, of which ``None`` are lost.

    Parameters
    ----------
    codec
        Its name in messages.
    packets
        The packets, row by row.
    grids
        The bytes of the grid that the received packets hold.
    size
        Height and width of the picture.
    decode
        Decodes a packet of a height and width.

    Raises
    ------
    DecodeError
        The packets disagree about the grid, or are not as many as it has tiles.
    """
    height, width = size
    if not grids:
        return grey(height, width)
    if len(grids) > 1 or len(tag := grids.pop()) != 1:
        raise DecodeError(f"{codec}: packets disagree about the tile grid")
    grid = tag[0] >> 4, tag[0] & 15
    if grid[0] * grid[1] != len(packets):
        raise DecodeError(f"{codec}: {len(packets)} packets for {grid[0]}x{grid[1]} tiles")
    try:
        tiles = list(cut(codec, height, width, grid))
    except InputError as error:
        raise DecodeError(str(error)) from None
    image, received = grey(height, width), np.zeros((height, width), dtype=bool)
    for tile, packet in zip(tiles, packets, strict=True):
        if packet is not None:
            image[tile] = decode(packet, *image[tile].shape[:2])
            received[tile] = True
    return conceal(image, received)
