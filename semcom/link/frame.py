"""The frame that is sent for one image, and the header that describes it.

    header (QPSK, robust) │ first packet │ table of the others │ other packets │ their copies │ …

The header of 11 bytes contains the codec, the size of the image, the number of packets and the
format of the first. The table describes the others, with 4 bytes each and one byte that identifies
it. Both are coded and paid for like everything else, the table at the rate of the header or a
higher one; the receiver tries these in turn. The first packet can be read without the table. A
packet may be sent in several copies, each of which suffices; the receiver adds up their LLRs (chase
combining). The copies of the first packet follow each other. Of the other packets, all first copies
are sent before the second copies, so that a fade rarely affects both.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from channels.packets.mcs import HEADER_BYTES, SCHEMES, Scheme, header_scheme
from channels.packets.packet import num_packet_symbols
from channels.packets.scheme_sets import scheme_set
from semcom.codecs.base import CODECS, DecodeError, codec_id
from semcom.errors import InputError
from semcom.images import MAX_PIXELS
from semcom.link.config import MAX_COPIES
from semcom.types import AnalogSignal, Packet

_HEADER, _FORMAT_BYTES, _MARK = ">HHHB", 4, b"T"
MAX_PACKET_BYTES = 0x3FFFFF
MAX_PACKETS = 255
_COUNT_BYTES = 4
assert struct.calcsize(_HEADER) + _FORMAT_BYTES == HEADER_BYTES


@dataclass(frozen=True)
class PacketFormat:
    """The format in which a packet is sent."""

    num_bytes: int
    """Length; 0 for a packet that is not sent."""
    scheme: Scheme
    copies: int = 1

    @property
    def copy_symbols(self) -> int:
        """Symbols of one copy."""
        return num_packet_symbols(self.num_bytes, self.scheme) if self.num_bytes else 0

    @property
    def num_symbols(self) -> int:
        """Symbols of all copies."""
        return self.copies * self.copy_symbols

    @property
    def name(self) -> str:
        """Name for people, such as ``"QPSK 0.076 x2"``."""
        if not self.num_bytes:
            return "not sent"
        return self.scheme.name + (f" x{self.copies}" if self.copies > 1 else "")

    def pack(self, schemes: Sequence[Scheme] = SCHEMES) -> bytes:
        """Return the four bytes that describe it in the header or table.

        ``schemes`` is the set that sender and receiver agreed on. A packet that is not sent has no
        scheme in it, and is described by the first.
        """
        if not 0 <= self.num_bytes <= MAX_PACKET_BYTES:
            raise InputError(
                f"a packet may have at most {MAX_PACKET_BYTES} bytes, got {self.num_bytes}"
            )
        if not 1 <= self.copies <= MAX_COPIES:
            raise InputError(f"a packet may have 1 to {MAX_COPIES} copies, got {self.copies}")
        place = schemes.index(self.scheme) if self.num_bytes or self.scheme in schemes else 0
        number = place << 24 | (self.copies - 1) << 22 | self.num_bytes
        return number.to_bytes(_FORMAT_BYTES, "big")

    @classmethod
    def unpack(cls, data: bytes, schemes: Sequence[Scheme] = SCHEMES) -> PacketFormat:
        """Read the output of :meth:`pack`; raise ``DecodeError`` for an unknown scheme."""
        number = int.from_bytes(data, "big")
        if number >> 24 >= len(schemes):
            raise DecodeError(f"header names unknown scheme {number >> 24}")
        return cls(number & MAX_PACKET_BYTES, schemes[number >> 24], (number >> 22 & 3) + 1)


UNSENT = PacketFormat(0, SCHEMES[0])


@dataclass(frozen=True)
class Header:
    """The information that a receiver needs before it can decode packets."""

    codec: str
    """Registered name; the first 16 bits of its SHA-256 are sent."""
    height: int
    width: int
    packets: tuple[PacketFormat, ...]
    schemes: str = "nr"
    """The set of schemes that sender and receiver agreed on; it is not sent."""

    def pack(self) -> tuple[bytes, bytes]:
        """Return the header block and the table (empty for a single packet)."""
        if not 1 <= len(self.packets) <= MAX_PACKETS:
            raise InputError(f"a frame has 1 to {MAX_PACKETS} packets, got {len(self.packets)}")
        if max(self.height, self.width) > 0xFFFF:
            raise InputError(f"a side has at most 65535 pixels, got {self.width}x{self.height}")
        _codecs_by_id()  # refuses ids that two codecs share, which a receiver would confuse
        known = scheme_set(self.schemes)
        first, *others = (packet.pack(known) for packet in self.packets)
        about = _number(self.codec), self.height, self.width, len(self.packets)
        return struct.pack(_HEADER, *about) + first, b"".join([_MARK, *others] if others else [])

    @classmethod
    def unpack(cls, block: bytes, table: bytes, schemes: str = "nr") -> Header:
        """Read the output of :meth:`pack`; raise ``DecodeError`` for anything else.

        Without the table (empty) all packets except the first count as not sent.
        """
        number, height, width, count = struct.unpack_from(_HEADER, block)
        names = _codecs_by_id()
        if number not in names:
            raise DecodeError(f"header names unknown codec {number:#06x}")
        if not 0 < height * width <= MAX_PIXELS or not count:
            raise DecodeError(f"header announces {width}x{height} pixels, {count} packets")
        formats = block[struct.calcsize(_HEADER) :] + table.removeprefix(_MARK)
        cuts = range(0, len(formats), _FORMAT_BYTES)
        known = scheme_set(schemes)
        packets = tuple(PacketFormat.unpack(formats[i : i + _FORMAT_BYTES], known) for i in cuts)
        unsent = (UNSENT,) * (count - len(packets))
        return cls(names[number], height, width, packets + unsent, schemes)

    def order(self) -> Iterator[tuple[int, int]]:
        """Yield (packet, copy) in the order of transmission."""
        first, *others = self.packets
        yield from ((0, copy) for copy in range(first.copies) if first.num_bytes)
        for copy in range(MAX_COPIES):
            for i, packet in enumerate(others, 1):
                if packet.num_bytes and copy < packet.copies:
                    yield i, copy


def analog_packets(signal: AnalogSignal) -> tuple[Packet, ...]:
    """Return the packets of an analog signal: its side information, each after the length."""
    count = len(signal.symbols).to_bytes(_COUNT_BYTES, "big")
    side = signal.side or (Packet(b""),)
    return tuple(Packet(count + packet.data, packet.gain) for packet in side)


def read_analog(header: Header, packets: Sequence[bytes | None]) -> tuple[int, list[bytes | None]]:
    """Undo :func:`analog_packets` for received packets: the number of symbols, and the side.

    If no packet arrived, the receiver assumes that there are no symbols. Raises ``DecodeError`` for
    packets that no sender wrote.
    """
    counts = {packet[:_COUNT_BYTES] for packet in packets if packet is not None}
    if len(counts) > 1 or any(len(count) < _COUNT_BYTES for count in counts):
        raise DecodeError("packets do not agree on the number of analog symbols")
    side = [None if packet is None else packet[_COUNT_BYTES:] for packet in packets]
    if header.packets[0].num_bytes == _COUNT_BYTES:  # the codec has no side information
        side = []
    return int.from_bytes(b"".join(counts), "big"), side


def masked(block: bytes, code: int) -> bytes:
    """XOR a control block with a mask for the length of its code in symbols; undo it likewise.

    The start of a longer codeword can be decoded as if it were a shorter one. The mask ensures that
    the result names no codec, or is no table.
    """
    mask = hashlib.sha256(str(code).encode()).digest()
    return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(block))


def is_table(table: bytes) -> bool:
    """Tell whether a block begins like a table."""
    return table.startswith(_MARK)


def table_bytes(packets: int) -> int:
    """Return the length in bytes of the table for this number of packets."""
    return len(_MARK) + _FORMAT_BYTES * (packets - 1) if packets > 1 else 0


def table_symbols(code: int, packets: int) -> int:
    """Return the symbols of that table at the rate of a header of ``code`` symbols."""
    return num_packet_symbols(table_bytes(packets), header_scheme(code)) if packets > 1 else 0


def _codecs_by_id() -> dict[int, str]:
    names: dict[int, str] = {}
    for name in CODECS.names():
        taken = names.setdefault(_number(name), name)
        if taken != name:
            raise InputError(f"codecs {taken!r} and {name!r} share an id; rename one")
    return names


def _number(codec: str) -> int:
    return int.from_bytes(codec_id(codec), "big")
