"""JPEG 2000 (ITU-T T.800): an embedded stream, each prefix of which is a picture.

OpenJPEG encodes once, with many fine quality layers. Every layer adds contributions to the
code-blocks up to a certain slope, the squared error removed per byte. The weight ``w`` of a block's
pixels multiplies its slopes, and the contributions are sorted again in descending order (Taubman,
"High performance scalable image compression with EBCOT", 2000, DOI 10.1109/83.847830, section IV).
In this way ``w`` controls the quality, yet any decoder can read the stream, and no map is sent.

A packet is one quality layer, the most important first. Each layer doubles the total bytes, which
adds about the same number of decibels. Packets after a lost one cannot be used. The codestream's
headers are determined by the size, and the receiver reconstructs them.

The resolution of ``w`` is limited to that of the code-blocks: 32x32 coefficients (64x64 pixels at
the finest level), or 16x16 in small pictures, where regions are small too. Smaller blocks would
follow a region more closely but code everything less efficiently.

If the receiver shall restore the picture, each packet begins with a byte that says the PSNR of the
picture after this layer, in halves of a decibel, plus 128. A byte 255 comes before the first one:
no layer begins with these two, because T.800 (B.10.1) stuffs a 0 after eight ones.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import features

from semcom.cache import recall, version
from semcom.codecs.base import DecodeError, check_sides, grey, weighted_gain
from semcom.codecs.parts import jpeg2000_packets as j2k_packets
from semcom.codecs.parts.jpeg2000_packets import Band, Block, Layout, all_blocks
from semcom.codecs.parts.rate_control import best_level
from semcom.errors import InputError
from semcom.large import is_large
from semcom.types import Bitstream, Image, Map, Packet

_MAX_LAYERS = 32
_LEVELS = 5  # levels of the wavelet transform
_MIN_SIDE = 32  # pixels; OpenJPEG cannot fit many layers of a smaller picture into its buffer
_SMALL = 1 << 17  # pixels; smaller pictures have small code-blocks
_LAYERS_DB = tuple(float(psnr) for psnr in range(10, 56))  # layers of the first encoding
_DB_STEPS = 2  # steps per decibel of what the receiver is told for restoring
_RESTORED, _TOLD = b"\xff", 0x80  # what comes before the first PSNR, and the highest bit of each
_SIZE, _TILE_SIZE = 8, 24  # offsets of width and height in the header (A.5.1)
_CODING_STYLE, _TILE_PART = b"\xff\x52", b"\xff\x90"  # COD and SOT
_END = b"\xff\xd9"


class Jpeg2000:
    """JPEG 2000 with irreversible transforms, in packets of descending importance.

    Parameters
    ----------
    layers
        Number of quality layers, and therefore of packets, 1 to 32.
    restore
        Whether the receiver repairs the picture by :mod:`semcom.codecs.restorer`.

    Examples
    --------
    A prefix of the packets is enough for a picture:

    >>> ramp = np.linspace(0, 255, 64).astype(np.uint8)
    >>> image = np.broadcast_to(ramp[:, None], (64, 64, 3)).copy()
    >>> codec = Jpeg2000(layers=3)
    >>> stream = codec.encode(image, np.ones((64, 64), dtype=np.float32), 20_000)
    >>> codec.decode([stream.packets[0].data, None, None], 64, 64).shape
    (64, 64, 3)
    """

    steerable = True

    def __init__(self, *, layers: int = 4, restore: bool = False) -> None:
        if not 1 <= layers <= _MAX_LAYERS:
            raise InputError(f"jpeg2000: layers must be 1 to {_MAX_LAYERS}, got {layers}")
        self.layers, self._restore = layers, restore

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode with as many contributions as fit; see :class:`DigitalCodec`."""
        height, width = image.shape[:2]
        check_sides("jpeg2000", height, width, j2k_packets.MAX_SIDE)
        read = _read if is_large(height, width) else _read_last
        bands = read(height, width, image.astype(np.uint8, casting="safe", copy=False).tobytes())
        order, sizes = _rank(bands, image, w)

        def layers(level: int) -> list[bytes]:
            return j2k_packets.write(_gather(bands, order, _cuts(sizes[:level], self.layers)))

        def size_bits(level: int) -> int:
            told = len(_RESTORED) + self.layers if self._restore else 0
            return 8 * (sum(map(len, layers(level))) + told)

        guess = int(np.searchsorted(np.cumsum(sizes), max_bits / 8))
        level = best_level(
            size_bits,
            range(len(order) + 1),
            max_bits,
            guess=guess,
            slope=1 / max(guess, 1),
            tolerance=0.003,
        )
        data = layers(level)
        shown = [_picture(data[:count], height, width) for count in range(1, len(data) + 1)]
        if self._restore:
            told = [told_psnr_db(image, picture) for picture in shown]
            data = [_psnr_byte(psnr) + layer for psnr, layer in zip(told, data, strict=True)]
            data[0] = _RESTORED + data[0]
            shown = [_restored(*pair) for pair in zip(shown, told, strict=True)]
        removed = [weighted_gain(image, picture, w) for picture in shown]
        gains = np.diff(removed, prepend=0.0).tolist()
        return Bitstream(tuple(map(Packet, data, gains)), {"contributions": level}, nested=True)

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Reconstruct the image from the layers before the first lost one."""
        if len(packets) > 0xFFFF:
            raise DecodeError(f"jpeg2000: a header allows 65535 layers, got {len(packets)}")
        check_sides("jpeg2000", height, width, j2k_packets.MAX_SIDE, DecodeError)
        layers = []
        for packet in packets:
            if packet is None:
                break
            layers.append(packet)
        if not layers:
            return grey(height, width)
        first = layers[0]
        if not (first[:1] == _RESTORED and first[1:2] >= bytes([_TOLD])):
            return _picture(layers, height, width)
        layers[0] = first[1:]
        if not all(layers):
            raise DecodeError("JPEG 2000 packet ends before the PSNR of its picture")
        picture = _picture([layer[1:] for layer in layers], height, width)
        return _restored(picture, (layers[-1][0] & ~_TOLD) / _DB_STEPS)


def _picture(layers: Sequence[bytes], height: int, width: int) -> Image:
    """Decode the picture of some layers."""
    stream = _header(height, width, len(layers)) + _tile_part(b"".join(layers))
    try:
        with PilImage.open(io.BytesIO(stream)) as picture:
            decoded = np.asarray(picture)
    except OSError as error:
        raise DecodeError(f"damaged JPEG 2000 codestream: {error}") from None
    if decoded.shape != (*_padded(height, width), 3):
        raise DecodeError(f"JPEG 2000 codestream gave shape {decoded.shape}")
    return decoded[:height, :width]


def told_psnr_db(image: Image, picture: Image) -> float:
    """Return the PSNR of a decoded picture as the receiver is told it, 0 to 63.5 dB."""
    squared_error = np.square(image - picture.astype(np.float64)).mean()
    psnr_db = 10 * math.log10(255**2 / max(squared_error, 1e-9))
    return min(max(round(_DB_STEPS * psnr_db), 0), _TOLD - 1) / _DB_STEPS


def _psnr_byte(psnr_db: float) -> bytes:
    return bytes([_TOLD | int(_DB_STEPS * psnr_db)])


def _restored(picture: Image, psnr_db: float) -> Image:
    from semcom.codecs.restorer.restorer import restore  # it loads a network

    return restore("jpeg2000", picture, psnr_db)


def _read(height: int, width: int, pixels: bytes) -> Layout:
    """Encode with fine layers; return the contribution of each to each code-block."""
    image = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    header, body = _compress(image, _LAYERS_DB, _block_side(height, width))
    if header != _header(height, width, len(_LAYERS_DB)):
        raise RuntimeError("OpenJPEG wrote headers that the receiver cannot reconstruct")
    bands = j2k_packets.layout(*_padded(height, width), _LEVELS, _block_side(height, width))
    j2k_packets.read(body, bands, len(_LAYERS_DB))
    return bands


_read_last = functools.lru_cache(maxsize=1)(_read)  # a link asks for several sizes of a picture


def _rank(bands: Layout, image: Image, w: Map) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort the contributions by weighted slope; return the block and the bytes of each."""
    blocks = list(all_blocks(bands))
    passes = np.array([[part[0] for part in block.parts] for block in blocks])
    sizes = np.array([[len(part[1]) for part in block.parts] for block in blocks])
    weights = np.array([w[block.support].mean() for block in blocks], dtype=np.float64)
    # OpenJPEG fills layer i until its squared error is that of _LAYERS_DB[i].
    squared_error = 255.0**2 * 10 ** (-np.array(_LAYERS_DB) / 10)
    start = ((image - 128.0) ** 2).mean()
    removed = -np.diff(np.minimum(squared_error, start), prepend=start)
    spent = sizes.sum(axis=0)
    known = (removed > 0) & (spent > 0)
    slopes = np.divide(removed, spent, where=known, out=np.full(len(spent), squared_error[0]))
    slopes = np.minimum.accumulate(slopes)  # later passes never come before earlier ones
    layer, block = np.nonzero(passes.T)
    order = np.argsort(-slopes[layer] * weights[block], kind="stable")
    return block[order], sizes[block, layer][order]


