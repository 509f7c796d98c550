"""Asking a codec for something, and saying in words what came back instead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semcom.codecs.base import DigitalCodec
from semcom.conformance.base import CheckFailed, told
from semcom.conformance.promises import BUDGET, PACKETS, PICTURE
from semcom.conformance.samples import flat_map, photo, region
from semcom.scores.psnr import region_psnr_db, weighted_psnr_db
from semcom.types import Bitstream, Image, Map

MAX_PACKETS = 255


def encode(
    codec: DigitalCodec,
    image: Image,
    max_bits: int,
    *,
    w: Map | None = None,
    what: str = "the photo",
    promise: str = PICTURE,
) -> Bitstream:
    """Encode ``image``; ``w`` is flat unless given.

    Raises
    ------
    CheckFailed
        An exception (which breaks ``promise``), or a stream that no codec may give.
    """
    height, width = image.shape[:2]
    asked = f"encode {what}, {width}x{height}, within {max_bits:,} bits"
    try:
        stream = codec.encode(image, flat_map(image) if w is None else w, max_bits)
    except Exception as error:
        raise CheckFailed(asked, told(error), promise) from error
    if not isinstance(stream, Bitstream):
        raise CheckFailed(asked, f"a {type(stream).__name__}, no Bitstream", promise)
    count = len(stream.packets)
    if not 1 <= count <= MAX_PACKETS:
        raise CheckFailed(asked, f"{count} packets", PACKETS)
    for i, packet in enumerate(stream.packets, 1):
        if not isinstance(packet.data, bytes) or not packet.data:
            raise CheckFailed(asked, f"{packet.data!r} as packet {i} of {count}", PACKETS)
    if stream.num_bits > max_bits:
        raise CheckFailed(asked, f"{stream.num_bits:,} bits", BUDGET)
    return stream


def decode(
    codec: DigitalCodec,
    packets: Sequence[bytes | None],
    height: int,
    width: int,
    *,
    what: str = "the photo",
    promise: str = PICTURE,
) -> Image:
    """Decode ``packets``.

    Raises
    ------
    CheckFailed
        An exception (which breaks ``promise``), or no image of that size.
    """
    sizes = ", ".join("lost" if packet is None else str(len(packet)) for packet in packets[:8])
    more = ", …" if len(packets) > 8 else ""
    asked = f"decode {what}, {width}x{height}, from packets of {sizes}{more} bytes"
    try:
        shown = codec.decode(packets, height, width)
    except Exception as error:
        raise CheckFailed(asked, told(error), promise) from error
    check_image(shown, height, width, asked=asked, promise=PICTURE)
    return shown


def check_image(shown: object, height: int, width: int, *, asked: str, promise: str) -> None:
    """Raise :class:`CheckFailed` unless ``shown`` is an image of this size."""
    if not isinstance(shown, np.ndarray):
        raise CheckFailed(asked, f"a {type(shown).__name__}, no array", promise)
    if shown.shape != (height, width, 3) or shown.dtype != np.uint8:
        raise CheckFailed(asked, f"an array of {shown.dtype} and shape {shown.shape}", promise)


def send(
    codec: DigitalCodec,
    image: Image,
    max_bits: int,
    *,
    w: Map | None = None,
    what: str = "the photo",
    promise: str = PICTURE,
) -> tuple[Bitstream, Image]:
    """Encode ``image`` and decode what came of it."""
    stream = encode(codec, image, max_bits, w=w, what=what, promise=promise)
    shown = decode(codec, data_of(stream), *image.shape[:2], what=what, promise=promise)
    return stream, shown


def data_of(stream: Bitstream) -> list[bytes]:
    """Return the bytes of the packets."""
    return [packet.data for packet in stream.packets]


def attempt(
    codec: DigitalCodec, packets: Sequence[bytes | None], height: int, width: int, limit_s: float
) -> object:
    """Decode within a time limit, in a thread that may be left behind.

    Returns what comes back, or the exception; ``TimeoutError`` if it takes longer.
    """
    results: queue.SimpleQueue[object] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put(codec.decode(packets, height, width))
        except Exception as error:
            results.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return results.get(timeout=limit_s)
    except queue.Empty:
        return TimeoutError(f"no end within {limit_s:g} s")


def qualities(shown: Image, w: Map) -> NDArray[np.float64]:
    """PSNR of the photo in its region, outside, and weighted, in dB."""
    inside, outside = (region_psnr_db(photo(), shown, part) for part in (region(), ~region()))
    return np.array([inside, outside, weighted_psnr_db(photo(), shown, w)], dtype=np.float64)
