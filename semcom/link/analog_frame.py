"""The plan of a frame of an analog codec: side information in packets, then symbols.

The number of symbols left for the codec depends on the size of its side information, which depends
on the number of symbols. The codec therefore encodes first with an estimate and then with what is
left; if that is too much again, with a number in between.

With an analog codec, a worse channel makes the picture worse but does not lose it. Its side
information must be as reliable: header and packets are protected for an SNR that is lower than the
planned one by a margin (6 dB unless the link says otherwise), or lower still if the sender is less
certain of it, and for the fading that the target allows for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from channels.packets.mcs import HEADER_SYMBOLS
from channels.packets.selection import packet_ways
from semcom.codecs.base import (
    AnalogCodec,
    least_symbols,
    takes_belief,
    takes_room,
    takes_side_snr,
)
from semcom.errors import InputError
from semcom.link.config import LinkConfig
from semcom.link.frame import MAX_PACKETS, PacketFormat, analog_packets
from semcom.link.frame_plan import Plan, control_ways, room
from semcom.link.unequal_protection import states_db
from semcom.types import AnalogSignal, Image, Map

POWER_TOLERANCE = 0.01
"""Accepted deviation from 1 of the mean power of an analog codec's symbols."""
_BELIEVED = 5
"""SNRs that stand for the sender's belief."""
_BITS_PER_SYMBOL = 2  # of the information by which channels that vary within a frame are averaged
_ROUNDS = 8
_UNUSED = 0.002  # accepted share of unused symbols


def encode_analog(
    encoder: AnalogCodec, image: Image, w: Map, link: LinkConfig, budget: int
) -> tuple[AnalogSignal, Plan]:
    """Encode into a frame of at most ``budget`` channel uses.

    Returns
    -------
    signal, plan
        The signal and its frame. If not even the codec's least number of symbols fits, a frame that
        exceeds the budget.

    Raises
    ------
    ValueError
        Unequal protection, which needs packets, or a signal that breaks its contract.
    """
    if link.protection != "equal":
        raise InputError(f"{link.protection} protection is for digital codecs; this one is analog")
    snr_db, symbols = _mean_snr_db(link), room(link, budget)
    num_symbols = symbols - _header(link, 1)
    told: dict[str, Any] = {}
    if takes_side_snr(encoder):
        told["side_snr_db"] = side_snr_db(link)
    if takes_belief(encoder):
        told["snrs_db"] = _believed_snrs_db(link, num_symbols)
    if takes_room(encoder):
        told |= {"room": num_symbols, "side_rate": _side_rate(link, num_symbols)}

    least = max(1, least_symbols(encoder, *w.shape))
    best, fits, too_many = None, least - 1, num_symbols + 1

    def attempt(num_symbols: int) -> tuple[AnalogSignal, Plan]:
        signal = encoder.encode(image, w, num_symbols, snr_db, **told)
        _check(signal, num_symbols)
        return signal, plan_analog(signal, link)

    for _ in range(_ROUNDS):
        if not fits < num_symbols < too_many:
            num_symbols = (fits + too_many) // 2
        if too_many - fits < 2:
            break
        signal, plan = attempt(num_symbols)
        unused = symbols - plan.data_symbols
        if unused < 0:
            too_many = num_symbols
        else:
            fits = num_symbols
            if best is None or plan.data_symbols > best[1].data_symbols:
                best = signal, plan
            if unused <= _UNUSED * symbols or plan.analog_symbols < num_symbols:
                break
        num_symbols = symbols - (plan.data_symbols - plan.analog_symbols)
    return best or attempt(least)


def plan_analog(signal: AnalogSignal, link: LinkConfig) -> Plan:
    """Choose the format of the side information's packets."""
    channel, snr_db = link.build_channel(), side_snr_db(link)
    sizes = [len(packet.data) for packet in analog_packets(signal)]
    schemes = link.allowed_schemes()
    length = 8 * sum(sizes)
    for _ in range(2):  # the schemes determine the length, and the length the schemes
        length = 1 << int(math.log2(length))  # few different lengths, since sampling is slow
        ways = packet_ways(channel, snr_db, sizes, length, link.target, schemes=schemes)
        length = ways.cost(0.0)
    code = _header(link, len(sizes))
    packets = tuple(
        PacketFormat(size, schemes[k], link.copies)
        for size, k in zip(sizes, ways.choose(0.0), strict=True)
    )
    return Plan(link, code, code, packets, len(signal.symbols))


def side_snr_db(link: LinkConfig) -> float:
    """Return the SNR in dB for which side information is protected."""
    return min(link.usable_snr_db, _mean_snr_db(link) - link.side_margin_db)


def _side_rate(link: LinkConfig, num_symbols: int) -> float:
    """Return the bits per channel use of side information that takes a quarter of the symbols."""
    schemes = link.allowed_schemes()
    length = 1 << int(math.log2(max(num_symbols / 4, 64)))
    about = link.build_channel(), side_snr_db(link), [length // 8], length, link.target
    return length / link.copies / packet_ways(*about, schemes=schemes).cost(0.0)


def _header(link: LinkConfig, packets: int) -> int:
    ways = control_ways(link.build_channel(), side_snr_db(link), link.target, packets)
    return HEADER_SYMBOLS[ways.choose(0.0)[0]]


def _mean_snr_db(link: LinkConfig) -> float:
    snrs_db = link.usable_snrs_db()
    return sum(snrs_db) / len(snrs_db)


def _believed_snrs_db(link: LinkConfig, num_symbols: int) -> tuple[float, ...]:
    """Return a few equally likely SNRs of the frame, from the channel and the sender's belief."""
    states = states_db(link, num_symbols, _BITS_PER_SYMBOL)
    middles = (np.arange(_BELIEVED) + 0.5) / _BELIEVED
    return tuple(np.unique(np.quantile(states, middles)).tolist())


def _check(signal: AnalogSignal, num_symbols: int) -> None:
    """Refuse a signal that breaks the contract of analog codecs."""
    x = signal.symbols
    if not x.is_complex() or x.ndim != 1:
        raise InputError(f"codec made {x.dtype} of shape {tuple(x.shape)} instead of symbols")
    if len(x) > num_symbols:
        raise InputError(f"codec made {len(x)} symbols, but {num_symbols} were allowed")
    power = float(x.abs().square().mean()) if len(x) else 1.0
    if not abs(power - 1) <= POWER_TOLERANCE:
        raise InputError(f"codec made symbols of mean power {power:.4g} instead of 1")
    if len(signal.side) > MAX_PACKETS or not all(packet.data for packet in signal.side):
        raise InputError(
            f"codec made {len(signal.side)} packets of side information, some perhaps empty; "
            f"a frame takes at most {MAX_PACKETS}, none of them empty"
        )
