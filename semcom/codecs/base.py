"""What a codec promises, and the table of those we have.

A digital codec turns an image into packets and packets into an image. It works from bytes alone:
its decoder never sees the original, the masks or the map unless they were sent and paid for. An
analog codec (joint source-channel coding) makes the symbols itself, and bytes of side information.
How to write one: ``docs/tutorials/adding-a-codec.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard

import numpy as np

from channels.registry import Entry, Registry
from semcom.large import each_strip
from semcom.types import AnalogSignal, Bitstream, Image, Map

if TYPE_CHECKING:
    from torch import Tensor


class BudgetTooSmallError(ValueError):
    """Not even the smallest stream fits; ``num_bits`` is what it would take."""

    def __init__(self, num_bits: int, max_bits: int) -> None:
        super().__init__(f"the smallest stream has {num_bits} bits, the budget is {max_bits} bits")
        self.num_bits = num_bits
        self.max_bits = max_bits


class DecodeError(ValueError):
    """The bytes of a packet are not what this codec writes."""


class DigitalCodec(Protocol):
    """Image to packets and back."""

    steerable: bool
    """Whether ``w`` steers the quality over the image."""

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode ``image`` (H, W, 3) uint8 at the best quality within ``max_bits`` payload bits.

        ``w`` (H, W) float32 of mean 1 weighs the squared error of each pixel. Raises
        :class:`BudgetTooSmallError` where nothing fits.
        """
        ...

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Rebuild the image (height, width, 3) uint8; ``None`` stands for a lost packet.

        Lost parts are concealed. With everything lost the result is mid-grey. Raises
        :class:`DecodeError` for what no encoder of this codec made: other bytes, another number of
        packets, another size.
        """
        ...


class AnalogCodec(Protocol):
    """Image to symbols and back: joint source-channel coding."""

    analog: Literal[True]
    """What tells it from a :class:`DigitalCodec`, which need not have it."""
    steerable: bool
    """Whether ``w`` steers the quality over the image."""

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Encode ``image`` (H, W, 3) uint8 into at most ``num_symbols`` symbols, at least 1.

        Their mean power over this transmission is 1. What the decoder must know (a scale, a
        layout) goes into packets of side information; they are paid for beyond ``num_symbols``.
        ``w`` is as for :class:`DigitalCodec`; ``snr_db`` is the mean Es/N0 that the sender expects.
        """
        ...

    def decode(
        self,
        y: Tensor,
        h: Tensor,
        noise_var: Tensor,
        side: Sequence[bytes | None],
        height: int,
        width: int,
    ) -> Image:
        """Rebuild the image (height, width, 3) uint8.

        Parameters
        ----------
        y, h
            Received symbols ``h·x + n`` and their gains, complex64 (n,); h may be 0.
        noise_var
            Total variance N0 of the complex noise n, float32 (n,), at least 0.
        side
            The packets of side information; ``None`` stands for a lost one.

        Raises
        ------
        DecodeError
            Side information, or another number of packets of it, that no encoder of this codec
            made for this size.
        """
        ...


def is_analog(codec: object) -> TypeGuard[AnalogCodec]:
    """Whether a codec makes symbols instead of packets."""
    return bool(getattr(codec, "analog", False))


CODECS = Registry(
    "codec",
    [
        Entry("hevc", "semcom.codecs.hevc:Hevc", "x265 4:4:4 10-bit, quality per block from w"),
        Entry("jpeg", "semcom.codecs.jpeg:Jpeg", "baseline JPEG; w cannot steer it"),
        Entry(
            "jpeg2000", "semcom.codecs.jpeg2000:Jpeg2000", "JPEG 2000, embedded, layers ranked by w"
        ),
        Entry("webp", "semcom.codecs.webp:Webp", "lossy WebP; w cannot steer it"),
        Entry(
            "avif",
            "semcom.codecs.avif:Avif",
            "AVIF 4:4:4 8-bit; w cannot steer it",
            requires=("PIL._avif",),
            extra="avif",
        ),
        Entry(
            "av1",
            "semcom.codecs.av1:Av1",
            "libaom 4:4:4 10-bit; w cannot steer it; slow",
            requires=("imageio_ffmpeg",),
            extra="codecs",
        ),
        Entry(
            "vvc",
            "semcom.codecs.vvc:Vvc",
            "VVenC 4:2:0 10-bit; w cannot steer it; slow",
            requires=("imageio_ffmpeg",),
            extra="codecs",
        ),
        Entry(
            "layered",
            "semcom.codecs.layered:Layered",
            "a whole picture, and finer ones of what matters, over another codec",
        ),
        Entry(
            "scalable",
            "semcom.codecs.scalable:Scalable",
            "a coarse picture, and what it lacks again and again, over base=hevc in layers=4",
        ),
        Entry(
            "learned",
            "semcom.codecs.learned:Learned",
            "CompressAI's trained models; w cannot steer them",
            requires=("compressai",),
            extra="learned",
        ),
        Entry(
            "softcast",
            "semcom.codecs.softcast:Softcast",
            "analog: DCT coefficients as amplitudes, scaled by w",
        ),
    ],
    group="semcom.codecs",
)


def digital(spec: str) -> DigitalCodec:
    """Build a digital codec; an analog one raises ``ValueError``, as what is unknown does."""
    codec = CODECS.create(spec)
    if is_analog(codec):
        raise ValueError(f"codec {spec!r} is analog; here a digital one is needed")
    made: DigitalCodec = codec
    return made


def codec_id(name: str) -> bytes:
    """Two bytes that stand for a codec's name in a stream: the head of its SHA-256."""
    return hashlib.sha256(name.encode()).digest()[:2]


def grey(height: int, width: int) -> Image:
    """What is shown when all is lost: mid-grey (128), the best guess without knowledge."""
    return np.full((height, width, 3), 128, dtype=np.uint8)


def only_packet(codec: str, packets: Sequence[bytes | None]) -> bytes | None:
    """Return the packet of a codec that makes one; ``DecodeError`` for another number of them."""
    if len(packets) != 1:
        raise DecodeError(f"{codec}: a picture is one packet, got {len(packets)}")
    return packets[0]


def check_sides(
    codec: str, height: int, width: int, most: int, error: type[ValueError] = ValueError
) -> None:
    """Raise ``error`` for a picture with a longer side than ``most`` pixels."""
    if max(height, width) > most:
        raise error(f"{codec}: a side takes at most {most} pixels, got {width}x{height}")


def weighted_gain(image: Image, decoded: Image, w: Map) -> float:
    """Weighted squared error that showing ``decoded`` removes against showing mid-grey."""
    removed = np.empty(w.shape)

    def fill(rows: slice) -> None:
        original = image[rows].astype(np.int32)
        less = (original - 128) ** 2 - (original - decoded[rows]) ** 2
        removed[rows] = less[..., 0] + less[..., 1] + less[..., 2]

    each_strip(fill, *w.shape)
    return float((w * removed).sum())
