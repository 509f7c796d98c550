"""The contract of codecs; :mod:`semcom.codecs.catalogue` lists those that semcom ships.

A digital codec turns an image into packets and packets into an image. Its decoder uses bytes alone:
it never sees the original, the masks or the map unless they were sent and paid for. An analog codec
(joint source-channel coding) makes the symbols itself, plus bytes of side information.
``docs/tutorials/adding-a-codec.md`` explains how to write a codec.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard

import numpy as np

from semcom.codecs.catalogue import CODECS as CODECS
from semcom.errors import InputError
from semcom.large import each_strip
from semcom.types import AnalogSignal, Bitstream, Image, Map

if TYPE_CHECKING:
    from torch import Tensor


class BudgetTooSmallError(InputError):
    """No stream of the codec fits the budget; ``num_bits`` is the size of the smallest one.

    Examples
    --------
    >>> from semcom.codecs.jpeg import Jpeg
    >>> image = grey(32, 48)
    >>> Jpeg().encode(image, np.ones((32, 48), dtype=np.float32), max_bits=8)
    Traceback (most recent call last):
    semcom.codecs.base.BudgetTooSmallError: ...
    """

    def __init__(self, num_bits: int, max_bits: int) -> None:
        super().__init__(f"the smallest stream has {num_bits} bits, the budget is {max_bits} bits")
        self.num_bits = num_bits
        self.max_bits = max_bits


class DecodeError(ValueError):
    """The bytes of a packet cannot have been written by this codec.

    Examples
    --------
    >>> CODECS.create("jpeg").decode([b"garbage"], 32, 48)
    Traceback (most recent call last):
    semcom.codecs.base.DecodeError: ...
    """


class DigitalCodec(Protocol):
    """A codec that turns an image into packets and back.

    Examples
    --------
    >>> codec = CODECS.create("jpeg")
    >>> image = np.full((32, 48, 3), 200, dtype=np.uint8)
    >>> stream = codec.encode(image, np.ones((32, 48), dtype=np.float32), max_bits=20_000)
    >>> shown = codec.decode([packet.data for packet in stream.packets], 32, 48)
    >>> stream.num_bits <= 20_000, bool(np.abs(shown.astype(int) - image).max() <= 2)
    (True, True)
    """

    steerable: bool
    """Whether ``w`` controls the quality within the image."""

    def encode(self, image: Image, w: Map, max_bits: int) -> Bitstream:
        """Encode ``image`` (H, W, 3) uint8 at the best quality within ``max_bits`` payload bits.

        ``w`` (H, W) float32 of mean 1 is the weight of each pixel's squared error. Raises
        :class:`BudgetTooSmallError` if nothing fits.
        """
        ...

    def decode(self, packets: Sequence[bytes | None], height: int, width: int) -> Image:
        """Reconstruct the image (height, width, 3) uint8; ``None`` represents a lost packet.

        Lost parts are concealed. If everything is lost, the result is mid-grey. Raises
        :class:`DecodeError` for input that no encoder of this codec can have made: other bytes, or
        another number of packets or size.
        """
        ...


class AnalogCodec(Protocol):
    """A codec that turns an image into symbols and back: joint source-channel coding."""

    analog: Literal[True]
    """Marks an analog codec; a :class:`DigitalCodec` does not need this attribute."""
    steerable: bool
    """Whether ``w`` controls the quality within the image."""

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Encode ``image`` (H, W, 3) uint8 into at most ``num_symbols`` symbols, at least 1.

        Their mean power over this transmission is 1. Data that the decoder needs (a scale, a
        layout) goes into packets of side information, which are paid for in addition to
        ``num_symbols``. ``w`` is as for :class:`DigitalCodec`; ``snr_db`` is the mean Es/N0 that
        the sender expects.

        A codec may have a further parameter ``side_snr_db``. It then gets the Es/N0 for which its
        side information will be protected, and can choose how much of it is worth its price. The
        parameter has a default, None, for which it is ``snr_db`` less the default margin of
        :mod:`semcom.codecs.side_margin`.

        A codec may have a parameter ``snrs_db``, for equally likely Es/N0 of the frame at the
        receiver, in ascending order: they follow from the law of the channel and from how sure the
        sender is of the mean. Its default is None, for ``snr_db`` alone.

        Two others are ``room``, the channel uses that symbols and side information have together,
        and ``side_rate``, the bits of side information that one of them carries. A codec that has
        them can divide the frame. Their default is None, for which it estimates them.

        A codec whose number of symbols is fixed has a method ``least_symbols(height, width)``,
        which returns it; it is never asked for fewer.
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
        """Reconstruct the image (height, width, 3) uint8.

        Parameters
        ----------
        y, h
            Received symbols ``h·x + n`` and their gains, complex64 (n,); h may be 0.
        noise_var
            Total variance N0 of the complex noise n, float32 (n,), at least 0.
        side
            The packets of side information; ``None`` represents a lost one.

        Raises
        ------
        DecodeError
            Side information, or a number of its packets, that no encoder of this codec can have
            made for this size.
        """
        ...


def takes_side_snr(codec: AnalogCodec) -> bool:
    """Tell whether the ``encode`` of an analog codec has the parameter ``side_snr_db``."""
    return "side_snr_db" in inspect.signature(codec.encode).parameters


def takes_belief(codec: AnalogCodec) -> bool:
    """Tell whether the ``encode`` of an analog codec has the parameter ``snrs_db``."""
    return "snrs_db" in inspect.signature(codec.encode).parameters


def takes_room(codec: AnalogCodec) -> bool:
    """Tell whether the ``encode`` of an analog codec has the parameters of the frame."""
    return {"room", "side_rate"} <= set(inspect.signature(codec.encode).parameters)


def least_symbols(codec: AnalogCodec, height: int, width: int) -> int:
    """Return the number of symbols below which an analog codec cannot send an image."""
    least = getattr(codec, "least_symbols", None)
    return 1 if least is None else int(least(height, width))


def is_analog(codec: object) -> TypeGuard[AnalogCodec]:
    """Tell whether a codec makes symbols instead of packets."""
    return bool(getattr(codec, "analog", False))


def digital(spec: str) -> DigitalCodec:
    """Build a digital codec; raise ``ValueError`` for an analog or unknown one."""
    codec = CODECS.create(spec)
    if is_analog(codec):
        raise InputError(f"codec {spec!r} is analog, but a digital codec is needed here")
    made: DigitalCodec = codec
    return made


def codec_id(name: str) -> bytes:
    """Return two bytes that identify a codec in a stream: the start of its name's SHA-256."""
    return hashlib.sha256(name.encode()).digest()[:2]


