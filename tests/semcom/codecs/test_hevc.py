"""What is particular to x265: regions really steer it, and nothing known is sent twice."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.hevc import Hevc, _offsets, _Source
from semcom.codecs.parts import x265
from semcom.codecs.parts.colour import NO_TURN, best_turn, from_planes, to_planes
from semcom.conformance.memory import grown_bytes, start_measuring
from semcom.scores.psnr import psnr_db, region_psnr_db


def offsets_for(image, value=0):
    height, width = image.shape[:2]
    return np.full((-(-height // 32), -(-width // 32)), value, dtype=np.int64)


def shown(image, offsets, qp):
    """What comes back of an image."""
    body = x265.encode(to_planes(image), offsets, qp, "slow")
    return from_planes(x265.decode(body, *image.shape[:2]))


def test_regions_change_the_stream_where_they_are(photo):
    """FFmpeg drops regions silently when its rate control is set up wrongly."""
    plain, offsets = offsets_for(photo), offsets_for(photo)
    offsets[1:3, 3:5] = -9
    inside = np.zeros(photo.shape[:2], dtype=bool)
    inside[32:96, 96:160] = True
    quality, *bounds = (
        region_psnr_db(photo, shown(photo, *args), inside)
        for args in ((offsets, 36), (plain, 36), (plain, 30), (plain, 27))
    )
    assert quality > bounds[0] + 3
    # Nearly as good as if the whole picture had those nine QP less; at the region's edge coding
    # units that are larger than a block take the mean of their blocks, which costs up to a third.
    assert bounds[1] < quality <= bounds[2] + 0.1


def test_offset_everywhere_is_the_same_as_a_lower_qp(photo):
    planes = to_planes(photo)
    steered = x265.encode(planes, offsets_for(photo, -5), 36, "slow")
    assert steered == x265.encode(planes, offsets_for(photo), 31, "slow")


@pytest.mark.parametrize("qp", [0, 10, 30, 51])
@pytest.mark.parametrize("size", [(16, 16), (63, 65), (130, 70)])
def test_parameter_sets_depend_on_the_size_alone(qp, size):
    """``encode`` raises if x265 wrote sets other than the receiver's."""
    rng = np.random.default_rng(qp)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    offsets = rng.integers(-6, 7, offsets_for(image).shape)
    body = x265.encode(to_planes(image), offsets, qp, "slow")
    assert not body.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01"))
    assert x265.decode(body, *size).shape == (3, *size)


@given(st.binary(min_size=3, max_size=3))
def test_any_turn_costs_less_than_half_a_grey_level(turn):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    image[:4, :2] = np.indices((2, 2, 2)).reshape(3, 4, 2).transpose(1, 2, 0) * 255  # the corners
    planes = to_planes(image, turn)
    assert np.abs(from_planes(planes, turn).astype(int) - image).max() <= 1
    assert psnr_db(image, from_planes(planes, turn)) > 50


@given(st.binary(min_size=3, max_size=3))
def test_errors_of_the_planes_are_errors_of_the_image(turn):
    rng = np.random.default_rng(0)
    image = rng.integers(64, 192, (64, 64, 3), dtype=np.uint8)
    planes = to_planes(image, turn)
    noisy = (planes + rng.integers(-60, 61, planes.shape)).clip(0, 1023).astype(np.uint16)
    error = ((from_planes(noisy, turn).astype(float) - image) ** 2).sum()
    # White has 255·√3 as its norm, and 1023 in the plane of luma; pixels round by 1/12 on average.
    expected = ((noisy - planes.astype(float)) ** 2).sum() * 3 * (255 / 1023) ** 2
    assert error == pytest.approx(expected + image.size / 12, rel=0.02)


def test_a_line_of_colours_ends_in_one_plane(photo):
    w = np.ones(photo.shape[:2], dtype=np.float32)
    ramp = np.random.default_rng(0).uniform(0, 1, photo.shape[:2])
    line = np.rint(ramp[..., None] * [200, 120, 40] + [20, 60, 90]).astype(np.uint8)
    spread = to_planes(line, best_turn(line, w)).std(axis=(1, 2))
    assert spread[0] > 100
    assert spread[1:].max() < 0.02 * spread[0]
    grey = np.repeat(line[..., :1], 3, axis=2)
    assert (to_planes(grey, best_turn(grey, w))[1:] == 512).all()
    assert best_turn(np.full_like(line, 77), w) == NO_TURN


