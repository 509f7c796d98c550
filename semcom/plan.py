"""A plan: how each packet of a frame is sent, and what that costs.

With equal protection all packets share one scheme, which the channel's law and the target decide
(:func:`plan_equal`). With unequal protection (:func:`plan_unequal`) each has its own, by what it
removes of the weighted squared error and by how likely it then arrives.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from channels.adaptation import (
    NUM_STATES,
    packet_error_rates,
    select_header,
    select_scheme,
    snr_states_db,
)
from channels.base import KnownLaw, max_symbols, num_uses
from channels.csi import num_pilot_symbols
from channels.mcs import HEADER_BYTES, HEADER_SYMBOLS, SCHEMES, Scheme, find_scheme, header_scheme
from channels.phy import max_packet_bytes, num_packet_symbols, packet_accounting
from semcom.agreement import Link
from semcom.frame import (
    MAX_COPIES,
    MAX_PACKET_BYTES,
    PacketFormat,
    table_bytes,
    table_symbols,
)
from semcom.protection import NOT_SENT, Array, Choices, allocate
from semcom.types import Bitstream

_MOST_SAMPLINGS = 5  # of a channel that is sampled, over the planned SNRs
UNSENT = PacketFormat(0, SCHEMES[0])


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


def plan_unequal(stream: Bitstream, link: Link, budget: int, error: float) -> tuple[Plan, float]:
    """Choose scheme and copies of each packet, and the rates of header and table.

    Parameters
    ----------
    stream
        The packets.
    link
        Its protection says what is to be gained.
    budget
        Channel uses.
    error
        Weighted squared error of showing mid-grey.

    Returns
    -------
    plan : Plan
        Of the first packets of a nested stream, or of all others; some of these may not be sent.
    gain : float
        Expected :func:`worth` of what arrives; minus infinity where nothing fits.
    """
    worths = worth(stream, link, error)
    count = len(stream.packets)
    while True:
        first = Bitstream(stream.packets[:count], nested=stream.nested)
        plan, gain = _plan_all(first, worths[:count], link, budget)
        sent = sum(packet.num_bytes > 0 for packet in plan.packets)
        if not stream.nested or sent in (0, count):
            return plan, gain
        count = sent  # a shorter table leaves room


def worth(stream: Bitstream, link: Link, error: float) -> Array:
    """Return what is gained by each packet, (packets,).

    Graceful protection gains decibels of weighted PSNR; they add up in a nested stream, and are
    taken to do so in others. Else the gain is the weighted squared error that is removed.
    """
    gains: Array = np.array([packet.gain for packet in stream.packets])
    if link.protection != "graceful":
        return gains
    left = np.maximum(error - np.cumsum(gains), 1e-6 * error)
    return np.asarray(-np.diff(10 * np.log10(left), prepend=10 * math.log10(max(error, 1e-9))))


def _plan_all(stream: Bitstream, worths: Array, link: Link, budget: int) -> tuple[Plan, float]:
    """Plan for all packets of a stream, each of which may not be sent."""
    options = _options(link.loss_rate)
    count, sizes = len(stream.packets), [len(packet.data) for packet in stream.packets]
    symbols = room(link, budget)
    choices = Choices(
        worths,
        np.array([[PacketFormat(n, *o).num_symbols for o in options] for n in sizes]),
        np.array([[_arrival(link, budget, count, n, *o) for o in options] for n in sizes]),
        np.array([1.0]),
        stream.nested,
    )
    unsent = Plan(link, HEADER_SYMBOLS[-1], HEADER_SYMBOLS[-1], (UNSENT,) * count)
    tried = {}

    def gain(header: int, code: int) -> float:
        if code > header:
            return -math.inf
        left = symbols - header - table_symbols(code, count)
        if left < choices.costs.min():
            return -math.inf
        known = _with_control(choices, link, budget, header, code)
        chosen = allocate(known, left)
        formats = tuple(
            UNSENT if k == NOT_SENT else PacketFormat(size, *options[k])
            for size, k in zip(sizes, chosen, strict=True)
        )
        tried[header, code] = Plan(link, header, code, formats), known.expected_gain(chosen)
        return tried[header, code][1]

    header = max(HEADER_SYMBOLS, key=lambda header: gain(header, header))
    if count > 1:  # the table may be less robust
        for code in reversed(HEADER_SYMBOLS):
            if code < header and gain(header, code) < max(g for _, g in tried.values()):
                break
    plan, best = max(tried.values(), key=lambda found: found[1], default=(unsent, -math.inf))
    return (plan, best) if any(packet.num_bytes for packet in plan.packets) else (unsent, -math.inf)


def _with_control(choices: Choices, link: Link, budget: int, header: int, code: int) -> Choices:
    """Let all packets depend on the header, and all but the first on the table."""
    count = len(choices.gains)
    weights = _control_arrival(link, budget, count, header, HEADER_BYTES)
    arrivals = choices.arrivals
    if count > 1:
        arrivals = arrivals.copy()
        table = _control_arrival(link, budget, count, code, table_bytes(count))
        arrivals[1 : 2 if choices.nested else None] *= table
    return dataclasses.replace(choices, arrivals=arrivals, weights=weights / len(weights))


def expected_worth(worths: Array, stream: Bitstream, plan: Plan, budget: int) -> float:
    """Return what arrives on average of what packets are worth, by the sender's knowledge."""
    count, formats = len(plan.packets), [(p.num_bytes, p.scheme, p.copies) for p in plan.packets]
    arrivals = [_arrival(plan.link, budget, count, *f)[None] for f in formats]
    choices = Choices(
        worths,
        np.ones((count, 1), dtype=np.int64),
        np.array(arrivals),
        np.array([1.0]),
        stream.nested,
    )
    known = _with_control(choices, plan.link, budget, plan.header_symbols, plan.table_code)
    chosen = [0 if packet.num_bytes else NOT_SENT for packet in plan.packets]
    return known.expected_gain(np.array(chosen))


