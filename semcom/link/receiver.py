"""The receiver: from received symbols to an image.

Everything here uses only the received symbols, the noise variance and the channel knowledge that
the model grants (:class:`channels.base.ChannelOutput`). Nothing is imported from the sender.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch.nn.functional import pad

from channels.base import ChannelOutput
from channels.packets.mcs import HEADER_BYTES, HEADER_SYMBOLS, header_scheme
from channels.packets.packet import decode_packet
from channels.packets.pilots import longest_frame, remove_pilots
from channels.registry import spec_of
from semcom.codecs.base import CODECS, AnalogCodec, DecodeError, grey, is_analog
from semcom.link.frame import Header, is_table, masked, read_analog, table_bytes, table_symbols
from semcom.types import Image

OWN_OPTIONS = ("device", "precision")
"""Options of codecs that each receiver chooses for itself: where and how it computes."""


@dataclass(frozen=True, eq=False)
class Reception:
    """The receiver's result for a frame."""

    image: Image | None
    """(H, W, 3) uint8; None if the header was lost, since then even the size is unknown."""
    header: Header | None
    packets: tuple[bytes | None, ...] = ()
    """Packets whose CRC holds, None for the others; for an analog codec, its side information."""
    analog: bool = False
    """Whether the symbols after the packets were used as well."""

    def shown(self, height: int, width: int) -> Image:
        """Return the picture that a viewer gets for this size: mid-grey without a header.

        A header whose CRC holds by chance may announce another size.
        """
        if self.image is None or self.image.shape[:2] != (height, width):
            return grey(height, width)
        return self.image

    @property
    def all_lost(self) -> bool:
        """Whether only mid-grey can be shown."""
        return not (self.analog or any(packet is not None for packet in self.packets))


def receive(
    received: ChannelOutput,
    *,
    num_pilots: int = 0,
    block_length: int = 0,
    schemes: str = "nr",
    arrivals: Callable[[int], Sequence[bool]] | None = None,
    codec: str = "",
) -> Reception:
    """Decode one frame.

    Parameters
    ----------
    received
        Symbols (num_symbols,), their gains and N0. With pilots the gains are ignored.
    num_pilots
        Pilots at the start of every coherence block; 0: use the gains in ``received``.
    block_length
        Length of a coherence block in symbols; 0: the whole frame is one block.
    schemes
        Name of the set of schemes to which the header refers.
    arrivals
        Function of the number of packets (every copy counts) that returns which of them a lossy
        network delivers, in the order of transmission. None: all.
    codec
        Codec of the receiver, of which the options in :data:`OWN_OPTIONS` count. The name of the
        codec, and everything else that it has to know, stands in the frame.
    """
    if num_pilots:
        end = longest_frame(len(received.y), num_pilots, block_length)
        if not end:
            return Reception(None, None)
        y, _, noise_var = received.part(0, end)
        received = remove_pilots(y, noise_var, num_pilots, block_length)
    found = _find_header(received, schemes)
    if found is None:
        return Reception(None, None)
    header, start, gap = found
    if CODECS.entry(header.codec).missing:  # the header cannot have been sent from here
        return Reception(None, None)
    packets, position = _decode_packets(received, header, start, gap, arrivals)
    decoder = CODECS.create(_with_own_options(header.codec, codec))
    if is_analog(decoder):
        known = gap or len(packets) == 1  # without the table, the start of the symbols is unknown
        behind = received.part(position, len(received.y))
        return _show_analog(decoder, header, packets, behind) if known else Reception(None, None)
    size = header.height, header.width
    lost: list[bytes | None] = [None] * len(packets)
    for arrived in (packets, lost):
        try:
            return Reception(decoder.decode(arrived, *size), header, tuple(arrived))
        except DecodeError:
            continue  # a CRC held by chance or the sender's version differs: treat it as lost
    return Reception(grey(*size), header, tuple(lost))


