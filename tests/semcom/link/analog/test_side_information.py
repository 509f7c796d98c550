"""Side information of an analog codec, and where its frame ends: sent, paid for, lost."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from math import log1p, log10
from statistics import NormalDist

import numpy as np
import pytest
import torch

from channels.base import ChannelOutput
from semcom.codecs.softcast import Softcast
from semcom.link.analog_frame import encode_analog, plan_analog, side_snr_db
from semcom.link.config import LinkConfig
from semcom.link.delivery import deliver
from semcom.link.receiver import receive
from semcom.link.transmitter import transmit
from semcom.scores.psnr import psnr_db
from semcom.types import AnalogSignal, Packet
from tests.semcom.link.analog.links import LINKS, Pixels


class Fickle(Pixels):
    """The more symbols there are, the more side information it wants."""

    calls = 0

    def encode(self, image, w, num_symbols, snr_db):
        Fickle.calls += 1
        self.side = (Packet(bytes(1 + num_symbols // 40)),)
        return super().encode(image, w, num_symbols, snr_db)


def test_side_information_that_grows_converges(photo, what):
    signal, plan = encode_analog(Fickle(), photo, what.w, LINKS["awgn"], 10_000)
    assert 9_950 <= plan.num_uses <= 10_000
    assert len(signal.symbols) == plan.analog_symbols
    assert Fickle.calls <= 8


def test_side_information_is_safer_than_the_sender_planned():
    """What is sent for 10 dB is shown at 4 dB, too."""
    signal = AnalogSignal(torch.ones(10, dtype=torch.complex64), (Packet(bytes(500)),))
    efficiency = {}
    # The tenth that falls short most does so by 1.28 standard deviations.
    for planned in ((10, 0, 4), (10, 1, 4), (10, 6, 10 - 1.2816 * 6), (4, 0, -2)):
        link = LinkConfig("awgn", 10, planned_snr_db=planned[0], planned_std_db=planned[1])
        assert side_snr_db(link) == pytest.approx(planned[2], abs=1e-3)
        (packet,) = plan_analog(signal, link).packets
        efficiency[planned[:2]] = packet.scheme.efficiency
    assert efficiency[4, 0] < efficiency[10, 6] < efficiency[10, 0] == efficiency[10, 1]
    assert efficiency[10, 0] < np.log2(1 + 10**0.4)


def test_planned_for_10_db_shown_at_any_from_4_db_up(photo, what):
    link = LinkConfig("awgn", 10, planned_snr_db=10)
    qualities = []
    for snr_db in (4, 7, 10, 13, 16):
        delivery = deliver(
            photo,
            what,
            codec="softcast",
            cbr=Fraction(1, 6),
            link=dataclasses.replace(link, snr_db=snr_db),
        )
        assert delivery.record["packets_received"] == 1
        qualities.append(delivery.scores["theta_psnr_db"])
    assert (np.diff(qualities) > 0.7).all()


@pytest.mark.parametrize("codec", ["softcast", "jscc"])
def test_the_margin_is_how_far_the_channel_may_fall(photo, what, codec):
    """Just below the plan, nothing arrives without a margin; 12 dB below it, a picture with one."""
    lost = {}
    for margin, snr_db in ((0, 8), (12, 8), (12, -2), (12, -5)):
        link = LinkConfig("awgn", snr_db, planned_snr_db=10, side_margin_db=margin)
        lost[margin, snr_db] = deliver(
            photo, what, codec=codec, cbr=Fraction(1, 6), link=link
        ).all_lost
    assert lost == {(0, 8): True, (12, 8): False, (12, -2): False, (12, -5): True}


@pytest.mark.parametrize(("codec", "snr_db"), [("softcast", 10), ("jscc", 1)])
def test_at_the_planned_snr_a_margin_costs_quality(photo, what, codec, snr_db):
    qualities = []
    for margin in (0, 6, 12):
        link = LinkConfig("awgn", snr_db, side_margin_db=margin)
        delivery = deliver(photo, what, codec=codec, cbr=Fraction(1, 12), link=link)
        qualities.append(delivery.scores["theta_psnr_db"])
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[0] > qualities[2] + 0.5


class Told(Pixels):
    """It wants to know for which SNR its side information is protected."""

    told: float | None = None

    def encode(self, image, w, num_symbols, snr_db, side_snr_db=None):
        Told.told = side_snr_db
        return super().encode(image, w, num_symbols, snr_db)


@pytest.mark.parametrize(("margin", "told"), [(0, 10), (2.5, 7.5), (60, -50)])
def test_a_codec_is_told_for_which_snr_its_side_information_is_safe(photo, what, margin, told):
    link = LinkConfig("awgn", 10, side_margin_db=margin)
    encode_analog(Told(), photo, what.w, link, 10_000)
    assert Told.told == pytest.approx(told)


class Believer(Pixels):
    """A codec that is told which SNRs the sender believes in, and records them."""

    def encode(self, image, w, num_symbols, snr_db, snrs_db=None):
        self.snrs_db = snrs_db
        return super().encode(image, w, num_symbols, snr_db)


SHARES = 0.1, 0.3, 0.5, 0.7, 0.9


@pytest.mark.parametrize(
    ("link", "told"),
    [
        (LinkConfig("awgn", 10.0), [10.0]),
        (LinkConfig("rayleigh_fast", 10.0), [10.0]),
        (
            LinkConfig("awgn", 10.0, planned_snr_db=7.0, planned_std_db=3.0),
            [NormalDist(7, 3).inv_cdf(share) for share in SHARES],
        ),
        (LinkConfig("rayleigh", 10.0), [10 + 10 * log10(-log1p(-share)) for share in SHARES]),
    ],
    ids=["certain", "averaged", "unsure", "fading"],
)
def test_a_codec_is_told_the_snrs_that_the_sender_believes_in(photo, what, link, told):
    codec = Believer()
    encode_analog(codec, photo, what.w, link, 3000)
    assert codec.snrs_db == pytest.approx(told, abs=0.15)


def test_more_side_information_is_worth_it_where_it_is_cheap(photo, what):
    w = what.w
    sizes = [
        len(Softcast().encode(photo, w, 20_000, 10, side_snr_db).side[0].data)
        for side_snr_db in (-10, 0, 10)
    ]
    assert sizes[0] <= sizes[1] <= sizes[2]
    assert sizes[0] < sizes[2]
    usual, told = (Softcast().encode(photo, w, 20_000, 10, snr).side for snr in (None, 4))
    assert usual == told  # 6 dB below the plan, if it is not told


@pytest.mark.parametrize("margin", [-1, 61, float("nan")])
def test_a_senseless_margin_is_refused(margin):
    with pytest.raises(ValueError, match="margin of side information must be 0 to 60 dB, got"):
        LinkConfig("awgn", 10, side_margin_db=margin)


def test_all_lost_shows_grey_and_says_so(photo, what):
    link = LinkConfig("awgn", -30, planned_snr_db=10)
    delivery = deliver(photo, what, codec="softcast", cbr=Fraction(1, 4), link=link)
    assert delivery.all_lost
    assert (delivery.received == 128).all()
    assert delivery.record["packets_received"] == 0
    assert delivery.record["packets_sent"] == 1


def test_lost_side_information_is_told_to_the_codec(photo, what, pixels):
    pixels.side = (Packet(b"one"), Packet(b"two"))
    link = LinkConfig("awgn", 10, losses="packet_erasure:p=0.5")
    lost = set()
    for seed in range(12):
        delivery = deliver(photo, what, codec="pixels", cbr=Fraction(1, 4), link=link, seed=seed)
        lost.add(tuple(packet is None for packet in delivery.reception.packets))
        # The number of symbols stands in each packet.
        assert delivery.all_lost == all(packet is None for packet in delivery.reception.packets)
        assert delivery.all_lost == (delivery.received == 128).all()
        expected = [packet and packet[4:] for packet in delivery.reception.packets]
        assert pixels.seen[3] == expected
    assert len(lost) == 4
    delivery = deliver(
        photo,
        what,
        codec="softcast",
        cbr=Fraction(1, 4),
        link=LinkConfig("awgn", 10, losses="packet_erasure:p=1"),
    )
    assert (delivery.received == 128).all()


def test_what_is_no_side_information_is_as_good_as_lost(photo, what, pixels):
    pixels.side = (Packet(b"one"),)
    sent = transmit(photo, what.w, codec="pixels", cbr=Fraction(1, 4), link=LINKS["awgn"])
    pixels.side = (Packet(b"other"),)
    shown = receive(ChannelOutput(sent.x, torch.ones_like(sent.x), torch.tensor(1e-2)))
    assert shown.packets == (None,)
    assert shown.all_lost
    assert (shown.image == 128).all()


@pytest.mark.parametrize("name", ["awgn", "block, pilots", "one block, pilots"])
@pytest.mark.parametrize("side", [(), (Packet(b"one"), Packet(b"two"))])
def test_where_a_frame_ends_is_not_known_for_free(photo, what, pixels, name, side):
    """Symbols behind the frame change nothing, and those that are cut off were not received."""
    pixels.side, link = side, LINKS[name]
    sent = transmit(photo, what.w, codec="pixels", cbr=Fraction(1, 4), link=link)
    count = sent.plan.analog_symbols
    rng = torch.Generator().manual_seed(0)

    def shown(y):
        about = {"num_pilots": link.pilots, "block_length": link.block_length}
        received = ChannelOutput(y, torch.ones_like(y), torch.tensor(1e-2))
        return receive(received, **about).image, pixels.seen

    exact, (y, *_) = shown(sent.x)
    assert len(y) == count
    for more in (1, 7, 8, 9, 499, 500, 3000):
        noise = torch.randn(more, dtype=torch.complex64, generator=rng)
        again, (y, h, noise_var, told) = shown(torch.cat([sent.x, noise]))
        assert len(y) == len(h) == len(noise_var) == count
        assert told == [packet.data for packet in side]
        assert (again == exact).all()
    for less in (1, 9, 499, 3000):
        cut, (y, h, noise_var, _) = shown(sent.x[:-less])
        assert len(y) == len(h) == len(noise_var) == count
        assert cut.shape == exact.shape
        missing = less if not link.pilots else int((h == 0).sum())
        assert (h[:-missing] != 0).all()
        assert (h[-missing:] == 0).all()
        assert 0 < missing <= less
    most_lost, _ = shown(sent.x[: len(sent.x) // 3])
    assert most_lost is None or (most_lost == 128).all()


@pytest.mark.parametrize("snr_db", [4, 16])
def test_softcast_does_not_live_by_the_length_of_what_it_receives(photo, what, snr_db):
    link = LinkConfig("awgn", snr_db)
    sent = transmit(photo, what.w, codec="softcast", cbr=Fraction(1, 6), link=link)
    rng = torch.Generator().manual_seed(0)
    y, h, noise_var = link.build_channel()(sent.x, 10 ** (-snr_db / 10), rng)
    exact = receive(ChannelOutput(y, h, noise_var)).image
    longer = torch.cat([y, y[:1]]), torch.cat([h, h[:1]])
    assert (receive(ChannelOutput(*longer, noise_var)).image == exact).all()
    shorter = receive(ChannelOutput(y[:-20], h[:-20], noise_var)).image
    assert psnr_db(photo, shorter) > psnr_db(photo, exact) - 1


def test_a_cut_frame_never_crashes(photo, what):
    sent = transmit(photo, what.w, codec="softcast", cbr=Fraction(1, 4), link=LINKS["awgn"])
    for length in (1, 150, 300, 1000, sent.plan.data_symbols - sent.plan.analog_symbols, 20_000):
        y = sent.x[:length]
        shown = receive(ChannelOutput(y, torch.ones_like(y), torch.tensor(1e-2)))
        assert shown.image is None or shown.image.shape == photo.shape