def rates(link: Link, budget: int) -> tuple[int, int]:
    """Fewest and most payload bits worth trying with unequal protection.

    From half of what the worst states carry, or less where copies are lost, to what the best do.
    """
    channel = link.build_channel()
    symbols = max(1, max_symbols(channel, budget))

    def most(share: float) -> float:
        """Efficiency that works in all but this share of the states."""
        fitting = SCHEMES[:1]
        for scheme in SCHEMES:
            state = np.quantile(_states_db(link, budget, scheme.bits_per_symbol, 1), share)
            num_bytes = max(1, int(symbols * scheme.efficiency / 8))
            if packet_error_rates(channel, np.array(state), scheme, num_bytes) < 0.1:
                fitting = (*fitting, scheme)
        return max(scheme.efficiency for scheme in fitting)

    least = most(0.01) / (2 * MAX_COPIES if link.losses else 2)
    return max(8, int(symbols * least)), max(8, int(symbols * most(0.9)))


def _options(loss_rate: float) -> list[tuple[Scheme, int]]:
    """Ways to send a packet; without losses, copies only help below the most robust scheme."""
    copies = range(1, MAX_COPIES + 1)
    if loss_rate:
        return [(scheme, n) for scheme in SCHEMES for n in copies]
    return [(SCHEMES[0], n) for n in copies] + [(scheme, 1) for scheme in SCHEMES[1:]]


def _arrival(
    link: Link, budget: int, packets: int, num_bytes: int, scheme: Scheme, copies: int
) -> Array:
    """Probability that a packet arrives in each state: with as many copies as are not lost."""
    states = _states_db(link, budget, scheme.bits_per_symbol, packets)
    loss = link.loss_rate
    total = np.zeros(len(states))
    for n in range(1, copies + 1):
        share = math.comb(copies, n) * (1 - loss) ** n * loss ** (copies - n)
        if share:
            rates = packet_error_rates(
                link.build_channel(), states + 10 * math.log10(n), scheme, num_bytes
            )
            total += share * (1 - rates)
    return total


def _control_arrival(link: Link, budget: int, packets: int, code: int, num_bytes: int) -> Array:
    """Probability that header or table arrive in each state."""
    states = _states_db(link, budget, 2, packets)
    return 1 - packet_error_rates(link.build_channel(), states, header_scheme(code), num_bytes)


@functools.lru_cache(maxsize=32)
def _states_db(link: Link, budget: int, bits_per_symbol: int, packets: int) -> Array:
    """Equally likely SNRs by the law of the channel and what the sender takes for its mean.

    Where a packet takes a part of the frame that has its own state, the worst part counts.
    """
    channel, snrs = link.build_channel(), link.usable_snrs_db
    symbols = max(1, max_symbols(channel, budget))
    if not isinstance(channel, KnownLaw):  # each is a sampling of its own
        snrs = snrs[:: -(-len(snrs) // _MOST_SAMPLINGS)]
    states = [
        snr_states_db(channel, snr, bits_per_symbol, symbols, num_blocks=packets) for snr in snrs
    ]
    mixed: Array = np.sort(np.concatenate(states))
    if len(mixed) <= NUM_STATES:
        return mixed
    shares = (np.arange(NUM_STATES) + 0.5) / NUM_STATES
    return np.asarray(mixed[(shares * len(mixed)).astype(int)])


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