@given(
    st_numpy.arrays(
        np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-2, 2)
    )
)
def test_rectangles_tile_the_offsets(offsets):
    painted = np.zeros_like(offsets)
    for top, left, rows, columns, offset in x265._rectangles(offsets):
        assert offset != 0
        assert (painted[top : top + rows, left : left + columns] == 0).all()
        painted[top : top + rows, left : left + columns] = offset
    assert (painted == offsets).all()


def test_offset_is_minus_three_log2_of_w():
    w = np.ones((64, 64), dtype=np.float32)
    w[:32, :32], w[32:, 32:] = 4.0, 0.25
    assert _offsets(w).tolist() == [[-6, 0], [0, 6]]
    assert _offsets(np.zeros((16, 16), dtype=np.float32)).tolist() == [[24]]
    assert (_offsets(np.ones((33, 70), dtype=np.float32)) == 0).all()


@pytest.mark.parametrize("tiles", ["0x1", "1x16", "2", "axb", "1x1x1", ""])
def test_bad_tiles_are_refused(tiles):
    with pytest.raises(ValueError, match="ROWSxCOLUMNS"):
        Hevc(tiles=tiles)


def test_tiles_need_blocks():
    image = np.zeros((16, 64, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="2 tiles do not fit into 16 pixels"):
        CODECS.create("hevc:tiles=2x2").encode(image, np.ones((16, 64), dtype=np.float32), 10_000)


def test_packets_that_disagree_are_refused(photo):
    w = np.ones(photo.shape[:2], dtype=np.float32)
    halves = Hevc(tiles="1x2").encode(photo, w, 40_000).packets
    with pytest.raises(DecodeError, match="disagree"):
        Hevc().decode([halves[0].data, b"\x21" + halves[1].data[1:]], *photo.shape[:2])
    with pytest.raises(DecodeError, match="1 packets for 1x2 tiles"):
        Hevc().decode([halves[0].data], *photo.shape[:2])
    with pytest.raises(DecodeError, match="ends before"):
        Hevc().decode([b"\x11\x80"], *photo.shape[:2])


def test_levels_between_two_qps_are_between_them(photo):
    """Half of the blocks has one QP less."""
    source = _Source.of(photo, np.ones(photo.shape[:2], dtype=np.float32), (1, 1))
    sizes = [len(source.encode(level, "slow")) for level in (20 * 64, 20 * 64 + 32, 21 * 64)]
    assert sizes[0] < sizes[1] < sizes[2]


def test_hues_cost_less_where_the_axes_follow_them(photo):
    """A photo of one hue needs as many bits as a grey one, for the same error."""
    w = np.ones(photo.shape[:2], dtype=np.float32)
    hue = np.array([0.9, 0.3, 0.1]) * np.sqrt(3 / 0.91)
    grey = photo[..., :1].repeat(3, axis=2) // 2
    tinted = np.rint(grey * hue).clip(0, 255).astype(np.uint8)
    sizes = [len(_Source.of(image, w, (1, 1)).encode(20 * 64, "slow")) for image in (grey, tinted)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


@pytest.mark.parametrize("size", [(1, 1), (40, 56), (63, 500), (500, 64), (600, 800)])
def test_parameter_sets_are_those_that_an_encoder_writes(size):
    """x265 tells them when it is opened, before there is any picture."""
    planes = np.full((3, *size), 512, dtype=np.uint16)
    offsets = np.zeros([-(-side // x265.BLOCK) for side in size], dtype=np.int64)
    how = x265.settings(*size)
    stream = x265._encode_frame(x265._to_frame(planes), offsets, 30, "slow", how)
    assert x265._split(stream)[0] == x265.parameter_sets(*size)


def test_a_packet_cannot_announce_another_size(photo):
    """Behind a start code may stand parameter sets of a picture that takes all memory."""
    w = np.ones(photo.shape[:2], dtype=np.float32)
    (packet,) = Hevc().encode(photo, w, 40_000).packets
    sets = x265.parameter_sets(7_000, 7_000)
    for bomb in (sets + x265._START + x265._SLICE_HEADER, b""):
        shown_or_refused = packet.data[:4] + bomb + packet.data[4:] * 2
        start = start_measuring()
        with contextlib.suppress(DecodeError):
            assert Hevc().decode([shown_or_refused], *photo.shape[:2]).shape == photo.shape
        assert grown_bytes(start) < 200_000_000
