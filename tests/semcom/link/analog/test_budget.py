"""An analog codec across a channel: budget, accounting, an honest receiver."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from channels.base import num_uses
from channels.units import symbol_budget
from semcom.link.config import LinkConfig
from semcom.link.delivery import deliver
from semcom.link.transmitter import transmit
from semcom.types import AnalogSignal, Packet
from tests.semcom.link.analog.links import LINKS


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
for name in sys.argv[1:]:
    data = np.load(f"{name}.npz")
    air = ChannelOutput(*(torch.from_numpy(data[k]) for k in ("y", "h", "noise_var")))
    how = {k: int(data[k]) for k in ("num_pilots", "block_length")}
    np.save(f"{name}.npy", receive(air, **how).image)
senders = ("semcom.link.transmitter", "semcom.link.analog_frame",
"semcom.link.delivery")
assert not any(name.startswith(senders) for name in sys.modules)
"""


def test_receiver_alone_in_another_process_sees_the_same(photo, what, tmp_path):
    names, expected = ("awgn", "one block, pilots", "block, pilots", "mimo", "ofdm"), {}
    for name in names:
        link = LINKS[name]
        delivery = deliver(photo, what, codec="softcast", cbr=Fraction(1, 4), link=link, seed=1)
        assert delivery.scores["psnr_db"] > 25
        expected[name] = delivery.received
        rng = torch.Generator().manual_seed(1)
        air = link.build_channel()(delivery.transmission.x, 10 ** (-link.snr_db / 10), rng)
        h = torch.zeros_like(air.h) if link.csi == "pilots" else air.h  # pilots: it is not seen
        about = {"num_pilots": link.pilots, "block_length": link.block_length}
        np.savez(tmp_path / f"{name}.npz", y=air.y, h=h, noise_var=air.noise_var, **about)
    subprocess.run([sys.executable, "-c", RECEIVER, *names], cwd=tmp_path, check=True)
    for name in names:
        shown = np.load(tmp_path / f"{name}.npy").astype(int)
        assert np.abs(shown - expected[name]).max() <= 1


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
        (AnalogSignal(1.1 * x), "mean power 1.21, not 1"),
        (AnalogSignal(x.real), "float32"),
        (AnalogSignal(x[None]), r"shape \(1, 100\)"),
        (AnalogSignal(x * float("nan")), "power nan"),
        (AnalogSignal(x, (Packet(b""),)), "none of them empty"),
        (AnalogSignal(x, (Packet(b"a"),) * 256), "256 packets"),
        (AnalogSignal(made(photo, what.w, 38_000, 10).symbols), "38000 symbols, 28608 were allow"),
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


def test_same_seed_same_record(photo, what):
    first, again, other = (
        deliver(photo, what, codec="softcast", cbr=Fraction(1, 6), link=LINKS["awgn"], seed=seed)
        for seed in (3, 3, 4)
    )
    assert first.record == again.record
    assert (first.received == again.received).all()
    assert (first.received != other.received).any()
