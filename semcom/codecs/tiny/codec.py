"""A small learned codec: a wavelet, contexts with learned probabilities, and a learned repair.

The coefficients of the CDF 9/7 wavelet are quantised where each costs what its context says, and
coded by tables that were learned from photographs (:mod:`semcom.codecs.tiny.coding`). The quality
varies within the picture as ``w`` says. The receiver undoes the wavelet, and a network
(:mod:`semcom.codecs.refiner.network`), which knows the steps and how much detail came, removes
some of the error.

    tile grid (1 byte) │ own weights, no offsets, no network, level of the step (2) │ turn (3) │
    two bytes of the weights' hash, if they are the user's own │ range coder

Leaves out: the prediction of details from the coarser picture. A
network of 9,561 parameters that learned the latter saved 0.9 % of the bytes for 0.04 dB.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from semcom.codecs.base import DecodeError, weighted_gain
from semcom.codecs.parts.colour import TURN_BYTES
from semcom.codecs.parts.rate_control import best_level
from semcom.codecs.parts.tiles import cut, grid_byte, join, parse_grid
from semcom.codecs.tiny.coding import decode, encode
from semcom.codecs.tiny.quantised import (
    BLOCK,
    LEVELS_PER_DOUBLING,
    MAX_LEVEL,
    Quantised,
    level_of_step,
    relative,
)
from semcom.codecs.tiny.repair import repaired
from semcom.codecs.tiny.transform import Source, rebuild
from semcom.codecs.tiny.weights import Weights, load
from semcom.codecs.weights.file import OpenedWeights
from semcom.large import is_large
from semcom.types import Bitstream, Image, Map, Packet

_OWN, _EVEN, _PLAIN = 1 << 15, 1 << 14, 1 << 13
"""Bits of the head: weights of the user's own, no offsets, and no network."""
_HEAD = struct.Struct(f">BH{TURN_BYTES}s")
_BITS_PER_DETAIL = 5.15  # for each detail above _COUNTED steps: typical, and hardly varies
_COUNTED = 0.8
_CLOSE, _CLOSE_IF_LARGE = 0.01, 0.03  # share of the budget that may be left over
_opened: OpenedWeights[Weights] = OpenedWeights()


class Tiny:
    """A wavelet with learned probabilities and a learned repair.

    Parameters
    ----------
    weights
        File of weights that ``semcom train tiny`` wrote; those of the package by default. A packet
        holds two bytes that identify such a file, but not its path: a receiver in another process
        must have opened the same file.
    tiles
        Grid of independent tiles, ``"ROWSxCOLUMNS"`` with 1 to 15 of each.
    refine
        Whether the receiver uses the network.
    device
        Device of the network in this process: ``cpu``, ``cuda``, …

    Raises
    ------
    ValueError
        The file or the device cannot be used, or the grid is none.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> stream = Tiny().encode(photo, np.ones((128, 128), dtype=np.float32), max_bits=20_000)
    >>> stream.num_bits <= 20_000
    True
    >>> Tiny().decode([stream.packets[0].data], 128, 128).shape
    (128, 128, 3)
    """

    steerable = True

    def __init__(
        self, *, weights: str = "", tiles: str = "1x1", refine: bool = True, device: str = "cpu"
    ) -> None:
        self._grid, self._refine = parse_grid("tiny", tiles), refine
        opened = load(weights, device)
        self._identity = _opened.add(weights, opened, device)
        self._tables, self._network = opened.tables, (opened.refiner, device)

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the smallest step that fits; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        tiles = list(cut("tiny", height, width, self._grid))
        sources = [Source.of(image[tile], w[tile]) for tile in tiles]
        streams: dict[int, list[tuple[bytes, Quantised]]] = {}

        def size_bits(quality: int) -> int:
            level, tables = MAX_LEVEL - quality, self._tables
            streams[quality] = [
                (self._head(source, level) + data, sent)
                for source in sources
                for data, sent in [encode(source.wavelet, level, source.offsets, tables)]
            ]
            return 8 * sum(len(data) for data, _ in streams[quality])

        guess, slope = _guess(sources, max_bits)
        quality = best_level(
            size_bits,
            range(MAX_LEVEL + 1),
            max_bits,
            guess=guess,
            slope=slope,
            tolerance=_CLOSE_IF_LARGE if is_large(height, width) else _CLOSE,
        )
        packets = []
        for tile, (data, sent) in zip(tiles, streams[quality], strict=True):
            part = image[tile]
            turn = data[_HEAD.size - TURN_BYTES : _HEAD.size]
            decoded = rebuild(sent, turn, *part.shape[:2])
            if self._refine:
                decoded = repaired(decoded, sent, *self._network)
            packets.append(Packet(data, weighted_gain(part, decoded, w[tile])))
        return Bitstream(tuple(packets), {"level": MAX_LEVEL - quality})

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; a lost tile is interpolated from its neighbours."""
        grids = {packet[:1] for packet in packets if packet is not None}
        return join("tiny", packets, grids, (height, width), _decode)

    def _head(self, source: Source, level: int) -> bytes:
        flags = (_OWN if self._identity else 0) | (0 if source.offsets.any() else _EVEN)
        flags |= 0 if self._refine else _PLAIN
        grid = grid_byte(self._grid)[0]
        return _HEAD.pack(grid, flags | level, source.turn) + self._identity


def _decode(packet: bytes, height: int, width: int) -> Image:
    if len(packet) < _HEAD.size:
        raise DecodeError("tiny: a packet is cut off")
    _, about, turn = _HEAD.unpack_from(packet)
    level = about & ~(_OWN | _EVEN | _PLAIN)
    if level > MAX_LEVEL:
        raise DecodeError(f"tiny: levels go to {MAX_LEVEL}, and a packet says {level}")
    start = _HEAD.size + (OpenedWeights.IDENTITY_BYTES if about & _OWN else 0)
    (tables, refiner), device = _opened.find("tiny", packet[_HEAD.size : start])
    blocks = -(-height // BLOCK), -(-width // BLOCK)
    sent = decode(packet[start:], blocks, level, tables, even=bool(about & _EVEN))
    picture = rebuild(sent, turn, height, width)
    return picture if about & _PLAIN else repaired(picture, sent, refiner, device)


def _guess(sources: Sequence[Source], max_bits: int) -> tuple[int, float]:
    """Guess the quality that fits, and the growth of ln(size) there.

    The size is nearly proportional to the number of details above a share of the step: He and
    Mitra, "A linear source model and a unified rate control algorithm for DCT video coding", IEEE
    Transactions on Circuits and Systems for Video Technology 12 (2002), section II.
    """
    sizes = np.concatenate([relative(source.wavelet, source.offsets) for source in sources])
    wanted = np.array([0.9, 1.1]) * max_bits / _BITS_PER_DETAIL
    ranks = np.clip(wanted, 1, len(sizes)).astype(int)
    ordered = np.partition(sizes, sorted({len(sizes) - rank for rank in ranks}))
    high, low = (level_of_step(ordered[len(sizes) - rank] / _COUNTED) for rank in ranks)
    rise = np.log(1.1 / 0.9) / max(high - low, 1)
    least = np.log(2) / LEVELS_PER_DOUBLING / 4
    return round(MAX_LEVEL - (high + low) / 2), float(max(rise, least))
