"""Calling a codec, and describing an unexpected answer in words."""

from __future__ import annotations

from collections.abc import Sequence

from semcom.codecs.base import DigitalCodec
from semcom.conformance.base import CheckFailed
from semcom.conformance.calls import MAX_PACKETS, ask, check_image, lengths
from semcom.conformance.digital.promises import BUDGET, PACKETS, PICTURE
from semcom.conformance.samples import flat_map
from semcom.types import Bitstream, Image, Map


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
        The codec raised an exception (which breaks ``promise``), or its stream is invalid.
    """
    height, width = image.shape[:2]
    asked = f"encode {what}, {width}x{height}, within {max_bits:,} bits"
    w = flat_map(image) if w is None else w
    stream = ask(codec.encode, image, w, max_bits, asked=asked, promise=promise)
    if not isinstance(stream, Bitstream):
        raise CheckFailed(asked, f"a {type(stream).__name__} and not a Bitstream", promise)
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
        The codec raised an exception (which breaks ``promise``), or returned no image of that size.
    """
    asked = f"decode {what}, {width}x{height}, from packets of {lengths(packets)} bytes"
    shown = ask(codec.decode, packets, height, width, asked=asked, promise=promise)
    check_image(shown, height, width, asked=asked, promise=PICTURE)
    return shown


def send(
    codec: DigitalCodec,
    image: Image,
    max_bits: int,
    *,
    w: Map | None = None,
    what: str = "the photo",
    promise: str = PICTURE,
) -> tuple[Bitstream, Image]:
    """Encode ``image`` and decode the result."""
    stream = encode(codec, image, max_bits, w=w, what=what, promise=promise)
    shown = decode(codec, data_of(stream), *image.shape[:2], what=what, promise=promise)
    return stream, shown


def data_of(stream: Bitstream) -> list[bytes]:
    """Return the bytes of the packets."""
    return [packet.data for packet in stream.packets]