def grey(height: int, width: int) -> Image:
    """Return a mid-grey picture (128), the best guess if everything is lost.

    Examples
    --------
    >>> grey(16, 24).shape, int(grey(16, 24).max())
    ((16, 24, 3), 128)
    """
    return np.full((height, width, 3), 128, dtype=np.uint8)


def only_packet(codec: str, packets: Sequence[bytes | None]) -> bytes | None:
    """Return the packet of a codec with one packet; raise ``DecodeError`` for another number.

    Examples
    --------
    >>> only_packet("jpeg", [b"picture"])
    b'picture'
    """
    if len(packets) != 1:
        raise DecodeError(f"{codec}: a picture is one packet, got {len(packets)}")
    return packets[0]


def check_sides(
    codec: str, height: int, width: int, most: int, error: type[ValueError] = InputError
) -> None:
    """Raise ``error`` for a picture with a side longer than ``most`` pixels."""
    if max(height, width) > most:
        raise error(f"{codec}: a side takes at most {most} pixels, got {width}x{height}")


def weighted_gain(image: Image, decoded: Image, w: Map) -> float:
    """Return the weighted squared error by which ``decoded`` improves on mid-grey.

    Examples
    --------
    >>> image = np.full((16, 24, 3), 138, dtype=np.uint8)  # 10 levels brighter than mid-grey
    >>> weighted_gain(image, image, np.ones((16, 24), dtype=np.float32)) / image.size
    100.0
    """
    removed = np.empty(w.shape)

    def fill(rows: slice) -> None:
        original = image[rows].astype(np.int32)
        less = (original - 128) ** 2 - (original - decoded[rows]) ** 2
        removed[rows] = less[..., 0] + less[..., 1] + less[..., 2]

    each_strip(fill, *w.shape)
    return float((w * removed).sum())
