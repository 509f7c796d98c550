"""Unequal protection of a stream: the scheme and the number of copies of each packet.

They depend on the weighted squared error that a packet removes and on its probability of arrival.
The channel's distribution gives the states (:func:`channels.packets.adaptation.snr_states_db`), the
measured thresholds give the error rate in each, and :mod:`semcom.link.packet_allocation` makes the
best choice.

Where the gain changes within a frame, a short block sees fewer fades than a long one, and its
states differ more. Header, table and packets therefore have states of their own, by their length.
They are taken to be good and bad together: the k-th worst state of one goes with that of another.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np

from channels.base import KnownInformation, KnownLaw, max_symbols
from channels.packets.adaptation import NUM_STATES, is_steady, snr_states_db
from channels.packets.mcs import HEADER_BYTES, HEADER_SYMBOLS, Scheme, header_scheme
from channels.packets.packet import num_code_blocks, num_packet_symbols
from channels.packets.packet_errors import packet_error_rates
from semcom.link.config import MAX_COPIES, NUM_PLANNED, LinkConfig
from semcom.link.frame import UNSENT, PacketFormat, table_bytes, table_symbols
from semcom.link.frame_plan import Plan, room
from semcom.link.packet_allocation import NOT_SENT, Array, Choices, allocate
from semcom.types import Bitstream

_FOR_STEADY = 500  # planned SNRs of a channel whose quality follows from them alone
_EXACT = 21  # of these, evenly spaced, between which the equivalent SNR is interpolated
_FOR_SIMULATED = 5  # planned SNRs at which a channel without a closed form is simulated


def plan_unequal(
    stream: Bitstream, link: LinkConfig, budget: int, error: float
) -> tuple[Plan, float]:
    """Choose scheme and copies of each packet, and the rates of header and table.

    Parameters
    ----------
    stream
        The packets.
    link
        Its protection determines what is maximised.
    budget
        Channel uses.
    error
        Weighted squared error of a mid-grey picture.

    Returns
    -------
    plan : Plan
        Plan for the first packets of a nested stream, or for all others; some may not be sent.
    gain : float
        Expected :func:`worth` of the packets that arrive; minus infinity if nothing fits.
    """
    worths = worth(stream, link, error)
    count = len(stream.packets)
    while True:
        first = Bitstream(stream.packets[:count], nested=stream.nested)
        plan, gain = _plan_all(first, worths[:count], link, budget)
        sent = sum(packet.num_bytes > 0 for packet in plan.packets)
        if not stream.nested or sent in (0, count):
            return plan, gain
        count = sent  # a shorter table leaves more room


def worth(stream: Bitstream, link: LinkConfig, error: float) -> Array:
    """Return the value of each packet, (packets,).

    Graceful protection counts decibels of weighted PSNR. These add up in a nested stream, and are
    assumed to do so in others. Otherwise the value is the weighted squared error that is removed.
    """
    gains: Array = np.array([packet.gain for packet in stream.packets])
    if link.protection != "graceful":
        return gains
    if error <= 0:  # mid-grey is the picture itself
        return np.zeros(len(gains))
    left = np.maximum(error - np.cumsum(gains), 1e-6 * error)
    return np.asarray(-np.diff(10 * np.log10(left), prepend=10 * math.log10(error)))


def _plan_all(
    stream: Bitstream, worths: Array, link: LinkConfig, budget: int
) -> tuple[Plan, float]:
    """Plan for all packets of a stream, any of which may be left out."""
    options = _options(link.loss_rate, link.allowed_schemes())
    count, sizes = len(stream.packets), [len(packet.data) for packet in stream.packets]
    symbols = room(link, budget)
    choices = Choices(
        worths,
        np.array([[PacketFormat(n, *o).num_symbols for o in options] for n in sizes]),
        np.array([[_arrival(link, n, *o) for o in options] for n in sizes]),
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
        known = _with_control(choices, link, header, code)
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


def _with_control(choices: Choices, link: LinkConfig, header: int, code: int) -> Choices:
    """Make all packets depend on the header, and all but the first on the table."""
    count = len(choices.gains)
    weights = _control_arrival(link, header, header, HEADER_BYTES)
    arrivals = choices.arrivals
    if count > 1:
        arrivals = arrivals.copy()
        table = _control_arrival(link, code, table_symbols(code, count), table_bytes(count))
        arrivals[1 : 2 if choices.nested else None] *= table
    return dataclasses.replace(choices, arrivals=arrivals, weights=weights / len(weights))


def expected_worth(worths: Array, stream: Bitstream, plan: Plan) -> float:
    """Return the expected value of the packets that arrive, as far as the sender knows."""
    count, formats = len(plan.packets), [(p.num_bytes, p.scheme, p.copies) for p in plan.packets]
    arrivals = [_arrival(plan.link, *f)[None] for f in formats]
    choices = Choices(
        worths,
        np.ones((count, 1), dtype=np.int64),
        np.array(arrivals),
        np.array([1.0]),
        stream.nested,
    )
    known = _with_control(choices, plan.link, plan.header_symbols, plan.table_code)
    chosen = [0 if packet.num_bytes else NOT_SENT for packet in plan.packets]
    return known.expected_gain(np.array(chosen))


def rates(link: LinkConfig, budget: int) -> tuple[int, int]:
    """Return the fewest and most payload bits worth trying with unequal protection.

    They range from half the rate of the worst states (less if copies are lost) to that of the best.
    """
    channel = link.build_channel()
    symbols = max(1, max_symbols(channel, budget))
    schemes = link.allowed_schemes()

    def most(share: float) -> float:
        """Return the efficiency that works in all but this share of the states."""
        fitting = schemes[:1]
        for scheme in schemes:
            state = np.quantile(states_db(link, symbols, scheme.bits_per_symbol), share)
            num_bytes = max(1, int(symbols * scheme.efficiency / 8))
            if packet_error_rates(channel, np.array(state), scheme, num_bytes) < 0.1:
                fitting = (*fitting, scheme)
        return max(scheme.efficiency for scheme in fitting)

    least = most(0.01) / (2 * MAX_COPIES if link.losses else 2)
    return max(8, int(symbols * least)), max(8, int(symbols * most(0.9)))


def _options(loss_rate: float, schemes: Sequence[Scheme]) -> list[tuple[Scheme, int]]:
    """List ways to send a packet; without losses, copies only help the most robust scheme."""
    copies = range(1, MAX_COPIES + 1)
    if loss_rate:
        return [(scheme, n) for scheme in schemes for n in copies]
    return [(schemes[0], n) for n in copies] + [(scheme, 1) for scheme in schemes[1:]]


def _arrival(link: LinkConfig, num_bytes: int, scheme: Scheme, copies: int) -> Array:
    """Return the probability of a packet's arrival in each state, with lost copies counted."""
    blocks = num_code_blocks(max(1, num_bytes), scheme)
    num_symbols = num_packet_symbols(max(1, num_bytes), scheme)
    states = states_db(link, num_symbols, scheme.bits_per_symbol, blocks)
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


