"""HEVC intra through x265, with a quality per block that follows the importance map.

A squared error weighed by ``w`` asks for a quantiser step proportional to ``w^-1/2``; six QP
double the step, hence the offset of a block is ``ΔQP = -3·log2 w``. Blocks are 16x16, x265's
quantisation groups. :mod:`semcom.codecs.x265` drives the encoder.

A packet is one byte with the tile grid, then one slice. Tiles are independent pictures, each its
own packet, so that a lost packet costs one tile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from semcom.codecs import x265
from semcom.codecs.base import BudgetTooSmallError, DecodeError, grey, weighted_gain
from semcom.codecs.concealment import conceal
from semcom.codecs.x265 import BLOCK, MAX_QP, Offsets
from semcom.rate_control import best_level
from semcom.types import Bitstream, Image, Map, Packet

_MAX_OFFSET = 24  # QP; w beyond 2^±8 is not worth more
_SLOPE_PER_QP = 0.13  # typical growth of ln(size) for one QP less
_QUICK_EXCESS = 1.18  # typical size of an ultrafast stream against a slow one at the same QP

Tile = tuple[slice, slice]


class Hevc:
    """x265 intra with per-block quality.

    Parameters
    ----------
    tiles
        Grid of independent tiles, ``"ROWSxCOLUMNS"``, each 1 to 15 and at least 16 pixels.
    """

    steerable = True

    def __init__(self, *, tiles: str = "1x1") -> None:
        match = re.fullmatch(r"([1-9]|1[0-5])x([1-9]|1[0-5])", tiles)
        if match is None:
            raise ValueError(f"hevc: tiles must be ROWSxCOLUMNS, each 1 to 15, got {tiles!r}")
        self.grid = int(match[1]), int(match[2])

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest QP that fits; see :class:`DigitalCodec`.

        Levels are QPs, refined by rows: level ``q·rows + k`` gives the first ``k`` rows of blocks
        one QP less.
        """
        height, width = image.shape[:2]
        tiles = list(_tiles(height, width, self.grid))
        offsets = _offsets(w)
        rows = len(offsets)
        tag = bytes([self.grid[0] << 4 | self.grid[1]])

        def encode_at(level: int, preset: x265.Preset) -> list[bytes]:
            steps, extra = divmod(level, rows)
            finer = offsets - (np.arange(rows) < extra)[:, None]
            return [
                tag + x265.encode(image[tile], _cut(finer, tile), MAX_QP - steps, preset)
                for tile in tiles
            ]

        streams: dict[int, list[bytes]] = {}

        def size_bits(level: int) -> int:
            streams[level] = encode_at(level, "slow")
            return _num_bits(streams[level])

        levels = range((MAX_QP + 1) * rows)
        slope = _SLOPE_PER_QP / rows
        guess = _quick_guess(
            lambda level: _num_bits(encode_at(level, "ultrafast")), levels, max_bits, slope
        )
        level = best_level(size_bits, levels, max_bits, guess=guess, slope=slope)
        packets = []
        for tile, data in zip(tiles, streams[level], strict=True):
            decoded = x265.decode(data[1:], *image[tile].shape[:2])
            packets.append(Packet(data, weighted_gain(image[tile], decoded, w[tile])))
        return Bitstream(tuple(packets), {"qp": MAX_QP - level / rows})

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; a lost tile is filled from its neighbours."""
        tags = {packet[:1] for packet in packets if packet is not None}
        if not tags:
            return grey(height, width)
        if len(tags) > 1 or len(tag := tags.pop()) != 1:
            raise DecodeError("HEVC packets disagree about the tile grid")
        grid = tag[0] >> 4, tag[0] & 15
        if grid[0] * grid[1] != len(packets):
            raise DecodeError(f"HEVC: {len(packets)} packets for {grid[0]}x{grid[1]} tiles")
        image, received = grey(height, width), np.zeros((height, width), dtype=bool)
        for tile, packet in zip(_tiles(height, width, grid), packets, strict=True):
            if packet is not None:
                image[tile] = x265.decode(packet[1:], *image[tile].shape[:2])
                received[tile] = True
        return conceal(image, received)


def _tiles(height: int, width: int, grid: tuple[int, int]) -> Iterator[Tile]:
    """Cut a picture into tiles on the grid of blocks, row by row."""
    edges = []
    for length, parts in zip((height, width), grid, strict=True):
        blocks = -(-length // BLOCK)
        if parts > blocks:
            raise ValueError(f"hevc: {parts} tiles do not fit into {length} pixels")
        edges.append([min(BLOCK * (blocks * i // parts), length) for i in range(parts + 1)])
    for top, bottom in zip(edges[0], edges[0][1:], strict=False):
        for left, right in zip(edges[1], edges[1][1:], strict=False):
            yield slice(top, bottom), slice(left, right)


def _offsets(w: Map) -> Offsets:
    """ΔQP = -3·log2 of the mean weight of each block."""
    height, width = w.shape
    padded = np.pad(w.astype(np.float64), ((0, -height % BLOCK), (0, -width % BLOCK)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // BLOCK, BLOCK, -1, BLOCK).mean(axis=(1, 3))
    delta = -3 * np.log2(np.maximum(blocks, 1e-6))
    offsets: Offsets = np.clip(np.rint(delta), -_MAX_OFFSET, _MAX_OFFSET).astype(np.int64)
    return offsets


def _cut(offsets: Offsets, tile: Tile) -> Offsets:
    rows, columns = tile
    return offsets[
        rows.start // BLOCK : -(-rows.stop // BLOCK),
        columns.start // BLOCK : -(-columns.stop // BLOCK),
    ]


def _num_bits(packets: Sequence[bytes]) -> int:
    return 8 * sum(map(len, packets))


def _quick_guess(
    quick_bits: Callable[[int], int], levels: range, max_bits: int, slope: float
) -> int:
    """Where a slow search should begin: the answer for the ultrafast preset.

    It is 5x faster, and its streams are larger by a nearly constant factor.
    """
    budget = round(max_bits * _QUICK_EXCESS)
    middle = levels[len(levels) // 3]
    try:
        return best_level(quick_bits, levels, budget, guess=middle, slope=slope, tolerance=0.03)
    except BudgetTooSmallError:
        return levels[0]