def _cuts(sizes: NDArray[np.int64], layers: int) -> list[int]:
    """Divide ranked contributions into layers, each of which doubles the bytes."""
    shares = 2.0 ** np.arange(1 - layers, 0)
    return [*np.searchsorted(np.cumsum(sizes), shares * sizes.sum()).tolist(), len(sizes)]


def _gather(bands: Layout, order: NDArray[np.int64], cuts: Sequence[int]) -> Layout:
    """Return the code-blocks with the contributions ``order[:cuts[0]]`` in the first layer, etc."""
    num_blocks = sum(1 for _ in all_blocks(bands))
    counts = np.array([np.bincount(order[:cut], minlength=num_blocks) for cut in [0, *cuts]]).T
    taken = iter(counts.tolist())
    return [
        [Band(band.columns, [_merge(b, next(taken)) for b in band.blocks]) for band in packet]
        for packet in bands
    ]


def _merge(block: Block, counts: Sequence[int]) -> Block:
    """Merge contributions: layer ``i`` gets those from ``counts[i]`` to ``counts[i + 1]``."""
    if not counts[-1]:
        return Block(block.support, block.zero_planes, [(0, b"")] * (len(counts) - 1))
    parts = [part for part in block.parts if part[0]]
    merged = [
        (sum([passes for passes, _ in parts[a:b]]), b"".join([data for _, data in parts[a:b]]))
        if a < b
        else (0, b"")
        for a, b in itertools.pairwise(counts)
    ]
    return Block(block.support, block.zero_planes, merged)


