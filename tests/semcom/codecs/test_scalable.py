"""Layers of whole pictures: what each adds, and what is left when some are lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from semcom.codecs.base import CODECS, BudgetTooSmallError, DecodeError
from semcom.codecs.parts.layer import add, difference
from semcom.codecs.scalable import Scalable
from semcom.scores.psnr import psnr_db, region_psnr_db, weighted_psnr_db


@pytest.fixture(scope="module")
def flat(photo):
    return np.ones(photo.shape[:2], dtype=np.float32)


@pytest.fixture(scope="module")
def stream(photo, flat):
    return Scalable().encode(photo, flat, 120_000)


def test_every_layer_adds_and_takes_twice_the_bits(photo, stream):
    data = [packet.data for packet in stream.packets]
    assert stream.nested
    assert len(data) == 4
    for small, large in itertools.pairwise(data):
        assert 1.7 < len(large) / len(small) < 2.4
    shown = [
        psnr_db(photo, Scalable().decode([*data[:i], *[None] * (4 - i)], *photo.shape[:2]))
        for i in range(1, 5)
    ]
    assert all(b > a + 1 for a, b in itertools.pairwise(shown))


def test_behind_a_lost_layer_nothing_is_used(photo, stream):
    data = [packet.data for packet in stream.packets]
    first = Scalable().decode(data[:1], *photo.shape[:2])
    gap = Scalable().decode([data[0], None, *data[2:]], *photo.shape[:2])
    assert (gap == first).all()


def test_layers_cost_little_against_one_packet(photo, flat, stream):
    """No layer predicts from another: less than 2 dB here, and the budget is used."""
    assert stream.num_bits >= 0.95 * 120_000
    whole = CODECS.create("hevc")
    one = whole.encode(photo, flat, 120_000)
    best = psnr_db(photo, whole.decode([p.data for p in one.packets], *photo.shape[:2]))
    layered = Scalable().decode([p.data for p in stream.packets], *photo.shape[:2])
    assert best - 2 < psnr_db(photo, layered) < best


def test_layers_follow_the_map_where_their_base_does(photo, region, flat):
    w = np.where(region, 0.65 / region.mean(), 0.35 / (1 - region.mean())).astype(np.float32)
    blind, steered = (
        Scalable().decode([p.data for p in Scalable().encode(photo, m, 60_000).packets], *m.shape)
        for m in (flat, w)
    )
    assert region_psnr_db(photo, steered, region) > region_psnr_db(photo, blind, region) + 1
    assert weighted_psnr_db(photo, steered, w) > weighted_psnr_db(photo, blind, w)
    assert CODECS.create("scalable:base=jpeg").steerable is False


def test_few_bits_give_fewer_layers(photo, flat):
    few = Scalable().encode(photo, flat, 4_000)
    assert 1 <= len(few.packets) < 4
    assert few.num_bits <= 4_000
    with pytest.raises(BudgetTooSmallError) as caught:
        Scalable().encode(photo, flat, 100)
    assert Scalable().encode(photo, flat, caught.value.num_bits).num_bits <= caught.value.num_bits


def test_a_difference_is_undone_by_adding_it(photo):
    coarse = (photo // 64 * 64).astype(np.uint8)
    assert (add(coarse, difference(photo, coarse)) == photo).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("base=scalable", "another codec, got 'scalable'"),
        ("base=layered", "another codec, got 'layered'"),
        ("layers=9", "1 to 8, got 9"),
        ("base=nothing", "unknown codec 'nothing'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        CODECS.create(f"scalable:{options}")


def test_codecs_of_several_packets_are_refused_as_base(photo, flat):
    with pytest.raises(ValueError, match="must make one packet, but it made 4"):
        CODECS.create("scalable:base=jpeg2000").encode(photo, flat, 50_000)


@pytest.mark.parametrize("packet", [b"ab", b"\0\0\1abc"])
def test_packets_of_no_codec_are_refused(packet):
    with pytest.raises(DecodeError):
        Scalable().decode([packet], 32, 32)
