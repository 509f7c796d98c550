"""Unequal protection where the gain changes within a frame, or nothing is worth protecting."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from channels.fec.ldpc import ldpc_code
from channels.models.awgn import Awgn
from channels.packets.block_chain import run_chain
from channels.packets.harq import send_harq
from channels.packets.mcs import Scheme
from channels.packets.target import Target
from semcom.codecs.jpeg import Jpeg
from semcom.importance.maps import importance
from semcom.link.config import LinkConfig
from semcom.link.delivery import carry, expected_psnr_db
from semcom.link.transmitter import transmit
from semcom.link.unequal_protection import plan_unequal
from semcom.types import Bitstream, Mask, Packet

FRAMES = 60


def measured(photo, w, sent, link):
    """Return the weighted PSNR of the mean squared error, and how many headers arrive."""
    receptions = [carry(sent, link, seed=seed) for seed in range(FRAMES)]
    pictures = [reception.shown(*photo.shape[:2]).astype(float) for reception in receptions]
    errors = [(w[..., None] * (shown - photo) ** 2).mean() for shown in pictures]
    headers = sum(reception.header is not None for reception in receptions)
    return -10 * math.log10(np.mean(errors) / 255**2), headers


@pytest.mark.parametrize("length", [100, 300])
def test_a_short_block_sees_few_of_the_fades(photo, region, length):
    """A header of a symbol block or two may vanish in a fade that a whole frame averages out."""
    w = importance([Mask(region)], *region.shape).w
    links = {
        kind: LinkConfig(f"rayleigh:block_length={length}", 12.0, protection=kind)
        for kind in ("equal", "unequal")
    }
    sent = {k: transmit(photo, w, codec="jpeg", cbr=1 / 16, link=x) for k, x in links.items()}
    found = {kind: measured(photo, w, sent[kind], link) for kind, link in links.items()}
    psnr_db, headers = found["unequal"]
    assert headers >= 0.95 * FRAMES
    assert psnr_db > found["equal"][0] - 1
    expected = expected_psnr_db(photo, w, sent["unequal"])
    assert expected is not None
    assert -1.5 < psnr_db - expected < 4  # lengths are rounded down: it promises less


@pytest.mark.parametrize("protection", ["unequal", "graceful"])
def test_a_grey_picture_has_nothing_to_protect_and_arrives(protection):
    grey = np.full((64, 64, 3), 128, dtype=np.uint8)
    link = LinkConfig("awgn", 10.0, protection=protection)
    w = np.ones((64, 64), dtype=np.float32)
    sent = transmit(grey, w, codec="jpeg", cbr=1 / 8, link=link)
    assert (carry(sent, link, seed=0).shown(64, 64) == grey).all()


@pytest.mark.parametrize("protection", ["unequal", "graceful"])
def test_a_picture_that_a_codec_only_makes_worse_is_sent_as_by_equal_protection(
    photo, monkeypatch, protection
):
    plain = Jpeg.encode

    def worse(*asked):
        stream = plain(*asked)
        packets = (dataclasses.replace(packet, gain=-1.0) for packet in stream.packets)
        return dataclasses.replace(stream, packets=tuple(packets))

    monkeypatch.setattr(Jpeg, "encode", worse)
    w = np.ones(photo.shape[:2], dtype=np.float32)
    links = [LinkConfig("awgn", 10.0, protection=kind) for kind in (protection, "equal")]
    other, equal = (transmit(photo, w, codec="jpeg", cbr=1 / 16, link=link) for link in links)
    assert torch.equal(other.x, equal.x)


def test_a_search_ends_whatever_the_gains_are():
    stream = Bitstream((Packet(bytes(50), math.nan), Packet(bytes(50), math.nan)))
    plan_unequal(stream, LinkConfig("awgn", 10.0, protection="unequal"), 2000, 1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"copies": 2.0}, "copies must be a whole number, got 2.0"),
        (
            {"channel": "rayleigh", "csi": "pilots", "num_pilots": 2.5},
            "num_pilots must be a whole number",
        ),
    ],
)
def test_numbers_that_are_not_whole_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LinkConfig(**settings)


@pytest.mark.parametrize(("codec", "fast"), [("jscc", True), ("jscc:precision=float32", False)])
def test_a_receiver_chooses_how_it_computes(photo, monkeypatch, codec, fast):
    """The options stand in no packet, and the receiver of a simulation has them all the same."""
    from semcom.codecs.jscc import codec as module

    asked = []

    def refined(*of, fast):
        _, planes, _, device = of
        asked.append((device, fast))
        return planes

    monkeypatch.setattr(module, "refined", refined)
    image, w = np.ascontiguousarray(photo[:64, :64]), np.ones((64, 64), dtype=np.float32)
    link = LinkConfig("awgn", 10.0)
    carry(transmit(image, w, codec=codec, cbr=1 / 6, link=link), link, seed=0)
    assert asked == [("cpu", fast)]


def test_the_worst_of_many_estimates_decides_and_those_within_a_code_block_average():
    """Errors of exponential power: the worst of n, and the mean of many, drawn."""
    link = LinkConfig(
        "rician:k_db=40,block_length=400",
        10.0,
        csi="pilots",
        num_pilots=2,
        target=Target(outage=0.1),
    )
    rng = np.random.default_rng(0)
    error = rng.exponential(1 / 2, (20_000, 40))

    def loss_db(powers):
        return 10 * math.log10(1 + np.quantile(powers, 0.9))

    assert link.usable_snr_of_frame_db(400, 1) == link.usable_snr_db
    assert link.usable_snr_db == pytest.approx(10 - loss_db(error[:, 0]), abs=0.1)
    worst = 10 - loss_db(error[:, :10].max(axis=1))
    assert link.usable_snr_of_frame_db(4000, 10) == pytest.approx(worst, abs=0.1)
    mean = 10 - loss_db(error.reshape(-1, 4, 10).mean(axis=2).max(axis=1))
    assert link.usable_snr_of_frame_db(16_000, 4) == pytest.approx(mean, abs=0.1)


def test_a_channel_may_return_a_plain_tuple(photo, monkeypatch):
    """As the checks of channels allow; bits and HARQ take it as well."""

    class Bare(Awgn):
        def __call__(self, *asked):
            return tuple(super().__call__(*asked))

    link, w = LinkConfig("awgn", 10.0), np.ones(photo.shape[:2], dtype=np.float32)
    sent = transmit(photo, w, codec="jpeg", cbr=1 / 16, link=link)
    expected = carry(sent, link, seed=0)
    monkeypatch.setattr(LinkConfig, "build_channel", lambda _: Bare())
    assert (carry(sent, link, seed=0).image == expected.image).all()
    code, rng = ldpc_code(1000, 2000, 2), torch.Generator().manual_seed(0)
    assert run_chain(code, Bare(), 3.0, 20) == run_chain(code, Awgn(), 3.0, 20)
    assert send_harq(b"semantic", Scheme(2, 0.5), Bare(), 0.1, rng).data == b"semantic"
