"""The best fixed scheme is that of an exhaustive search, for either of what is wanted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from channels.packets.mcs import SCHEMES, find_scheme
from experiments.running.best_fixed_scheme import best_fixed
from semcom.errors import InputError
from semcom.link.config import LinkConfig
from semcom.link.frame import Header
from semcom.link.frame_plan import most_bits, plan_equal
from semcom.link.transmitter import Transmission
from semcom.link.unequal_protection import expected_worth, worth
from semcom.types import Bitstream, Packet

BUDGET, ERROR = 3000, 1e6


def send(link: LinkConfig, layers: int) -> Transmission:
    """Send a made picture whose error halves with every 250 bytes, in as many as there is room."""
    room = most_bits(link, BUDGET) // 8
    if room < 20:
        raise InputError(f"{link.scheme} has no room")
    sizes = [room] if layers == 1 else [room // 4, room - room // 4 - 14]
    left = [ERROR * 2 ** (-size / 250) for size in np.cumsum([0, *sizes])]
    gains = -np.diff(left)
    packets = [Packet(bytes(size), gain) for size, gain in zip(sizes, gains, strict=True)]
    plan = plan_equal(link, BUDGET, sizes).plan
    header = Header("made", 16, 16, plan.packets)
    stream = Bitstream(tuple(packets), nested=layers > 1)
    return Transmission(torch.zeros(0), header, stream, plan, BUDGET)


def gain(sent: Transmission, best_for: str) -> float:
    """Expected gain: in squared error, or in decibels."""
    worths = worth(sent.stream, LinkConfig(protection=best_for), ERROR)
    return expected_worth(worths, sent.stream, sent.plan)


def scheme_of(sent: Transmission) -> str:
    (scheme,) = {packet.scheme.name for packet in sent.plan.packets}
    return scheme


@pytest.mark.parametrize("best_for", ["unequal", "graceful"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("snr_db", [3, 6, 10, 16, 25])
def test_none_of_all_schemes_is_better(snr_db: float, layers: int, best_for: str) -> None:
    link = LinkConfig("rayleigh", snr_db)
    tried = []

    def count(*, link: LinkConfig) -> Transmission:
        tried.append(link.scheme)
        return send(link, layers)

    chosen = best_fixed(count, link, best_for, ERROR)
    every = [send(replace(link, scheme=scheme.name), layers) for scheme in SCHEMES]
    best = max(every, key=lambda sent: gain(sent, best_for))
    assert scheme_of(chosen) == scheme_of(best)
    assert len(tried) < len(SCHEMES) / 4


def test_decibels_ask_for_more_bits_than_the_squared_error() -> None:
    """A picture's last bits remove little error, and as many decibels as its first."""
    link = LinkConfig("rayleigh", 10)
    for_error, for_psnr = (
        find_scheme(scheme_of(best_fixed(lambda *, link: send(link, 1), link, best_for, ERROR)))
        for best_for in ("unequal", "graceful")
    )
    assert for_psnr.efficiency > for_error.efficiency


def test_a_single_packet_trades_its_bits_for_how_likely_it_arrives() -> None:
    """By the law of the channel: the gain of a packet times the probability that it arrives."""
    link = LinkConfig("rayleigh", 10)
    chosen = best_fixed(lambda *, link: send(link, 1), link, "unequal", ERROR)
    (packet,) = chosen.stream.packets
    threshold = chosen.plan.packets[0].scheme.efficiency
    capacity_outage = 1 - np.exp(-(2**threshold - 1) / 10)
    assert gain(chosen, "unequal") < packet.gain * (1 - capacity_outage)
    assert gain(chosen, "unequal") > 0.85 * packet.gain * (1 - capacity_outage)


def test_a_scheme_between_those_that_are_tried_first_is_found() -> None:
    link, fits = LinkConfig("rayleigh", 10), SCHEMES[37].name

    def picky(*, link: LinkConfig) -> Transmission:
        if link.scheme != fits:
            raise InputError("does not fit")
        return send(link, 1)

    assert scheme_of(best_fixed(picky, link, "unequal", ERROR)) == fits


def test_where_nothing_fits_the_reason_is_told() -> None:
    with pytest.raises(ValueError, match="has no room"):
        best_fixed(lambda *, link: send(link, 1), LinkConfig("rayleigh", -10), "unequal", ERROR)