def _control_arrival(link: LinkConfig, code: int, num_symbols: int, num_bytes: int) -> Array:
    """Return the probability that header or table arrive in each state."""
    states = states_db(link, num_symbols, 2)
    return 1 - packet_error_rates(link.build_channel(), states, header_scheme(code), num_bytes)


def states_db(link: LinkConfig, num_symbols: int, bits_per_symbol: int, blocks: int = 1) -> Array:
    """Return equally likely SNRs of a packet, from the channel's distribution and the assumed mean.

    If a code block takes a part of the packet that has its own state, the worst part counts.
    Lengths are rounded down to a power of two, so that few of them have to be simulated.
    """
    channel = link.build_channel()
    lasting = isinstance(channel, KnownLaw) and not getattr(channel, "block_length", 0)
    steady = lasting or isinstance(channel, KnownInformation)
    length = 1 if steady else 1 << (max(1, num_symbols).bit_length() - 1)
    return _states_of_length_db(link, length, bits_per_symbol, 1 if steady else blocks)


@functools.lru_cache(maxsize=256)
def _states_of_length_db(
    link: LinkConfig, num_symbols: int, bits_per_symbol: int, blocks: int
) -> Array:
    channel = link.build_channel()

    def states(snr_db: float) -> Array:
        return snr_states_db(channel, snr_db, bits_per_symbol, num_symbols, shares=(1,) * blocks)

    if is_steady(channel):
        snrs = link.usable_snrs_db(_FOR_STEADY)
        some = np.linspace(snrs[0], snrs[-1], min(len(snrs), _EXACT))
        return np.asarray(np.interp(snrs, some, [states(float(snr_db))[0] for snr_db in some]))
    number = NUM_PLANNED if isinstance(channel, KnownLaw) else _FOR_SIMULATED
    mixed: Array = np.sort(np.concatenate([states(one) for one in link.usable_snrs_db(number)]))
    # Some lengths have a law in closed form and others are simulated: the numbers must agree.
    blockwise = isinstance(channel, KnownLaw) and channel.coherence == "block"
    if len(mixed) <= NUM_STATES and not blockwise:
        return mixed
    shares = (np.arange(NUM_STATES) + 0.5) / NUM_STATES
    return np.asarray(mixed[(shares * len(mixed)).astype(int)])
