"""Unequal protection against exhaustive search, and what a plan promises against simulation."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import theory
from channels.catalogue import CHANNELS
from channels.packets.adaptation import snr_states_db
from channels.packets.mcs import HEADER_BYTES, SCHEMES, find_scheme, header_scheme, thresholds
from channels.packets.packet import num_packet_symbols
from channels.packets.packet_errors import packet_error_rates
from channels.units import symbol_budget
from semcom.codecs.base import weighted_gain
from semcom.importance.maps import importance
from semcom.link.config import LinkConfig
from semcom.link.delivery import carry, deliver
from semcom.link.packet_allocation import NOT_SENT, Choices, allocate
from semcom.link.transmitter import transmit
from semcom.link.unequal_protection import expected_worth, plan_unequal, worth
from semcom.scores.psnr import weighted_psnr_db
from semcom.types import Bitstream, Mask, Packet


@pytest.fixture(scope="module")
def what(region):
    return importance([Mask(region)], *region.shape)


def random_choices(seed, nested):
    """A few packets of falling gain, some schemes as measured, a fading law, perhaps losses."""
    rng = np.random.default_rng(seed)
    channel = CHANNELS.create(["rayleigh", "rician:k_db=3", "awgn"][rng.integers(3)])
    states = snr_states_db(channel, rng.uniform(0, 20), 2, 1000)[::10]
    schemes = sorted(rng.choice(len(SCHEMES), rng.integers(1, 7), replace=False))
    sizes = rng.integers(20, 1500, rng.integers(1, 5))
    loss = rng.choice([0, 0.2])
    options = [(SCHEMES[i], copies) for i in schemes for copies in ((1, 2) if loss else (1,))][:6]
    arrivals = [
        [
            (1 - loss**n) * (1 - packet_error_rates(channel, states, scheme, int(size)))
            for scheme, n in options
        ]
        for size in sizes
    ]
    costs = [[n * num_packet_symbols(int(size), scheme) for scheme, n in options] for size in sizes]
    gains = rng.random(len(sizes)) * 2.0 ** -np.arange(len(sizes))
    weights = np.full(len(states), 1 / len(states))
    return Choices(gains, np.array(costs), np.array(arrivals), weights, nested)


@pytest.mark.parametrize("nested", [True, False])
def test_within_a_percent_of_exhaustive_search(nested):
    """Of the expected weighted squared error, of which 2 % no packet removes."""
    for seed in range(60):
        choices = random_choices(seed, nested)
        packets, options = choices.costs.shape
        budget = int(np.random.default_rng(seed).uniform(0.2, 1.2) * choices.costs.mean() * packets)
        every = map(np.array, itertools.product(range(NOT_SENT, options), repeat=packets))
        best = max(choices.expected_gain(c) for c in every if choices.cost(c) <= budget)
        chosen = allocate(choices, budget)
        assert choices.cost(chosen) <= budget
        error = 1.02 * choices.gains.sum()
        assert error - choices.expected_gain(chosen) <= 1.01 * (error - best), seed


def test_expected_gain_of_a_nested_stream_counts_what_all_before_it_let_through():
    arrivals = np.array([[[0.9, 0.5]], [[0.8, 0.1]]])
    choices = Choices(
        np.array([3.0, 1.0]),
        np.ones((2, 1), dtype=int),
        arrivals,
        np.array([0.5, 0.5]),
        nested=True,
    )
    by_hand = 0.5 * (0.9 * (3 + 0.8 * 1) + 0.5 * (3 + 0.1 * 1))
    assert choices.expected_gain(np.array([0, 0])) == pytest.approx(by_hand)
    assert choices.expected_gain(np.array([NOT_SENT, 0])) == 0
    alone = dataclasses.replace(choices, nested=False)
    assert alone.expected_gain(np.array([NOT_SENT, 0])) == pytest.approx(0.5 * 0.9)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), more=st.integers(1, 200))
def test_more_budget_never_hurts(seed, more):
    choices = random_choices(seed, seed % 2 == 0)
    gains = [choices.expected_gain(allocate(choices, budget)) for budget in (20 * more, 22 * more)]
    assert gains[1] >= gains[0] * (1 - 0.01)


def test_nothing_to_choose_from_is_refused():
    choices = random_choices(0, nested=True)
    with pytest.raises(ValueError, match="at least 1 symbol"):
        allocate(dataclasses.replace(choices, costs=0 * choices.costs), 100)


@pytest.mark.parametrize("scheme", [SCHEMES[0], SCHEMES[30], SCHEMES[80]])
def test_error_rates_invert_the_measured_thresholds(scheme):
    threshold = thresholds()[scheme, 1000]
    for bler in (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-5):
        assert threshold.bler(np.array(threshold.at(bler))) == pytest.approx(bler)
    awgn = CHANNELS.create("awgn")
    rates = packet_error_rates(awgn, np.array([-30.0, 60.0]), scheme, 125)
    assert rates == pytest.approx([1, 0], abs=1e-12)
    # A packet of several blocks is lost with any of them, and their own CRCs cost some rate.
    longest = max(b for s, b in thresholds() if s == scheme)
    blocks = math.ceil((64_000 + 24) / (longest + 24))
    rate = scheme.efficiency * np.array([1, 1 + 24 * blocks / 64_000])
    (crc_db,) = np.diff(theory.snr_db_of_information(scheme.bits_per_symbol, rate))
    state = np.array([thresholds()[scheme, longest].at(1e-2) + crc_db])
    whole = packet_error_rates(awgn, state, scheme, 8000)
    assert whole == pytest.approx([1 - 0.99**blocks], rel=0.2)


def test_states_follow_the_law_of_the_channel():
    """Outage of Rayleigh fading by its closed form; the mean gain is 1."""
    states = snr_states_db(CHANNELS.create("rayleigh"), 10.0, 2, 1000)
    for rate in (0.5, 1.0, 2.0):
        needed = 10 * math.log10(2**rate - 1)
        outage = theory.outage_rayleigh(10.0, rate)
        assert (states < needed).mean() == pytest.approx(outage, abs=1e-3)
    assert (10 ** (states / 10 - 1)).mean() == pytest.approx(1, abs=0.01)
    assert snr_states_db(CHANNELS.create("awgn"), 7.0, 4, 1000).tolist() == [7.0]


@pytest.mark.parametrize("protection", ["unequal", "graceful"])
def test_what_a_plan_expects_is_what_a_simulation_gives(photo, what, protection):
    """Mean removed error over draws of block fading, within 4 sigma of the plan's expectation."""
    link = LinkConfig("rayleigh", 8.0, protection=protection)
    sent = transmit(photo, what.w, codec="jpeg2000:layers=5", cbr=0.1, link=link)
    error = weighted_gain(photo, photo, what.w)
    gains = np.array([packet.gain for packet in sent.stream.packets])
    # How likely the first packets arrive, by the plan, and so the law of what is removed.
    reached = [expected_worth(one, sent.stream, sent.plan) for one in np.eye(len(gains))]
    exactly = -np.diff([1.0, *reached, 0.0])
    total = np.concatenate([[0.0], np.cumsum(gains)]) / error
    expected = exactly @ total
    sigma = math.sqrt(exactly @ (total - expected) ** 2 / 150)
    by_worth = expected_worth(gains, sent.stream, sent.plan) / error
    assert by_worth == pytest.approx(expected)
    removed = []
    for seed in range(150):
        packets = carry(sent, link, seed=seed).packets
        arrived = itertools.takewhile(lambda packet: packet is not None, packets)
        removed.append(total[len(list(arrived))])
    assert abs(np.mean(removed) - expected) < 4 * sigma


