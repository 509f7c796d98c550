"""HEVC intra through x265, with a quality per block that follows the importance map.

To minimise a squared error weighted by ``w``, the quantiser step must be proportional to
``w^-1/2``. Six QP double the step, hence the QP offset of a block is ``ΔQP = -3·log2 w``. Blocks
are 32x32, the quantisation groups of x265. :mod:`semcom.codecs.parts.x265` drives the encoder.

A packet consists of one byte with the tile grid, the rotation of the colour axes
(:mod:`semcom.codecs.parts.colour`), and one slice. Tiles are independent pictures in packets of
their own, so that a lost packet costs one tile. If the receiver shall restore the picture, a zero
byte and the base QP in quarters come first, and the hints of
:mod:`semcom.codecs.restorer.hints` last. Tuned for SSIM, a byte 16 precedes the grid.

With ``tune=ssim``, ``w`` is multiplied by the weights with which MS-SSIM sees the error of each
block, so that their offsets add, and the quantiser is coarser at the frequencies that MS-SSIM does
not see (:mod:`semcom.codecs.quantiser.perception`).

For pictures of more than 2 megapixels, the search uses a sample
(:mod:`semcom.codecs.parts.sampling`) and may leave 3 % of the budget unused instead of 1 %, and
:mod:`semcom.codecs.parts.x265` uses other settings, which the record names.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.base import DecodeError, weighted_gain
from semcom.codecs.parts import x265
from semcom.codecs.parts.colour import TURN_BYTES, Planes, best_turn, from_planes, to_planes
from semcom.codecs.parts.rate_control import best_level, guess_level, model_level
from semcom.codecs.parts.sampling import sample
from semcom.codecs.parts.tiles import Grid, cut, grid_byte, join, parse_grid
from semcom.codecs.parts.x265 import BLOCK, MAX_QP, Offsets, offsets_of
from semcom.codecs.quantiser.perception import FLAT, Tune, check_tune, ms_ssim_weights
from semcom.codecs.quantiser.perception import steps as quantiser_steps
from semcom.codecs.quantiser.rate_model import SIDE, magnitudes, step_for
from semcom.codecs.restorer.hints import hint_bytes, hints_for, restore_with_hints
from semcom.codecs.restorer.restorable import QUALITIES
from semcom.large import is_large
from semcom.types import Bitstream, Image, Map, Packet

_FINE = 64  # levels per QP
_QP_STEPS = 4  # steps per QP of what the receiver is told for restoring
_LEVELS = range((MAX_QP + 1) * _FINE)
_SLOPE = 0.13 / _FINE  # typical growth of ln(size) per level: 0.13 for one QP less
_MIDDLE = _LEVELS[len(_LEVELS) // 3]
_NEAR = 0.15  # difference in ln(size) over which a line describes it well
_guess = functools.partial(guess_level, levels=_LEVELS, slope=_SLOPE)
_CLOSE, _CLOSE_IF_LARGE = 0.01, 0.03  # share of the budget that may be left over
# Typical size of an ultrafast stream against a slow one at the same QP.
_QUICK_EXCESS, _QUICK_EXCESS_IF_LARGE = 1.04, 1.18
_BOTTOM = 8 * _FINE  # below this level, sizes need not grow where offsets reach the highest QP
_RESTORED, _TUNED = b"\0", b"\x10"  # first bytes that no grid has


class Hevc:
    """HEVC intra coding by x265, with a quality per block.

    Parameters
    ----------
    tiles
        Grid of independent tiles, ``"ROWSxCOLUMNS"`` with 1 to 15 of each. A tile is at least 16
        pixels high and wide.
    restore
        Whether the receiver repairs the picture by :mod:`semcom.codecs.restorer`.
    tune
        ``psnr``, or ``ssim`` for a better SSIM over several scales (MS-SSIM) at the price of PSNR.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()[:128, :128].copy()
    >>> w = np.ones((128, 128), dtype=np.float32)
    >>> stream = Hevc(tiles="2x2").encode(photo, w, max_bits=20_000)
    >>> len(stream.packets), stream.num_bits <= 20_000
    (4, True)
    >>> received = [None, *(packet.data for packet in stream.packets[1:])]  # one tile is lost
    >>> Hevc().decode(received, 128, 128).shape
    (128, 128, 3)
    """

    steerable = True

    def __init__(self, *, tiles: str = "1x1", restore: bool = False, tune: Tune = "psnr") -> None:
        check_tune("hevc", tune)
        self.grid, self._restore, self._tune = parse_grid("hevc", tiles), restore, tune

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode at the lowest QP that fits; see :class:`DigitalCodec`.

        Levels are finer than QPs: level ``q·_FINE + k`` lowers the QP of the first ``k/_FINE`` of
        all blocks by one.
        """
        height, width = image.shape[:2]
        tiles = list(cut("hevc", height, width, self.grid))
        steer = w * ms_ssim_weights(image, BLOCK) if self._tune == "ssim" else w
        prepared = functools.partial(_Source.of, grid=self.grid, tune=self._tune)
        sources = [prepared(image[tile], steer[tile]) for tile in tiles]
        streams: dict[int, list[bytes]] = {}

        def size_bits(level: int) -> int:
            streams[level] = [source.encode(level, "slow") for source in sources]
            if restored(level):
                head = _RESTORED + bytes([round(_QP_STEPS * qp_of(level))])
                pairs = zip(streams[level], sources, strict=True)
                streams[level] = [head + data + bytes(hint_bytes(*s.size)) for data, s in pairs]
            bits = _num_bits(streams[level])
            if self._tune == "ssim" and 0 < level < _BOTTOM and bits < (least := size_bits(0)):
                return least + 1  # levels below the lowest one's size are not used
            return bits

        def restored(level: int) -> bool:
            least, most = QUALITIES["hevc"]
            return self._restore and least <= qp_of(level) <= most

        def quick_bits(level: int) -> int:
            return _num_bits([source.encode(level, "ultrafast") for source in sources])

        if large := is_large(height, width):
            part = prepared(*sample(image, steer))
            guess, slope = _guess_by_sample(quick_bits, part, sources, max_bits)
        else:
            aim, first = max_bits * _QUICK_EXCESS, _start(sources, max_bits)
            guess, slope = model_level(
                quick_bits, aim, levels=_LEVELS, guess=first, slope=_SLOPE, tolerance=_NEAR
            )
        level = best_level(
            size_bits,
            _LEVELS,
            max_bits,
            guess=guess,
            slope=slope,
            tolerance=_CLOSE_IF_LARGE if large else _CLOSE,
            costly=True,
        )
        packets = []
        for tile, data in zip(tiles, streams[level], strict=True):
            sent = _with_hints(data, image[tile], w[tile]) if restored(level) else data
            decoded = _decode(sent, *image[tile].shape[:2])
            packets.append(Packet(sent, weighted_gain(image[tile], decoded, w[tile])))
        info: dict[str, float | str] = {"qp": qp_of(level)}
        if self._tune != "psnr":
            info["tune"] = self._tune
        if special := x265.settings(*sources[0].size):
            info["x265"] = special
        return Bitstream(tuple(packets), info)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image; a lost tile is interpolated from its neighbours."""
        grids = {_read(packet).stream[:1] for packet in packets if packet is not None}
        return join("hevc", packets, grids, (height, width), _decode)


@dataclass(frozen=True, eq=False)
class _Source:
    """A tile prepared for encoding at any level."""

    head: bytes
    planes: Planes
    offsets: Offsets
    tune: Tune

    @classmethod
    def of(cls, image: Image, w: Map, grid: Grid, tune: Tune = "psnr") -> _Source:
        turn = best_turn(*sample(image, w))
        head = (_TUNED if tune == "ssim" else b"") + grid_byte(grid) + turn
        return cls(head, to_planes(image, turn), offsets_of(w), tune)

    @property
    def size(self) -> x265.Size:
        _, height, width = self.planes.shape
        return height, width

    def encode(self, level: int, preset: x265.Preset, as_of: x265.Size | None = None) -> bytes:
        steps, extra = divmod(level, _FINE)
        order = np.arange(self.offsets.size).reshape(self.offsets.shape)
        finer = self.offsets - (order * _FINE < extra * self.offsets.size)
        qp, tune = MAX_QP - steps, self.tune
        return self.head + x265.encode(self.planes, finer, qp, preset, as_of=as_of, tune=tune)

    def magnitudes(self) -> NDArray[np.float32]:
        """Return the coefficients' magnitudes relative to their quantiser steps."""
        again = BLOCK // SIDE
        coarser = (2.0 ** (self.offsets / 6)).repeat(again, axis=0).repeat(again, axis=1)
        rows, columns = (-(-side // SIDE) for side in self.size)
        fine = quantiser_steps(SIDE) / FLAT if self.tune == "ssim" else np.ones((SIDE, SIDE))
        return magnitudes(self.planes, coarser[:rows, :columns, None, None] * fine)


def qp_of(level: int) -> float:
    """Return the base QP of a level."""
    return MAX_QP - level / _FINE


def level_of(qp: float) -> int:
    """Return the level of a base QP, 0 to 51."""
    return round((MAX_QP - qp) * _FINE)


def packet_at(image: Image, w: Map, level: int) -> bytes:
    """Return the packet of a picture in one tile at a level, 0 (worst) to 3327."""
    return _Source.of(image, w, (1, 1)).encode(level, "slow")


class _Packet(NamedTuple):
    """What is in a packet."""

    qp: float | None
    """The base QP, if the picture shall be restored."""
    tune: Tune
    stream: bytes
    """Grid, turn and slice; then the hints, if it shall be restored."""


def _read(packet: bytes) -> _Packet:
    qp: float | None = None
    if packet[:1] == _RESTORED:
        qp, packet = int.from_bytes(packet[1:2], "big") / _QP_STEPS, packet[2:]
    tuned = packet[:1] == _TUNED
    return _Packet(qp, "ssim" if tuned else "psnr", packet[tuned:])


def _decode(packet: bytes, height: int, width: int) -> Image:
    """Rebuild a tile, and restore it if its packet says so."""
    picture, qp, hints = _before_restoring(packet, height, width)
    return picture if qp is None else restore_with_hints("hevc", picture, qp, hints)


def _with_hints(packet: bytes, image: Image, w: Map) -> bytes:
    """Set the hints of a packet whose picture shall be restored."""
    picture, qp, hints = _before_restoring(packet, *image.shape[:2])
    assert qp is not None
    return packet[: -len(hints)] + hints_for("hevc", image, w, picture, qp)


def _before_restoring(packet: bytes, height: int, width: int) -> tuple[Image, float | None, bytes]:
    """Rebuild a tile, and return with it the base QP and the hints for restoring, if any."""
    qp, tune, stream = _read(packet)
    last = len(stream) - (0 if qp is None else hint_bytes(height, width))
    if last < 1 + TURN_BYTES:
        raise DecodeError("HEVC packet ends before its slice")
    turn, body = stream[1 : 1 + TURN_BYTES], stream[1 + TURN_BYTES : last]
    picture = from_planes(x265.decode(body, height, width, tune), turn)
    return picture, qp, stream[last:]


def _num_bits(packets: Sequence[bytes]) -> int:
    return 8 * sum(map(len, packets))


def _start(sources: Sequence[_Source], max_bits: int) -> int:
    """Return the level at which to begin, from a model that needs no encoding."""
    sizes = np.concatenate([source.magnitudes() for source in sources])
    step = step_for(sizes, max_bits)
    return level_of(6 * math.log2(step) + 4 - 12)  # ITU-T H.265, 8.6.1, at 10 bit


def _guess_by_sample(
    quick_bits: Callable[[int], int], part: _Source, sources: Sequence[_Source], max_bits: int
) -> tuple[int, float]:
    """Guess the level for a large picture so well that one slow encoding usually suffices.

    The ultrafast preset gives the ratio between the bits of the whole picture and of the sample.
    The ratio is nearly the same for the slow preset, so that slow encodings of the sample show at
    which level the whole picture fits. Returns the level and the slope of ln(size) there.
    """
    sizes: dict[int, int] = {}
    as_of = sources[0].size

    @functools.cache
    def quick(level: int) -> int:
        return _num_bits([part.encode(level, "ultrafast", as_of)])

    def slow(level: int) -> int:
        sizes[level] = _num_bits([part.encode(level, "slow", as_of)])
        return sizes[level]

    share = part.planes.size / sum(source.planes.size for source in sources)
    near = _guess(
        quick, max_bits * share * _QUICK_EXCESS_IF_LARGE, guess=_MIDDLE, tolerance=0.1, costly=True
    )
    aim = max_bits * quick(near) / quick_bits(near)
    guess = _guess(slow, aim, guess=near, tolerance=_CLOSE_IF_LARGE, costly=True)
    return guess, max(_rise(sizes, guess), _SLOPE / 4)


def _rise(sizes: dict[int, int], level: int) -> float:
    """Return the growth of ln(size) per level, estimated from the nearest other level."""
    other = min(sizes.keys() - {level}, key=lambda one: abs(one - level), default=level)
    if other == level or level not in sizes:
        return _SLOPE
    return math.log(sizes[level] / sizes[other]) / (level - other)