def _padded(height: int, width: int) -> tuple[int, int]:
    return max(height, _MIN_SIDE), max(width, _MIN_SIDE)


def _block_side(height: int, width: int) -> int:
    """Return the side of a code-block in coefficients."""
    return 16 if height * width < _SMALL else 32


def _compress(image: Image, layers_db: Sequence[float], block_side: int) -> tuple[bytes, bytes]:
    """Return the main header and the body of the only tile."""
    height, width = image.shape[:2]
    rows, columns = _padded(height, width)
    padding = ((0, rows - height), (0, columns - width), (0, 0))
    picture = PilImage.fromarray(np.pad(image, padding, mode="edge"))

    def write() -> bytes:
        buffer = io.BytesIO()
        picture.save(
            buffer,
            "JPEG2000",
            no_jp2=True,
            irreversible=True,
            mct=1,
            num_resolutions=_LEVELS + 1,
            codeblock_size=(block_side, block_side),
            progression="LRCP",
            quality_mode="dB",
            quality_layers=layers_db,
        )
        return buffer.getvalue()

    openjpeg = version("pillow"), features.version("jpg_2000")
    stream = recall(write, "jpeg2000", openjpeg, image, tuple(layers_db), block_side)
    cut = stream.index(_TILE_PART)
    return stream[:cut], stream[cut + len(_tile_part(b"")) - len(_END) : -len(_END)]


def _header(height: int, width: int, layers: int) -> bytes:
    """Return everything before the tile, given the size and the number of layers."""
    header = bytearray(_small_header(_block_side(height, width)))
    rows, columns = _padded(height, width)
    for position in (_SIZE, _TILE_SIZE):
        struct.pack_into(">II", header, position, columns, rows)
    position = header.index(_CODING_STYLE) + 6  # after marker, length, style and progression
    struct.pack_into(">H", header, position, layers)
    return bytes(header)


@functools.cache
def _small_header(block_side: int) -> bytes:
    """Return the header of the smallest picture, which takes no time to encode."""
    return _compress(grey(1, 1), [40.0], block_side)[0]


def _tile_part(body: bytes) -> bytes:
    """Wrap packets: start of tile-part (A.4.2), start of data, end of codestream."""
    length = 14 + len(body)
    return _TILE_PART + struct.pack(">HHIBB", 10, 0, length, 0, 1) + b"\xff\x93" + body + _END
