"""Tier 2 of JPEG 2000: code-block contributions to packets and back (ITU-T T.800, annex B).

It supports one tile, three components of full resolution, one precinct per resolution, progression
LRCP, and no markers inside packets. Reading a stream of many quality layers gives each code-block's
truncation points. Writing distributes them among other layers without decoding coefficients.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from semcom.errors import InputError

COMPONENTS = 3
MAX_SIDE = 1 << 15  # pixels of the largest picture with one precinct per resolution
_UNKNOWN = 1 << 30
# Numbers of coding passes (table B.4): smallest number, bits; all ones escape to the next row.
_PASSES = ((1, 1), (2, 1), (3, 2), (6, 5), (37, 7))

Part = tuple[int, bytes]  # what a layer adds to a code-block: number of coding passes, bytes


@dataclass
class Block:
    """A code-block: a rectangle of one sub-band's coefficients."""

    support: tuple[slice, slice]  # the pixels (rows, columns) that it affects
    zero_planes: int = 0  # empty bit planes at the top
    parts: list[Part] = field(default_factory=list)  # one for each layer


@dataclass
class Band:
    """The code-blocks of a sub-band, row by row."""

    columns: int
    blocks: list[Block]


Layout = list[list[Band]]  # the sub-bands of each packet, by resolution, then component


def layout(height: int, width: int, levels: int, block_side: int) -> Layout:
    """Return the empty code-blocks of a picture with this number of wavelet levels."""
    return [
        [_band(height, width, level, offset, block_side) for offset in offsets]
        for level, offsets in [
            (levels, [(0, 0)]),  # LL, then HL, LH, HH of each finer resolution
            *((level, [(0, 1), (1, 0), (1, 1)]) for level in range(levels, 0, -1)),
        ]
        for _ in range(COMPONENTS)
    ]