def _with_own_options(name: str, spec: str) -> str:
    """Return a codec's name, with those options of ``spec`` that a receiver chooses for itself."""
    if spec.partition(":")[0] != name:
        return name
    options = CODECS.parse(spec)[1]
    return spec_of(name, **{key: options[key] for key in OWN_OPTIONS if key in options})


def _show_analog(
    codec: AnalogCodec, header: Header, packets: list[bytes | None], behind: ChannelOutput
) -> Reception:
    """Decode as many symbols as the packets announce; missing ones count as not received."""
    size = header.height, header.width
    try:
        count, side = read_analog(header, packets)
        if count > 2 * len(behind.y):
            raise DecodeError(f"most of {count} symbols are missing")
        image = codec.decode(*_first(behind, count), side, *size)
    except DecodeError:  # for the same reasons as above
        return Reception(grey(*size), header, (None,) * len(packets))
    return Reception(image, header, tuple(packets), any(packet is not None for packet in packets))


def _decode_packets(
    received: ChannelOutput,
    header: Header,
    start: int,
    gap: int,
    arrivals: Callable[[int], Sequence[bool]] | None,
) -> tuple[list[bytes | None], int]:
    """Combine the copies of each packet that arrive, and decode them; return where they end.

    The table occupies a gap of ``gap`` symbols after the first packet.
    """
    order = list(header.order())
    arrived = arrivals(len(order)) if arrivals and order else [True] * len(order)
    copies: dict[int, list[ChannelOutput]] = {}
    behind_table = start + header.packets[0].num_symbols + gap
    position = start
    for (i, _), here in zip(order, arrived, strict=True):
        position = max(position, behind_table) if i else position
        end = position + header.packets[i].copy_symbols
        if here and end <= len(received.y):
            copies.setdefault(i, []).append(received.part(position, end))
        position = end
    packets: list[bytes | None] = [None] * len(header.packets)
    for i, receptions in copies.items():
        packet = header.packets[i]
        rvs = (0,) * len(receptions)
        packets[i] = decode_packet(receptions, packet.num_bytes, packet.scheme, rvs=rvs)
    return packets, max(position, behind_table)


def _find_header(received: ChannelOutput, schemes: str) -> tuple[Header, int, int] | None:
    """Try the possible lengths of a header.

    Return the header, its length, and that of the table (0 if there is none or it is lost).
    """
    for num_symbols in HEADER_SYMBOLS:
        if len(received.y) < num_symbols:
            break
        part = received.part(0, num_symbols)
        block = decode_packet(part, HEADER_BYTES, header_scheme(num_symbols))
        if block is None:
            continue
        block = masked(block, num_symbols)
        try:
            header = Header.unpack(block, b"", schemes)
            table = _find_table(received, header, num_symbols)
            return Header.unpack(block, table[0], schemes), num_symbols, table[1]
        except DecodeError:  # the CRC held by chance
            continue
    return None


def _find_table(received: ChannelOutput, header: Header, num_symbols: int) -> tuple[bytes, int]:
    """Try the possible rates of a table after the first packet; return it and its length."""
    packets, start = len(header.packets), num_symbols + header.packets[0].num_symbols
    for code in HEADER_SYMBOLS if packets > 1 else ():
        end = start + table_symbols(code, packets)
        if code > num_symbols or end > len(received.y):
            break
        part = received.part(start, end)
        table = decode_packet(part, table_bytes(packets), header_scheme(code))
        if table is not None and is_table(table := masked(table, code)):
            return table, end - start
    return b"", 0


def _first(received: ChannelOutput, count: int) -> ChannelOutput:
    """Return the first ``count`` symbols, with N0 of each; missing ones have a gain of 0."""
    y, h, noise_var = received.part(0, count)
    ends = (0, count - len(y))
    noise_var = pad(noise_var.expand(y.shape), ends, value=1.0)
    return ChannelOutput(pad(y, ends), pad(h, ends), noise_var)
