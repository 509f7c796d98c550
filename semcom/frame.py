"""The frame: what is sent for one image, in order, and the header that announces it.

    header (QPSK, robust) │ lengths of further packets │ packet 1 │ packet 2 │ …

The header tells the codec, the size of the image, the scheme of the packets, their number and
the length of the first, 11 bytes; it is coded and paid for like everything else.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from channels.mcs import HEADER_BYTES, SCHEMES, Scheme, header_scheme
from channels.phy import num_packet_symbols
from semcom.codecs.base import CODECS, DecodeError, codec_id
from semcom.images import MAX_PIXELS

_FORMAT = ">HHHBBHB"
MAX_PACKET_BYTES = 0xFFFFFF
MAX_PACKETS = 255
assert struct.calcsize(_FORMAT) == HEADER_BYTES


@dataclass(frozen=True)
class Header:
    """What a receiver must know before it can decode packets."""

    codec: str
    """Registered name; 16 bits of its SHA-256 are sent."""
    height: int
    width: int
    scheme: Scheme
    packet_bytes: tuple[int, ...]
    """Length of each packet in bytes."""

    def pack(self) -> tuple[bytes, bytes]:
        """Return the header block and the lengths block (empty for a single packet)."""
        if not 1 <= len(self.packet_bytes) <= MAX_PACKETS:
            raise ValueError(
                f"a frame takes 1 to {MAX_PACKETS} packets, got {len(self.packet_bytes)}"
            )
        if max(self.packet_bytes) > MAX_PACKET_BYTES:
            raise ValueError(
                f"a packet takes at most {MAX_PACKET_BYTES} bytes, got {max(self.packet_bytes)}"
            )
        if max(self.height, self.width) > 0xFFFF:
            raise ValueError(f"a side takes at most 65535 pixels, got {self.width}x{self.height}")
        _codecs_by_id()  # an ambiguous name would be read as another codec's
        first, *others = self.packet_bytes
        block = struct.pack(
            _FORMAT,
            _number(self.codec),
            self.height,
            self.width,
            SCHEMES.index(self.scheme),
            len(self.packet_bytes),
            first >> 8,
            first & 0xFF,
        )
        return block, b"".join(length.to_bytes(3, "big") for length in others)

    @classmethod
    def unpack(cls, block: bytes, lengths: bytes) -> Header:
        """Read what :meth:`pack` wrote; raises ``DecodeError`` for what it never writes."""
        number, height, width, scheme, _, high, low = struct.unpack(_FORMAT, block)
        names = _codecs_by_id()
        if number not in names or scheme >= len(SCHEMES):
            raise DecodeError(f"header names codec {number:#06x}, scheme {scheme}: not known here")
        others = [int.from_bytes(lengths[i : i + 3], "big") for i in range(0, len(lengths), 3)]
        packet_bytes = (high << 8 | low, *others)
        if not 0 < height * width <= MAX_PIXELS or min(packet_bytes) < 1:
            raise DecodeError(f"header announces {width}x{height} pixels, packets {packet_bytes}")
        return cls(names[number], height, width, SCHEMES[scheme], packet_bytes)


def num_packets(block: bytes) -> int:
    """Read the number of packets from a header block."""
    return int(struct.unpack(_FORMAT, block)[4])


def control_symbols(header_symbols: int, packets: int) -> int:
    """Channel uses of the header and the lengths block."""
    if packets == 1:
        return header_symbols
    return header_symbols + num_packet_symbols(3 * (packets - 1), header_scheme(header_symbols))


def _codecs_by_id() -> dict[int, str]:
    names: dict[int, str] = {}
    for name in CODECS.names():
        taken = names.setdefault(_number(name), name)
        if taken != name:
            raise ValueError(f"codecs {taken!r} and {name!r} share an id; rename one")
    return names


def _number(codec: str) -> int:
    return int.from_bytes(codec_id(codec), "big")