def _band(height: int, width: int, level: int, offset: tuple[int, int], side: int) -> Band:
    """Return the sub-band of (B-15); ``offset`` is (1, 0) for vertically high-pass and so on."""
    step = side << level
    edges = []
    for length, high in zip((height, width), offset, strict=True):
        samples = -(-(length - (high << level >> 1)) >> level)
        edges.append([slice(i * step, (i + 1) * step) for i in range(-(-samples // side))])
    rows, columns = edges
    return Band(len(columns), [Block((row, column)) for row in rows for column in columns])


def all_blocks(bands: Layout) -> Iterator[Block]:
    """Iterate over the code-blocks, the coarsest resolution first."""
    return (block for packet in bands for band in packet for block in band.blocks)


def read(body: bytes, bands: Layout, num_layers: int) -> None:
    """Fill the blocks of an empty layout from the packets of a whole tile."""
    coders = [[_BandCoder.empty(band) for band in packet] for packet in bands]
    position = 0
    for _ in range(num_layers):
        for packet in coders:
            bits = _BitReader(body, position)
            there = bits.read(1)
            parts = [part for band in packet for part in band.read(bits, there=bool(there))]
            position = bits.end()
            for block, passes, size in parts:
                block.parts.append((passes, body[position : position + size]))
                position += size
    if position != len(body):
        raise InputError(f"packets end at byte {position} of {len(body)}")


def write(bands: Layout) -> list[bytes]:
    """Return the packets of each layer; every block must have one part for each."""
    num_layers = len(next(all_blocks(bands)).parts)
    coders = [[_BandCoder.full(band) for band in packet] for packet in bands]
    layers = []
    for layer in range(num_layers):
        out = bytearray()
        for packet in coders:
            parts = [block.parts[layer] for band in packet for block in band.blocks]
            bits = _BitWriter()
            there = any(passes for passes, _ in parts)
            bits.write(int(there), 1)
            for band in packet if there else []:
                band.write(bits, layer)
            out += bits.end()
            out += b"".join(data for _, data in parts)
        layers.append(bytes(out))
    return layers


@dataclass
class _BandCoder:
    """The state of a sub-band in the coding of packet headers."""

    blocks: list[Block]
    first: _TagTree
    """The layer in which a block first appears."""
    planes: _TagTree
    length_bits: list[int]
    """Lblock of each block (B.10.7.1); 0 before it appears."""
    layer: int = 0

    @classmethod
    def empty(cls, band: Band) -> _BandCoder:
        """Prepare for reading."""
        unknown = [_UNKNOWN] * len(band.blocks)
        return cls._of(band, unknown, unknown)

    @classmethod
    def full(cls, band: Band) -> _BandCoder:
        """Prepare for writing."""
        first = [
            next((layer for layer, (passes, _) in enumerate(block.parts) if passes), _UNKNOWN)
            for block in band.blocks
        ]
        return cls._of(band, first, [block.zero_planes for block in band.blocks])

    @classmethod
    def _of(cls, band: Band, first: list[int], planes: list[int]) -> _BandCoder:
        trees = _TagTree(first, band.columns), _TagTree(planes, band.columns)
        return cls(band.blocks, *trees, [0] * len(first))

    def read(self, bits: _BitReader, *, there: bool) -> Iterator[tuple[Block, int, int]]:
        """Yield each block with the passes and the bytes that the next layer adds to it."""
        for i, block in enumerate(self.blocks):
            passes = size = 0
            if there and self._is_included(bits, i):
                passes = _read_passes(bits)
                while bits.read(1):
                    self.length_bits[i] += 1
                size = bits.read(self.length_bits[i] + passes.bit_length() - 1)
            yield block, passes, size
        self.layer += 1

    def _is_included(self, bits: _BitReader, i: int) -> bool:
        if self.length_bits[i]:
            return bool(bits.read(1))
        if not self.first.read(bits, i, self.layer + 1):
            return False
        planes = 0
        while not self.planes.read(bits, i, planes + 1):
            planes += 1
        self.blocks[i].zero_planes, self.length_bits[i] = planes, 3
        return True

    def write(self, bits: _BitWriter, layer: int) -> None:
        """Write what ``layer`` adds to each block."""
        for i, block in enumerate(self.blocks):
            passes, data = block.parts[layer]
            if self.length_bits[i]:
                bits.write(int(passes > 0), 1)
            else:
                self.first.write(bits, i, layer + 1)
                if passes:
                    self.planes.write(bits, i, block.zero_planes + 1)
                    self.length_bits[i] = 3
            if passes:
                _write_passes(bits, passes)
                extra = passes.bit_length() - 1
                more = max(0, len(data).bit_length() - self.length_bits[i] - extra)
                bits.write((2 << more) - 2, more + 1)
                self.length_bits[i] += more
                bits.write(len(data), self.length_bits[i] + extra)


class _TagTree:
    """Tag tree over the blocks of a sub-band (B.10.2): the minimum of four nodes is their parent's.

    ``read`` and ``write`` determine whether a leaf's value is below a threshold.
    """

    def __init__(self, leaves: Sequence[int], columns: int) -> None:
        self.paths, size = _tree(len(leaves), columns)
        self.values = [_UNKNOWN] * size
        for leaf, path in zip(leaves, self.paths, strict=True):
            for node in path:
                self.values[node] = min(self.values[node], leaf)
        self.bounds = [0] * len(self.values)
        self.settled = [False] * len(self.values)

    def read(self, bits: _BitReader, leaf: int, threshold: int) -> bool:
        bound = 0
        for node in self.paths[leaf]:
            bound = max(bound, self.bounds[node])
            while bound < threshold and not self.settled[node]:
                self.settled[node] = bool(bits.read(1))
                bound += not self.settled[node]
            self.bounds[node] = bound
        return self.settled[leaf] and bound < threshold

    def write(self, bits: _BitWriter, leaf: int, threshold: int) -> None:
        bound = 0
        for node in self.paths[leaf]:
            bound = max(bound, self.bounds[node])
            while bound < threshold and not self.settled[node]:
                self.settled[node] = bound >= self.values[node]
                bits.write(int(self.settled[node]), 1)
                bound += not self.settled[node]
            self.bounds[node] = bound


@functools.lru_cache(maxsize=256)
def _tree(leaves: int, columns: int) -> tuple[list[list[int]], int]:
    """Return the nodes from the root to each leaf, and the number of all nodes."""
    levels, rows, width = [(0, columns)], leaves // columns, columns
    while rows * width > 1:
        start = levels[-1][0] + rows * width
        rows, width = -(-rows // 2), -(-width // 2)
        levels.append((start, width))
    ups = [*reversed(list(enumerate(levels)))]
    paths = [
        [start + (i // columns >> up) * width + (i % columns >> up) for up, (start, width) in ups]
        for i in range(leaves)
    ]
    return paths, levels[-1][0] + 1


def _read_passes(bits: _BitReader) -> int:
    passes = 1
    for first, num_bits in _PASSES:
        passes = first + bits.read(num_bits)
        if passes - first < (1 << num_bits) - 1:
            break
    return passes


def _write_passes(bits: _BitWriter, passes: int) -> None:
    for first, num_bits in _PASSES:
        escape = (1 << num_bits) - 1
        bits.write(min(passes - first, escape), num_bits)
        if passes - first < escape:
            break


class _BitReader:
    """Bits of a packet header, most significant first; after 0xFF a byte holds seven (B.10.1)."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position
        self.byte = self.left = 0

    def read(self, count: int) -> int:
        value = 0
        for _ in range(count):
            if not self.left:
                self.left = 7 if self.byte == 0xFF else 8
                self.byte = self.data[self.position]
                self.position += 1
            self.left -= 1
            value = value << 1 | self.byte >> self.left & 1
        return value

    def end(self) -> int:
        """Return the position where the packet's body begins."""
        return self.position + (self.byte == 0xFF)


class _BitWriter:
    """The counterpart of :class:`_BitReader`."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.byte, self.left = 0, 8

    def write(self, value: int, count: int) -> None:
        for shift in range(count - 1, -1, -1):
            self.left -= 1
            self.byte |= (value >> shift & 1) << self.left
            if not self.left:
                self._flush()

    def _flush(self) -> None:
        self.out.append(self.byte)
        self.left = 7 if self.byte == 0xFF else 8
        self.byte = 0

    def end(self) -> bytes:
        """Complete the last byte; a header never ends with 0xFF."""
        if self.left < 8:
            self._flush()
        return bytes(self.out)
