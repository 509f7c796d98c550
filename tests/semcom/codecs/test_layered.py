"""Two layers over another codec: rectangles, packets, losses, and what they are worth."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.base import CODECS, BudgetTooSmallError, DecodeError
from semcom.codecs.jpeg import Jpeg
from semcom.codecs.layered import Layered
from semcom.codecs.parts.rectangles import MAX_RECTANGLES, MIN_SIDE, area_of, rectangles
from semcom.importance.maps import importance
from semcom.link.config import LinkConfig
from semcom.link.delivery import deliver
from semcom.scores.psnr import psnr_db, region_psnr_db, weighted_psnr_db
from semcom.types import Mask

HEAD = 6  # bytes: codec and rectangle


def map_of(region, theta=0.65):
    return importance([Mask(region)], *region.shape, theta=theta).w


@pytest.fixture(scope="module")
def two(photo):
    """Two regions far apart."""
    region = np.zeros(photo.shape[:2], dtype=bool)
    region[20:60, 20:70] = True
    region[100:150, 170:230] = True
    return region


@pytest.fixture(scope="module")
def stream(photo, two):
    return Layered().encode(photo, map_of(two), 40_000)


# Rectangles


def test_rectangles_hold_the_parts_and_little_more():
    rng = np.random.default_rng(0)
    for _ in range(50):
        height, width = rng.integers(32, 700, 2)
        region = np.zeros((height, width), dtype=bool)
        top, left = rng.integers(0, (height - 20, width - 20))
        bottom, right = rng.integers((top + 18, left + 18), (height + 1, width + 1))
        region[top:bottom, left:right] = True
        (box,) = rectangles(map_of(region), region)
        rows, columns = area_of(box, height, width)
        assert region[rows, columns].sum() == region.sum()
        for cut, first, last, side in (
            (rows, top, bottom, height),
            (columns, left, right, width),
        ):
            slack = side / 255 + 1
            assert first - slack <= cut.start <= first
            assert last <= cut.stop <= last + slack
            assert cut.stop <= side


@pytest.mark.parametrize("size", [(16, 16), (16, 300), (47, 33)])
def test_a_dot_gets_the_least_rectangle(size):
    for place in [(0, 0), (0, -1), (-1, 0), (-1, -1), (size[0] // 2, size[1] // 2)]:
        region = np.zeros(size, dtype=bool)
        region[place] = True
        (box,) = rectangles(map_of(region), region)
        rows, columns = area_of(box, *size)
        assert region[rows, columns].any()
        assert min(rows.stop - rows.start, columns.stop - columns.start) >= MIN_SIDE


def test_near_parts_share_a_rectangle_and_four_remain_at_most(two):
    assert len(rectangles(map_of(two), two)) == 2
    near = np.zeros((100, 100), dtype=bool)
    near[10:50, 10:30] = near[15:50, 32:50] = True
    assert len(rectangles(map_of(near), near)) == 1
    rng = np.random.default_rng(1)
    many = rng.random((200, 300)) < 0.002
    assert 1 <= len(rectangles(map_of(many), many)) <= MAX_RECTANGLES
    assert rectangles(np.ones((50, 50), np.float32), np.zeros((50, 50), bool)) == []


# Packets


def test_a_packet_per_rectangle_and_all_of_it_is_paid_for(stream, two):
    assert len(stream.packets) == 1 + len(rectangles(map_of(two), two))
    assert stream.num_bits <= 40_000
    assert all(packet.gain > 0 for packet in stream.packets)
    assert 0 < stream.info["share"] < 1


def test_a_lost_rectangle_shows_the_coarse_picture(stream, photo, two):
    codec, data = CODECS.create("layered"), [p.data for p in stream.packets]
    whole = codec.decode(data, *two.shape)
    coarse = codec.decode([data[0], None, None], *two.shape)
    boxes = rectangles(map_of(two), two)
    for lost, box in enumerate(boxes, start=1):
        kept = [None if k == lost else d for k, d in enumerate(data)]
        shown, area = codec.decode(kept, *two.shape), area_of(box, *two.shape)
        outside = np.ones(two.shape, dtype=bool)
        outside[area] = False
        assert (shown[area] == coarse[area]).all()
        assert (shown[outside] == whole[outside]).all()
        assert psnr_db(photo[area], whole[area]) > psnr_db(photo[area], coarse[area]) + 1


def test_without_the_coarse_picture_differences_stand_in_grey(stream, photo, two):
    data = [None, *(p.data for p in stream.packets[1:])]
    shown = Layered().decode(data, *two.shape)
    outside = np.ones(two.shape, dtype=bool)
    for box in rectangles(map_of(two), two):
        area = area_of(box, *two.shape)
        outside[area] = False
        assert shown[area].std() > 1
    assert (shown[outside] == 128).all()
    assert psnr_db(photo, shown) > psnr_db(photo, photo * 0 + 128)


def test_gains_add_up_in_the_order_of_the_packets(stream, photo, two):
    w, codec = map_of(two), Layered()
    data = [p.data for p in stream.packets]
    error = [((photo - 128.0) ** 2).sum(axis=-1)]
    for arrived in range(1, len(data) + 1):
        kept = [d if k < arrived else None for k, d in enumerate(data)]
        error.append(((photo - codec.decode(kept, *two.shape).astype(float)) ** 2).sum(axis=-1))
    for packet, before, after in zip(stream.packets, error, error[1:], strict=False):
        assert packet.gain == pytest.approx((w * (before - after)).sum())


# Worth


def test_the_number_of_packets_depends_on_the_map_alone(photo, two):
    """Or a sender that asks anew for what fits so many packets would never come to an end."""
    with pytest.raises(BudgetTooSmallError) as caught:
        Layered().encode(photo, map_of(two), 80)
    smallest = caught.value.num_bits
    for bits in (smallest, smallest + 300, 2 * smallest, 100_000):
        assert len(Layered().encode(photo, map_of(two), bits).packets) == 3
    least = Layered().encode(photo, map_of(two), smallest)
    assert [len(p.data) for p in least.packets[1:]] == [HEAD, HEAD]
    assert least.num_bits == smallest


@pytest.mark.parametrize("base", ["jpeg", "hevc"])
def test_the_region_gains_what_the_map_asks_for(photo, two, base):
    codec, w = Layered(base=base), map_of(two, theta=0.9)
    flat = np.ones_like(w)
    bits = 12_000 if base == "hevc" else 24_000
    blind, steered = (
        CODECS.create("layered").decode(
            [p.data for p in codec.encode(photo, m, bits).packets], *w.shape
        )
        for m in (flat, w)
    )
    assert region_psnr_db(photo, steered, two) > region_psnr_db(photo, blind, two) + 1.5
    assert weighted_psnr_db(photo, steered, w) > weighted_psnr_db(photo, blind, w) + 0.5


def test_at_few_bits_a_reduced_picture_beats_the_codec_itself(photo):
    flat = np.ones(photo.shape[:2], dtype=np.float32)
    shown = [
        codec.decode([p.data for p in codec.encode(photo, flat, 8_000).packets], *flat.shape)
        for codec in (Jpeg(), Layered())
    ]
    assert psnr_db(photo, shown[1]) > psnr_db(photo, shown[0]) + 1


def test_across_a_channel_and_by_name_alone(photo, two):
    seen = importance([Mask(two)], *two.shape)
    link = LinkConfig(snr_db=15)
    delivery = deliver(photo, seen, codec="layered:base=webp", cbr=1 / 6, link=link)
    assert delivery.record["packets_received"] == delivery.record["packets_sent"] == 3
    assert delivery.scores["region_psnr_db"] > delivery.scores["background_psnr_db"]


# Refusals


def test_bases_that_cannot_be_are_refused(photo, two):
    with pytest.raises(ValueError, match="base must be another codec, got 'layered'"):
        Layered(base="layered")
    with pytest.raises(ValueError, match="unknown codec 'jpg'"):
        Layered(base="jpg")
    with pytest.raises(ValueError, match="must make one packet, but it made 4"):
        Layered(base="hevc:tiles=2x2").encode(photo, map_of(two), 40_000)


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (0, lambda _: b"", "unknown codec"),
        (0, lambda d: b"??" + d[2:], "packet of an unknown codec, 3f3f"),
        (0, lambda d: d[:2], "scale must be one of"),
        (0, lambda d: d[:2] + b"\x03" + d[3:], "scale must be one of"),
        (1, lambda d: d[:5], "has no rectangle"),
        (1, lambda d: d[:2] + bytes([9, 9, 9, 200]) + d[6:], "rectangle 9,9,9,200 is too small"),
        (1, lambda d: d[:2] + bytes([200, 9, 9, 200]) + d[6:], "is too small"),
        (1, lambda d: d[:6] + b"\x00" + d[7:], "scale must be one of"),
    ],
)
def test_what_was_never_written_is_refused(stream, two, place, change, message):
    data = [p.data for p in stream.packets]
    data[place] = change(data[place])
    with pytest.raises(DecodeError, match=message):
        Layered().decode(data, *two.shape)
