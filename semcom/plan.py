"""A plan: how each packet of a frame is sent, and what that costs.

With equal protection all packets share one scheme, which the channel's law and the target decide
(:func:`plan_equal`). With unequal protection each has its own (:mod:`semcom.unequal`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from channels.adaptation import select_header, select_scheme
from channels.base import max_symbols, num_uses
from channels.csi import num_pilot_symbols
from channels.mcs import Scheme, find_scheme
from channels.phy import max_packet_bytes, num_packet_symbols, packet_accounting
from semcom.agreement import Link
from semcom.frame import MAX_PACKET_BYTES, PacketFormat, table_symbols


@dataclass(frozen=True)
class Plan:
    """The packets of a frame."""

    link: Link
    header_symbols: int
    table_code: int
    """The table has the rate of a header of so many symbols."""
    packets: tuple[PacketFormat, ...]
    analog_symbols: int = 0
    """Symbols of an analog codec, behind the packets."""

    @property
    def control_symbols(self) -> int:
        """Symbols of header and table."""
        return self.header_symbols + table_symbols(self.table_code, len(self.packets))

    @property
    def data_symbols(self) -> int:
        """Symbols of the frame without pilots."""
        packets = sum(packet.num_symbols for packet in self.packets)
        return self.control_symbols + packets + self.analog_symbols

    @property
    def num_symbols(self) -> int:
        """Symbols of the frame."""
        return self.data_symbols + _pilots(self.link, self.data_symbols)

    @property
    def num_uses(self) -> int:
        """Channel uses of the frame."""
        return num_uses(self.link.build_channel(), self.num_symbols)

    def accounting(self) -> dict[str, Fraction]:
        """Channel uses by what they carry.

        Where antennas send several symbols at a time, each takes its share of a use; what the
        channel takes beyond that (OFDM's pilots and prefix, rounding) is ``overhead``. Further
        copies of a packet are parity.
        """
        control = self.control_symbols
        items = {"payload": Fraction(0), "crc": Fraction(0), "parity": Fraction(0)}
        for packet in self.packets:
            if packet.num_bytes:
                for item, uses in packet_accounting(packet.num_bytes, packet.scheme).items():
                    items[item] += uses
                items["parity"] += (packet.copies - 1) * packet.copy_symbols
        if self.analog_symbols:
            items["analog"] = Fraction(self.analog_symbols)
        pilots = _pilots(self.link, self.data_symbols)
        items = {"header": Fraction(control), "pilots": Fraction(pilots), **items}
        channel = self.link.build_channel()
        share = Fraction(1, int(getattr(channel, "num_streams", 1)))
        paid = {item: share * count for item, count in items.items()}
        return {**paid, "overhead": self.num_uses - sum(paid.values(), Fraction(0))}


class Equal(NamedTuple):
    """One scheme and number of copies for all packets."""

    link: Link
    header_symbols: int
    scheme: Scheme

    def plan(self, sizes: tuple[int, ...]) -> Plan:
        """Return the frame of packets of these lengths in bytes."""
        copies = self.link.copies
        packets = tuple(PacketFormat(size, self.scheme, copies) for size in sizes)
        return Plan(self.link, self.header_symbols, self.header_symbols, packets)

    def max_bits(self, budget: int, packets: int) -> int:
        """Payload bits that surely fit into ``budget`` channel uses with so many packets."""
        control = self.header_symbols + table_symbols(self.header_symbols, packets)
        left = (room(self.link, budget) - control) // self.link.copies
        # Packets but the last may each waste part of a symbol and part of a byte.
        waste = (packets - 1) * (num_packet_symbols(0, self.scheme) + 1)
        most = max_packet_bytes(left - waste, self.scheme) - (packets - 1)
        return 8 * max(0, min(most, packets * MAX_PACKET_BYTES))


def plan_equal(link: Link, budget: int, packets: int) -> Equal:
    """Choose the scheme and the header for ``budget`` channel uses with so many packets."""
    channel, snr_db = link.build_channel(), link.usable_snr_db
    symbols = max(1, max_symbols(channel, budget))
    scheme = (
        find_scheme(link.scheme)
        if link.scheme
        else select_scheme(channel, snr_db, symbols, link.target, num_packets=packets)
    )
    return Equal(link, select_header(channel, snr_db, link.target), scheme)


def room(link: Link, budget: int) -> int:
    """Symbols within ``budget`` channel uses, pilots set aside."""
    data = symbols = max_symbols(link.build_channel(), budget)
    while data > 0 and data + _pilots(link, data) > symbols:
        data -= max(1, data + _pilots(link, data) - symbols)
    return data


def _pilots(link: Link, num_data: int) -> int:
    if not link.pilots:
        return 0
    return num_pilot_symbols(num_data, link.pilots, link.block_length)
