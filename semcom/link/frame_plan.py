"""The plan of a frame: how each packet is sent, and what that costs.

With equal protection the channel's distribution and the target determine the scheme of each packet,
depending on its length (:func:`plan_equal`). With unequal protection, more important packets are
sent more robustly (:mod:`semcom.link.unequal_protection`).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from channels.base import Channel, max_symbols, num_uses
from channels.packets.mcs import HEADER_BYTES, HEADER_SYMBOLS
from channels.packets.packet import max_packet_bytes, packet_accounting
from channels.packets.pilots import num_pilot_symbols
from channels.packets.selection import (
    Ways,
    control_margin_db,
    packet_ways,
    select_header,
    select_scheme,
)
from channels.packets.target import Target
from semcom.link.config import LinkConfig
from semcom.link.frame import MAX_PACKET_BYTES, PacketFormat, table_bytes, table_symbols


@dataclass(frozen=True)
class Plan:
    """The formats of a frame's packets."""

    link: LinkConfig
    header_symbols: int
    table_code: int
    """Length in symbols of a header with the same rate as the table."""
    packets: tuple[PacketFormat, ...]
    analog_symbols: int = 0
    """Symbols of an analog codec, after the packets."""

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

        If antennas send several symbols at a time, each symbol takes its share of a use. Further
        uses of the channel (OFDM's pilots and prefix, rounding) are ``overhead``. Additional copies
        of a packet are parity.
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


_BLOCK_BITS = 8448  # of information in the longest code block


class Equal(NamedTuple):
    """A frame with equal protection of its packets."""

    plan: Plan
    needed: int
    """Symbols that the target requires; the plan has no fewer."""


def plan_equal(link: LinkConfig, budget: int, sizes: Sequence[int]) -> Equal:
    """Protect packets of these lengths in bytes equally, as well as ``budget`` channel uses allow.

    Every packet uses the most efficient scheme that exceeds the target's requirement for its length
    by a common margin in dB; header and table keep the same margin. The margin is the largest that
    fits, or 0 if even that does not fit, and the plan then exceeds the budget.
    """
    channel, snr_db = link.build_channel(), link.usable_snr_db
    schemes = link.allowed_schemes()
    symbols = max(1, max_symbols(channel, budget))
    blocks = sum(math.ceil(8 * size / _BLOCK_BITS) for size in sizes)
    packets_db = link.usable_snr_of_frame_db(symbols, max(1, blocks))
    packets = packet_ways(channel, packets_db, sizes, symbols, link.target, schemes=schemes)
    control = control_ways(channel, snr_db, link.target, len(sizes))

    def needed(margin_db: float) -> int:
        return link.copies * packets.cost(margin_db) + control.cost(margin_db)

    margins = np.append(packets.margins_db, control.margins_db)
    levels = [0.0, *([] if link.scheme else np.unique(margins[margins > 0]).tolist())]
    left = room(link, budget)
    fitting = bisect.bisect(levels, False, key=lambda margin_db: needed(margin_db) > left)
    margin_db = levels[max(fitting - 1, 0)]
    chosen = [schemes[k] for k in packets.choose(margin_db)]
    formats = tuple(
        PacketFormat(size, scheme, link.copies) for size, scheme in zip(sizes, chosen, strict=True)
    )
    code = HEADER_SYMBOLS[control.choose(margin_db)[0]]
    return Equal(Plan(link, code, code, formats), needed(0.0))


def control_ways(channel: Channel, snr_db: float, target: Target, packets: int) -> Ways:
    """Compare the rates of header and table for a frame of this many packets."""
    lengths = [HEADER_BYTES, *([table_bytes(packets)] if packets > 1 else [])]
    costs = [code + table_symbols(code, packets) for code in HEADER_SYMBOLS]
    margins = [
        min(control_margin_db(channel, snr_db, code, length, target) for length in lengths)
        for code in HEADER_SYMBOLS
    ]
    return Ways(np.array([costs]), np.array([margins]))


def most_bits(link: LinkConfig, budget: int) -> int:
    """Return the payload bits that one packet carries in ``budget`` channel uses."""
    channel, snr_db = link.build_channel(), link.usable_snr_db
    symbols = max(1, max_symbols(channel, budget))
    allowed = link.allowed_schemes()
    scheme = (
        allowed[0]
        if link.scheme
        else select_scheme(channel, snr_db, symbols, link.target, schemes=allowed)
    )
    header = select_header(channel, snr_db, link.target)
    left = (room(link, budget) - header) // link.copies
    return 8 * max(0, min(max_packet_bytes(left, scheme), MAX_PACKET_BYTES))


def room(link: LinkConfig, budget: int) -> int:
    """Return the symbols that fit into ``budget`` channel uses after pilots."""
    data = symbols = max_symbols(link.build_channel(), budget)
    while data > 0 and data + _pilots(link, data) > symbols:
        data -= max(1, data + _pilots(link, data) - symbols)
    return data


def _pilots(link: LinkConfig, num_data: int) -> int:
    if not link.pilots:
        return 0
    return num_pilot_symbols(num_data, link.pilots, link.block_length)
