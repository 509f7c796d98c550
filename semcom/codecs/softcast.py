"""SoftCast with importance: DCT coefficients are the amplitudes of the symbols.

The picture improves with every decibel of SNR, above and below the planned value, since nothing is
quantised or coded: noise on the symbols is noise on the coefficients. The coefficients are sent by
a linear code (:mod:`semcom.codecs.linear.code`). The mean of every tile and the variance of every
chunk are sent as side information:

    layout (1 byte) │ planned SNR (1) │ scale (2) │
    deflate: weight per tile, mean per plane and tile │
    deflate: variance per plane, band and tile, 0 if the chunk is not sent

The size of the tiles and the number of bands minimise the expected error, including the cost of
describing them.

Leaves out: the Hadamard transform (the peak power is high), prediction between pictures, more than
one symbol per coefficient (excess bandwidth stays silent, and its power goes to the other symbols),
weights within a tile, and any knowledge of the fading at the sender.

References
----------
S. Jakubczak, D. Katabi, "A cross-layer design for scalable mobile video", MobiCom 2011,
DOI 10.1145/2030613.2030646.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.linear.code import LinearPicture, estimate
from semcom.codecs.linear.side_information import (
    LAYOUTS,
    Levels,
    Side,
    chunks_of,
    layouts,
    snr_level_of,
)
from semcom.codecs.parts.colour import from_planes, round_planes, to_planes
from semcom.codecs.side_margin import SIDE_MARGIN_DB
from semcom.types import AnalogSignal, Image, Map, Packet

_HEAD = struct.Struct(">BBH")
_RESTORED = 0x80  # a bit of the first byte, which holds the layout


class Softcast:
    """DCT coefficients as amplitudes.

    Parameters
    ----------
    restore
        Whether the receiver repairs the picture by :mod:`semcom.codecs.restorer`.

    Examples
    --------
    Symbols of mean power 1, and side information; no noise leaves small errors only:

    >>> ramp = np.linspace(0, 255, 64).astype(np.uint8)
    >>> image = np.broadcast_to(ramp[:, None], (64, 64, 3)).copy()
    >>> signal = Softcast().encode(image, np.ones((64, 64), dtype=np.float32), 2000, 20.0)
    >>> x = signal.symbols
    >>> round(float(x.abs().square().mean()), 2)
    1.0
    >>> side = [packet.data for packet in signal.side]
    >>> shown = Softcast().decode(x, torch.ones_like(x), torch.zeros(len(x)), side, 64, 64)
    >>> int(np.abs(shown.astype(int) - image).max()) < 16
    True
    """

    analog: Literal[True] = True
    steerable = True

    def __init__(self, *, restore: bool = False) -> None:
        self._flag = _RESTORED if restore else 0

    def encode(
        self,
        image: Image,
        w: Map,
        num_symbols: int,
        snr_db: float,
        side_snr_db: float | None = None,
    ) -> AnalogSignal:
        """Send the chunks that are worth their power; see :class:`AnalogCodec`."""
        planes = to_planes(image)
        side_snr = snr_db - SIDE_MARGIN_DB if side_snr_db is None else side_snr_db
        snr = snr_level_of(snr_db)
        values = planes.astype(np.float64)
        pictures = (LinearPicture.of(values, w, k, snr) for k in layouts(*w.shape))

        def error(picture: LinearPicture) -> tuple[float, float]:
            num_bits = 8 * len(pack(picture.choose(num_symbols)))
            return picture.expected_error(num_symbols, num_bits, side_snr)

        best = min(pictures, key=error)
        side, symbols = best.send(best.choose(num_symbols), num_symbols)
        tile, bands = LAYOUTS[side.layout]
        sent = int(np.count_nonzero(side.levels))
        packet = pack(side)
        return AnalogSignal(
            torch.from_numpy(symbols),
            (Packet(bytes([packet[0] | self._flag]) + packet[1:]),),
            {"tile": tile, "bands": bands, "chunks": sent},
        )

    def decode(
        self,
        y: Tensor,
        h: Tensor,
        noise_var: Tensor,
        side: Sequence[bytes | None],
        height: int,
        width: int,
    ) -> Image:
        """Estimate the coefficients; see :class:`AnalogCodec`."""
        packet = only_packet("softcast", side)
        if packet is None:
            return grey(height, width)
        kind = packet[0] if packet else 0
        about = unpack(bytes([kind & ~_RESTORED]) + packet[1:], height, width)
        found = estimate(about, height, width, y, h, noise_var)
        if kind & _RESTORED:
            from semcom.codecs.restorer.restorer import restore_planes, softcast_knowledge

            if (known := softcast_knowledge(about, found)) is not None:
                return from_planes(restore_planes(found.planes, known))
        return from_planes(round_planes(found.planes))


def pack(side: Side) -> bytes:
    """Return the bytes of the side information."""
    differences = np.diff(side.means, prepend=0).astype(np.uint8)
    levels = np.ascontiguousarray(np.moveaxis(side.levels, 2, 1))  # puts similar ones together
    head = _HEAD.pack(side.layout, side.snr, side.scale)
    return head + _deflate(side.weights, differences) + _deflate(levels)


def unpack(data: bytes, height: int, width: int) -> Side:
    """Read the output of :func:`pack`; raise ``DecodeError`` for anything else."""
    if len(data) < _HEAD.size:
        raise DecodeError("softcast: side information is cut off")
    layout, snr, scale = _HEAD.unpack_from(data)
    if layout not in layouts(height, width):
        raise DecodeError(f"softcast: layout {layout} does not exist for {width}x{height}")
    tiles, bands = chunks_of(layout, height, width).num_tiles, LAYOUTS[layout][1]
    about, rest = _inflate(data[_HEAD.size :], 4 * tiles)
    levels, _ = _inflate(rest, 3 * bands * tiles)
    means = np.cumsum(about[tiles:].reshape(3, tiles), axis=1, dtype=np.uint8)
    levels = np.moveaxis(levels.reshape(3, bands, tiles), 1, 2)
    return Side(layout, snr, scale, about[:tiles], means, levels)


def _deflate(*parts: Levels) -> bytes:
    deflate = zlib.compressobj(9, wbits=-15, strategy=zlib.Z_FILTERED)
    return deflate.compress(b"".join(part.tobytes() for part in parts)) + deflate.flush()


def _inflate(data: bytes, size: int) -> tuple[Levels, bytes]:
    """Return ``size`` numbers, and the bytes after them."""
    inflate = zlib.decompressobj(-15)
    try:
        raw = inflate.decompress(data, size + 1)
    except zlib.error as error:
        raise DecodeError(f"softcast: {error}") from None
    if len(raw) != size or not inflate.eof:
        raise DecodeError(f"softcast: side information does not have {size} bytes")
    return np.frombuffer(raw, np.uint8), inflate.unused_data