def test_without_the_table_the_first_packet_is_read(photo, what):
    """Which plans rely on: the table is sent less robustly than what comes before it."""
    link = LinkConfig("rayleigh", 10.0, protection="unequal")
    sent = transmit(photo, what.w, codec="jpeg2000:layers=4", cbr=0.25, link=link)
    assert sent.plan.table_code < sent.plan.header_symbols
    needed = thresholds()[header_scheme(sent.plan.table_code), 8 * HEADER_BYTES].at(1e-1)
    air = LinkConfig("awgn", needed - 2)
    first, *others = carry(sent, air, seed=0).packets
    assert first == sent.stream.packets[0].data
    assert others == [None] * (len(sent.stream.packets) - 1)


def test_unequal_protection_is_expected_to_beat_every_fixed_scheme(photo, what):
    error = weighted_gain(photo, photo, what.w)
    fixed = [
        transmit(photo, what.w, codec="jpeg2000:layers=1", cbr=0.1, link=equal)
        for equal in (LinkConfig("rayleigh", 10.0, scheme=one.name) for one in SCHEMES[:45:8])
    ]
    best = {}
    for kind in ("unequal", "graceful"):
        link = LinkConfig("rayleigh", 10.0, protection=kind)
        sent = transmit(photo, what.w, codec="jpeg2000:layers=6", cbr=0.1, link=link)
        own, *others = (
            expected_worth(worth(one.stream, link, error), one.stream, one.plan)
            for one in (sent, *fixed)
        )
        best[kind] = own, max(others)
    left = [error - gain for gain in best["unequal"]]
    assert left[0] < 0.85 * left[1]  # 0.7 dB of expected error
    assert best["graceful"][0] > best["graceful"][1]


