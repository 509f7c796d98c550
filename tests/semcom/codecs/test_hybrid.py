"""The codec ``hybrid``: never below its base, and better with every decibel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from semcom.codecs import hybrid
from semcom.codecs.base import CODECS, DecodeError, codec_id
from semcom.codecs.hybrid import Hybrid
from semcom.scores.psnr import psnr_db

SIZE = 96, 128
ROOM = 96 * 128 * 3 // 6


def even(image):
    return np.ones(image.shape[:2], np.float32)


PER_USE = 0.75 * np.log2(1 + 10**0.4)
"""Bits of side information in a channel use at 4 dB."""


def sent(codec, image):
    """Fill a frame with side information and symbols, as the link does."""
    at = {"snr_db": 4.0, "side_snr_db": 4.0, "room": ROOM}
    side = codec.encode(image, even(image), ROOM, **at).side
    left = ROOM - sum(8 * len(packet.data) for packet in side) / PER_USE
    return codec.encode(image, even(image), int(left), **at)


def received(codec, signal, snr_db, packets=None):
    x = signal.symbols
    n0 = 10 ** (-snr_db / 10)
    parts = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(3))
    y = x + torch.view_as_complex(parts * (n0 / 2) ** 0.5)
    side = [packet.data for packet in signal.side] if packets is None else packets
    return codec.decode(y, torch.ones_like(y), torch.full((len(y),), n0), side, *SIZE)


@pytest.fixture(scope="module")
def face(photo):
    return photo[20:116, 60:188].copy()


@pytest.fixture(scope="module")
def codec():
    return Hybrid(base="jpeg2000")


@pytest.fixture(scope="module")
def signal(codec, face):
    return sent(codec, face)


def test_every_decibel_helps(codec, signal, face):
    base = CODECS.create("jpeg2000").decode([signal.side[0].data], *SIZE)
    levels = [psnr_db(face, received(codec, signal, snr)) for snr in (0, 4, 8, 12, 16, 20)]
    assert levels[0] > psnr_db(face, base)
    assert all(after > before + 0.1 for before, after in itertools.pairwise(levels))


def test_at_the_planned_snr_it_costs_little_against_its_base_alone(codec, signal, face):
    alone = CODECS.create("jpeg2000")
    stream = alone.encode(face, even(face), int(ROOM * PER_USE))
    digital = psnr_db(face, alone.decode([p.data for p in stream.packets], *SIZE))
    careful = Hybrid(base="jpeg2000", headroom_db=0)
    assert psnr_db(face, received(careful, sent(careful, face), 4)) > digital - 0.3
    assert psnr_db(face, received(codec, signal, 16)) > digital + 1.5


def test_headroom_moves_the_gain_to_better_channels(face):
    shares = []
    for headroom in (0, 12):
        other = Hybrid(base="jpeg2000", headroom_db=headroom)
        shares.append(sent(other, face).info["analog_share"])
    assert shares[0] < shares[1]


def test_the_split_follows_the_snrs_that_the_sender_believes_in(face):
    """The mean of the squared errors decides, in which bad channels weigh most."""

    def share(*snrs_db):
        at = {"side_snr_db": 4.0, "room": ROOM, "snrs_db": snrs_db or None}
        codec = Hybrid(base="jpeg2000", headroom_db=0)
        return codec.encode(face, even(face), ROOM * 3 // 4, 4.0, **at).info["analog_share"]

    assert share() == share(4.0)
    assert share(-5.0) < share(4.0) < share(10.0) <= share(20.0)
    assert share(-5.0) < share(-5.0, 20.0) < share(20.0)
    assert share(-5.0, 20.0) <= share((-5.0 + 20.0) / 2)


def test_without_its_description_the_base_is_left(codec, signal):
    base = signal.side[0].data
    shown = received(codec, signal, 10, [base, None])
    assert base[:3] == b"\1" + codec_id("jpeg2000")
    assert np.array_equal(shown, CODECS.create("jpeg2000").decode([base[3:]], *SIZE))


def test_the_receiver_need_not_know_the_base(codec, signal, face):
    shown = received(Hybrid(), signal, 10)
    assert np.array_equal(shown, received(codec, signal, 10))
    assert psnr_db(face, shown) > 25


def test_without_its_base_the_residual_is_not_shown(codec, signal):
    shown = received(codec, signal, 10, [None, signal.side[1].data])
    assert (shown == 128).all()


def test_a_frame_without_room_for_a_base_is_all_analog(face):
    codec = Hybrid(base="jpeg2000")
    signal = codec.encode(face, even(face), 400, 4.0, side_snr_db=4.0, room=500)
    assert len(signal.side) == 1
    assert psnr_db(face, received(codec, signal, 10)) > 12


def test_the_split_does_not_depend_on_what_was_sent_before(face):
    codec = Hybrid(base="jpeg2000")
    first = sent(codec, face)
    codec.encode(face[::-1].copy(), even(face), 2000, 9.0)
    again = sent(codec, face)
    hybrid._split.clear()
    hybrid._coded.clear()
    fresh = sent(codec, face)
    for other in (again, fresh):
        assert torch.equal(first.symbols, other.symbols)
        assert [p.data for p in first.side] == [p.data for p in other.side]


def test_bad_options_and_packets_are_refused(codec, signal):
    with pytest.raises(ValueError, match="hybrid: headroom_db must be 0 to 20, got 21"):
        Hybrid(headroom_db=21)
    with pytest.raises(ValueError, match="'softcast' is analog, but a digital codec is needed"):
        Hybrid(base="softcast")
    with pytest.raises(DecodeError, match="hybrid: there are no packets"):
        received(codec, signal, 10, [])


@pytest.mark.parametrize("base", ["jpeg2000", "webp"])
def test_another_base_is_shown_without_its_description(face, base):
    """By a receiver that knows the codec by name alone; so are parts of the base."""
    made = sent(Hybrid(base=base), face)
    packets = [packet.data for packet in made.side]
    alone = received(Hybrid(), made, 10, [*packets[:-1], None])
    assert psnr_db(face, alone) > psnr_db(face, np.full_like(face, 128)) + 1
    assert psnr_db(face, received(Hybrid(), made, 10, packets)) > psnr_db(face, alone)
    with pytest.raises(DecodeError, match="unknown codec"):
        received(Hybrid(), made, 10, [packets[0][:1] + b"\0\0" + packets[0][3:], *packets[1:]])


def test_without_any_name_packets_of_another_base_show_nothing(codec, signal):
    """The description and the first packet, which name the base, are lost."""
    _, *others, _ = [packet.data for packet in signal.side]
    nothing = torch.zeros(len(signal.symbols))
    air = signal.symbols, nothing + 0j, nothing + 1.0
    for receiver in (codec, Hybrid()):
        assert (receiver.decode(*air, [None, *others, None], *SIZE) == 128).all()
