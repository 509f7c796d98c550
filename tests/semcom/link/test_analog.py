"""An analog codec across a channel: budget, accounting, side information, an honest receiver."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from channels.base import ChannelOutput, num_uses
from channels.registry import Entry
from channels.units import symbol_budget
from semcom.codecs.base import CODECS, DecodeError, grey
from semcom.importance.maps import importance
from semcom.link.analog_frame import encode_analog, plan_analog, side_snr_db
from semcom.link.config import LinkConfig
from semcom.link.delivery import deliver
from semcom.link.receiver import receive
from semcom.link.transmitter import transmit
from semcom.scores.psnr import psnr_db
from semcom.types import AnalogSignal, Mask, Packet

LINKS = {
    "awgn": LinkConfig("awgn", 10),
    "awgn low": LinkConfig("awgn", 0),
    "block, genie": LinkConfig("rayleigh", 20),
    "block, pilots": LinkConfig("rayleigh:block_length=500", 20, "pilots", 8),
    "one block, pilots": LinkConfig("rician:k_db=9", 15, "pilots", 4),
    "ofdm": LinkConfig("ofdm:over=tdl_a", 15),
    "mimo": LinkConfig("mimo:antennas=2x2", 15),
    "copies": LinkConfig("awgn", 10, copies=3),
    "fixed": LinkConfig("awgn", 12, scheme="16-QAM 0.499"),
    "unsure": LinkConfig("awgn", 10, planned_std_db=6),
}


@pytest.fixture(scope="module")
def what(region):
    return importance([Mask(region)], *region.shape)


class Pixels:
    """Grey levels of so many pixels as amplitudes; ``side`` packets of nothing, at first none."""

    analog = True
    steerable = False
    side: tuple[Packet, ...] = ()
    seen: tuple[object, ...] = ()

    def encode(self, image, w, num_symbols, snr_db):  # noqa: ARG002
        count = min(num_symbols, w.size)
        values = torch.from_numpy(image[..., 0].ravel()[:count] - 127.5).to(torch.complex64)
        return AnalogSignal(values / values.abs().square().mean().sqrt(), self.side)

    def decode(self, y, h, noise_var, side, height, width):
        Pixels.seen = y, h, noise_var, side
        if not {*side} <= {None, *(packet.data for packet in self.side)}:
            raise DecodeError("not mine")
        shown = grey(height, width)
        values = 127.5 + 60 * (y / h).nan_to_num().real.numpy()
        shown.reshape(-1, 3)[: len(y)] = np.clip(values, 0, 255)[:, None]
        return shown


@pytest.fixture
def pixels(monkeypatch):
    """``codec="pixels"``, whose side information is that of the class."""
    entry = Entry("pixels", f"{__name__}:Pixels")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(CODECS, "_entries", {**CODECS._entries, "pixels": entry})
    monkeypatch.setattr(Pixels, "side", ())
    target = CODECS.load
    monkeypatch.setattr(CODECS, "load", lambda name: Pixels if name == "pixels" else target(name))
    return Pixels


@pytest.mark.parametrize("cbr", [Fraction(1, 4), Fraction(1, 48)])
@pytest.mark.parametrize("name", LINKS)
def test_budget_is_kept_and_the_items_add_up(photo, what, name, cbr):
    link = LINKS[name]
    sent = transmit(photo, what.w, codec="softcast", cbr=cbr, link=link)
    assert sent.budget == symbol_budget(cbr, *photo.shape[:2])
    assert sent.num_uses == num_uses(link.build_channel(), len(sent.x)) <= sent.budget
    least = 0.9 if name == "ofdm" else 0.95  # it sends whole slots
    assert sent.num_uses >= least * sent.budget
    items = sent.accounting
    assert sum(items.values()) == sent.num_uses
    assert all(uses >= 0 for uses in items.values())
    streams = 2 if name == "mimo" else 1
    assert streams * items["analog"] == sent.plan.analog_symbols > 0
    assert (items["pilots"] > 0) == (link.csi == "pilots")
    (packet,) = sent.header.packets
    assert streams * items["payload"] * packet.scheme.bits_per_symbol == sent.stream.num_bits
    power = float(sent.x.abs().square().mean())
    assert power == pytest.approx(1, abs=0.02)
    assert float(sent.x[-1000:].abs().square().mean()) > 0.2  # no silence at the end


def test_a_digital_codec_has_no_analog_item(photo, what):
    sent = transmit(photo, what.w, codec="jpeg", cbr=Fraction(1, 4), link=LINKS["awgn"])
    assert "analog" not in sent.accounting


RECEIVER = """
import sys, numpy as np, torch
from channels.base import ChannelOutput
from semcom.link.receiver import receive
from semcom.scores.psnr import psnr_db
data = np.load(sys.argv[1])
air = ChannelOutput(*(torch.from_numpy(data[k]) for k in ("y", "h", "noise_var")))
shown = receive(air, num_pilots=int(data["num_pilots"]), block_length=int(data["block_length"]))
np.save(sys.argv[2], shown.image)
senders = ("semcom.link.transmitter", "semcom.link.analog_frame",
"semcom.link.delivery")
assert not any(name.startswith(senders) for name in sys.modules)
"""


@pytest.mark.parametrize("name", ["awgn", "one block, pilots", "block, pilots", "mimo", "ofdm"])
def test_receiver_alone_in_another_process_sees_the_same(photo, what, name, tmp_path):
    link = LINKS[name]
    delivery = deliver(photo, what, codec="softcast", cbr=Fraction(1, 4), link=link, seed=1)
    assert delivery.scores["psnr_db"] > 25
    rng = torch.Generator().manual_seed(1)
    air = link.build_channel()(delivery.transmission.x, 10 ** (-link.snr_db / 10), rng)
    h = torch.zeros_like(air.h) if link.csi == "pilots" else air.h  # pilots: h is not looked at
    about = {"num_pilots": link.pilots, "block_length": link.block_length}
    np.savez(tmp_path / "air.npz", y=air.y, h=h, noise_var=air.noise_var, **about)
    command = [sys.executable, "-c", RECEIVER, "air.npz", "shown.npy"]
    subprocess.run(command, cwd=tmp_path, check=True)
    shown = np.load(tmp_path / "shown.npy").astype(int)
    assert np.abs(shown - delivery.received).max() <= 1


@pytest.mark.parametrize("name", ["awgn", "block, pilots", "ofdm"])
def test_the_codec_gets_its_own_symbols(photo, what, pixels, name):
    """By the gains and N0 that it is given, what it sent comes out but for the noise."""
    pixels.side = (Packet(b"one"), Packet(b"two"))
    link = LINKS[name]
    delivery = deliver(photo, what, codec="pixels", cbr=Fraction(1, 4), link=link, seed=3)
    sent, (y, h, noise_var, side) = delivery.transmission, pixels.seen
    assert side == [b"one", b"two"]
    assert y.shape == h.shape == noise_var.shape == (sent.plan.analog_symbols,)
    x = pixels().encode(photo, what.w, len(y), 10).symbols
    misfit = ((y - h * x).abs().square() / noise_var).mean()
    assert float(misfit) == pytest.approx(1, abs=0.1)
    assert delivery.record["packets_sent"] == delivery.record["packets_received"] == 2


def test_a_codec_may_have_no_side_information(photo, what, pixels):
    delivery = deliver(photo, what, codec="pixels", cbr=Fraction(1, 4), link=LINKS["awgn"])
    assert pixels.seen[3] == []
    record = delivery.record
    assert record["packets_sent"] == record["packets_received"] == 1  # the number of symbols
    assert record["num_bits"] == 32
    assert record["scheme"].startswith("analog, ")
    assert not delivery.all_lost
    assert delivery.scores["psnr_db"] > 10
    sent = delivery.transmission
    assert sent.num_uses == sent.budget == sent.plan.data_symbols


def test_what_a_codec_may_not_make_is_refused(photo, what, pixels, monkeypatch):
    made = pixels().encode
    x = made(photo, what.w, 100, 10).symbols
    for signal, message in (
        (AnalogSignal(1.1 * x), "mean power 1.21 instead of 1"),
        (AnalogSignal(x.real), "float32"),
        (AnalogSignal(x[None]), r"shape \(1, 100\)"),
        (AnalogSignal(x * float("nan")), "power nan"),
        (AnalogSignal(x, (Packet(b""),)), "none of them empty"),
        (AnalogSignal(x, (Packet(b"a"),) * 256), "256 packets"),
        (AnalogSignal(made(photo, what.w, 38_000, 10).symbols), "38000 symbols, but 28608 were"),
    ):
        monkeypatch.setattr(pixels, "encode", lambda *_, signal=signal: signal)
        with pytest.raises(ValueError, match=message):
            transmit(photo, what.w, codec="pixels", cbr=Fraction(1, 4), link=LINKS["awgn"])


@pytest.mark.parametrize("protection", ["unequal", "graceful"])
def test_unequal_protection_is_refused(photo, what, protection):
    link = LinkConfig("awgn", 10, protection=protection)
    with pytest.raises(ValueError, match=f"^{protection} protection is for digital codecs"):
        transmit(photo, what.w, codec="softcast", cbr=Fraction(1, 4), link=link)


@pytest.mark.parametrize("name", ["awgn", "block, pilots", "mimo"])
def test_too_small_a_budget_names_the_smallest_that_works(photo, what, name):
    link = LINKS[name]
    with pytest.raises(ValueError, match="the smallest that fits is") as caught:
        transmit(photo, what.w, codec="softcast", cbr=1e-3, link=link)
    smallest = float(str(caught.value).split("that fits is ")[1].split()[0])
    sent = transmit(photo, what.w, codec="softcast", cbr=smallest, link=link)
    assert sent.num_uses <= sent.budget
    with pytest.raises(ValueError, match="too small"):
        transmit(photo, what.w, codec="softcast", cbr=0.97 * smallest, link=link)


def test_any_budget_above_is_used_well(photo, what):
    """Where the codec would rather describe more than fits, one looks for what fits."""
    for budget in range(2_000, 12_000, 700):
        sent = transmit(
            photo, what.w, codec="softcast", cbr=budget / photo.size, link=LINKS["awgn"]
        )
        assert 0.93 * sent.budget <= sent.num_uses <= sent.budget


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


def test_same_seed_same_record(photo, what):
    first, again, other = (
        deliver(photo, what, codec="softcast", cbr=Fraction(1, 6), link=LINKS["awgn"], seed=seed)
        for seed in (3, 3, 4)
    )
    assert first.record == again.record
    assert (first.received == again.received).all()
    assert (first.received != other.received).any()
