"""The receiver: what came off the air to an image.

Everything here works from the received symbols, the noise variance and what the channel's model
grants (:class:`channels.base.ChannelOutput`). It imports nothing of the sender.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.base import ChannelOutput
from channels.csi import remove_pilots
from channels.mcs import HEADER_BYTES, HEADER_SYMBOLS, header_scheme
from channels.phy import decode_packet, num_packet_symbols
from semcom.codecs.base import CODECS, DecodeError, DigitalCodec
from semcom.frame import Header, control_symbols, num_packets
from semcom.types import Image


@dataclass(frozen=True, eq=False)
class Reception:
    """What a receiver made of a frame."""

    image: Image | None
    """(H, W, 3) uint8; None if the header was lost, since then not even the size is known."""
    header: Header | None
    packets: tuple[bytes | None, ...] = ()
    """Packets whose CRC holds, None for the others."""


def receive(received: ChannelOutput, *, num_pilots: int = 0, block_length: int = 0) -> Reception:
    """Decode one frame.

    Parameters
    ----------
    received
        Symbols (num_symbols,), their gains and N0. With pilots the gains are not looked at.
    num_pilots
        Pilots at the head of every coherence block; 0: use the gains in ``received``.
    block_length
        Coherence block in symbols; 0 stands for the whole frame.
    """
    if num_pilots:
        received = remove_pilots(received.y, received.noise_var, num_pilots, block_length)
    found = _find_header(received)
    if found is None:
        return Reception(None, None)
    header, position = found
    packets: list[bytes | None] = []
    for size in header.packet_bytes:
        end = position + num_packet_symbols(size, header.scheme)
        whole = end <= len(received.y)
        part = _cut(received, position, end)
        packets.append(decode_packet(part, size, header.scheme) if whole else None)
        position = end
    codec: DigitalCodec = CODECS.create(header.codec)
    try:
        image = codec.decode(packets, header.height, header.width)
    except DecodeError:
        # A CRC held by accident, or the sender is of another make: as good as lost.
        packets = [None] * len(packets)
        image = codec.decode(packets, header.height, header.width)
    return Reception(image, header, tuple(packets))


def _find_header(received: ChannelOutput) -> tuple[Header, int] | None:
    """Try the lengths that a header can have; return it and where the packets begin."""
    for num_symbols in HEADER_SYMBOLS:
        scheme = header_scheme(num_symbols)
        if len(received.y) < num_symbols:
            break
        block = decode_packet(_cut(received, 0, num_symbols), HEADER_BYTES, scheme)
        if block is None:
            continue
        count = num_packets(block)
        lengths: bytes | None = b""
        end = control_symbols(num_symbols, count)
        if count > 1:
            part = _cut(received, num_symbols, end)
            lengths = decode_packet(part, 3 * (count - 1), scheme)
        if lengths is None:
            continue
        try:
            return Header.unpack(block, lengths), end
        except DecodeError:  # the CRC held by accident
            continue
    return None


def _cut(received: ChannelOutput, start: int, end: int) -> ChannelOutput:
    y, h, noise_var = received
    part = noise_var[start:end] if noise_var.numel() > 1 else noise_var
    return ChannelOutput(y[start:end], h[start:end], part)