def test_the_order_of_protection_is_that_of_importance(photo, what):
    """In a nested stream; with independent tiles, who matters more is sent more robustly."""
    link = LinkConfig("rayleigh", 10.0, protection="unequal")
    sent = transmit(photo, what.w, codec="jpeg2000:layers=6", cbr=0.1, link=link)
    robust = [p.scheme.efficiency / p.copies for p in sent.plan.packets]
    assert robust == sorted(robust)
    assert robust[0] < robust[-1]
    budget = symbol_budget(0.1, *photo.shape[:2])
    alike = Bitstream((Packet(bytes(300), 1.0), Packet(bytes(300), 9.0)))
    plan, _ = plan_unequal(alike, link, budget, 20.0)
    first, second = (p.scheme.efficiency / p.copies for p in plan.packets)
    assert second < first


def test_a_known_channel_needs_no_inequality(photo, what):
    """On AWGN, unequal protection does what equal protection does, up to its search."""
    equal, unequal = (
        deliver(photo, what, cbr=0.1, link=LinkConfig("awgn", 10, protection=kind)).scores
        for kind in ("equal", "unequal")
    )
    assert unequal["theta_psnr_db"] == pytest.approx(equal["theta_psnr_db"], abs=0.6)


def test_copies_outlive_packet_losses(photo, what):
    """Two copies over a network that loses a fifth: a packet is gone in one case of 25."""
    link = LinkConfig("awgn", 10, copies=2, losses="packet_erasure:p=0.2")
    sent = transmit(photo, what.w, codec="hevc", cbr=0.1, link=link)
    trials = 250
    lost = sum(carry(sent, link, seed=seed).packets[0] is None for seed in range(trials))
    assert abs(lost / trials - 0.04) < 4 * math.sqrt(0.04 * 0.96 / trials)


def test_copies_are_combined(photo, what):
    """Two copies reach 3 dB further than one."""
    needed = thresholds()[find_scheme("QPSK 0.588"), 8400].at(1e-2)
    for copies, offset_db, arrives in ((1, 1, True), (1, -1, False), (2, -2, True), (2, -4, False)):
        link = LinkConfig("awgn", needed + offset_db, scheme="QPSK 0.588", copies=copies)
        sent = transmit(photo, what.w, codec="jpeg", cbr=0.4, link=link)
        assert (carry(sent, link, seed=0).packets[0] is not None) == arrives


def test_losses_ask_for_copies_of_what_matters(photo, what):
    link = LinkConfig("awgn", 10, protection="unequal", losses="packet_erasure:p=0.2")
    sent = transmit(photo, what.w, codec="jpeg2000:layers=6", cbr=0.1, link=link)
    copies = [packet.copies for packet in sent.plan.packets]
    assert copies[0] >= 3
    assert copies[-1] < copies[0]


def test_a_sender_in_doubt_survives_what_loses_a_sure_one(photo, what):
    ranged = LinkConfig("awgn", 4.5, protection="graceful", planned_snr_db=10, planned_std_db=3)
    delivery = deliver(photo, what, codec="jpeg2000:layers=6", cbr=0.1, link=ranged)
    sure = LinkConfig("awgn", 4.5, planned_snr_db=10.0)
    lost = deliver(photo, what, codec="jpeg2000:layers=6", cbr=0.1, link=sure)
    assert not delivery.all_lost
    assert lost.all_lost
    assert "," in delivery.record["scheme"]
    better = dataclasses.replace(ranged, snr_db=12.0)
    more = deliver(photo, what, codec="jpeg2000:layers=6", cbr=0.1, link=better)
    gain = weighted_psnr_db(photo, more.received, what.w) - weighted_psnr_db(
        photo, delivery.received, what.w
    )
    assert gain > 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protection": "fair"}, "choices: equal, unequal, graceful"),
        ({"protection": "unequal", "scheme": "3"}, "chooses schemes and copies itself"),
        ({"copies": 5}, "copies must be 1 to 4, got 5"),
        ({"planned_std_db": -1.0}, "planned SNR must be 0 to 30 dB, got -1"),
        ({"planned_snr_db": math.nan}, "between -300 and 300"),
        ({"losses": "packet_erasur"}, "packet_erasure"),
        ({"losses": "packet_erasure:p=2"}, "p must be"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LinkConfig(**settings)


@pytest.mark.parametrize("protection", ["unequal", "graceful"])
def test_too_small_a_budget_says_what_would_do(photo, what, protection):
    link = LinkConfig("rayleigh", 10, protection=protection)
    with pytest.raises(ValueError, match="the smallest that fits is") as caught:
        transmit(photo, what.w, codec="jpeg2000", cbr=1e-4, link=link)
    enough = float(str(caught.value).split("fits is ")[1].split(" ")[0])
    sent = transmit(photo, what.w, codec="jpeg2000", cbr=enough, link=link)
    assert sent.num_uses <= sent.budget
