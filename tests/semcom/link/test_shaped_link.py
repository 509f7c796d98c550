"""The link option ``schemes="shaped"``, from picture to picture."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from semcom.errors import InputError
from semcom.importance.maps import importance
from semcom.link.config import LinkConfig
from semcom.link.delivery import deliver
from semcom.types import Mask

LINK = LinkConfig(snr_db=13.0, schemes="shaped")


@pytest.fixture(scope="module")
def what(region):
    return importance([Mask(region)], *region.shape)


@pytest.mark.parametrize("protection", ["equal", "unequal", "graceful"])
def test_a_picture_arrives_within_the_budget(photo, what, protection):
    link = replace(LINK, protection=protection)
    delivery = deliver(photo, what, cbr=Fraction(1, 3), link=link)
    assert delivery.reception.header == delivery.transmission.header
    assert not delivery.all_lost
    assert sum(delivery.record["accounting"].values()) <= photo.size / 3
    assert delivery.record["schemes"] == "shaped"


def test_more_arrives_than_with_plain_schemes(photo, what):
    plain, shaped = (
        deliver(photo, what, cbr=Fraction(1, 3), link=replace(LINK, schemes=name))
        for name in ("nr", "shaped")
    )
    assert any(packet.scheme.shaped for packet in shaped.transmission.header.packets)
    more, fewer = (
        sum(packet.num_bytes for packet in one.transmission.header.packets)
        for one in (shaped, plain)
    )
    assert more > 1.03 * fewer


def test_a_fixed_scheme_with_copies_and_the_same_draw_again(photo, what):
    link = replace(LINK, scheme="shaped 64-QAM 0.500", copies=2, snr_db=9.0)
    one, two = (deliver(photo, what, cbr=Fraction(1, 2), link=link, seed=3) for _ in range(2))
    assert not one.all_lost
    assert np.array_equal(one.received, two.received)


def test_block_fading_is_planned_for(photo, what):
    link = LinkConfig("rician:k_db=12", 20.0, schemes="shaped", csi="pilots")
    delivery = deliver(photo, what, cbr=Fraction(1, 3), link=link)
    assert any(packet.scheme.shaped for packet in delivery.transmission.header.packets)


@pytest.mark.parametrize("channel", ["rayleigh_fast", "jakes", "ofdm", "rician:block_length=50"])
def test_other_channels_are_refused_before_work_starts(channel):
    with pytest.raises(InputError, match="use the schemes nr, or awgn"):
        LinkConfig(channel, 20.0, schemes="shaped")
