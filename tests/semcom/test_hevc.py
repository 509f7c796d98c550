"""What is particular to x265: regions really steer it, and nothing known is sent twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from semcom.codecs import x265
from semcom.codecs.base import CODECS, DecodeError
from semcom.codecs.hevc import Hevc, _offsets
from semcom.scores.psnr import psnr_db, region_psnr_db


def offsets_for(image, value=0):
    height, width = image.shape[:2]
    return np.full((-(-height // 16), -(-width // 16)), value, dtype=np.int64)


def test_regions_change_the_stream_where_they_are(photo):
    """FFmpeg drops regions silently when its rate control is set up wrongly."""
    plain, offsets = offsets_for(photo), offsets_for(photo)
    offsets[2:6, 6:9] = -9
    pair = [
        x265.decode(x265.encode(photo, o, 36, "slow"), *photo.shape[:2]) for o in (plain, offsets)
    ]
    inside = np.zeros(photo.shape[:2], dtype=bool)
    inside[32:96, 96:144] = True
    quality = [region_psnr_db(photo, shown, inside) for shown in pair]
    assert quality[1] > quality[0] + 3
    # Nearly as good as if the whole picture had those nine QP less; at the region's edge coding
    # units that are larger than a block take the mean of their blocks, which costs up to a third.
    finer = [
        x265.decode(x265.encode(photo, plain, qp, "slow"), *photo.shape[:2]) for qp in (30, 27)
    ]
    bounds = [region_psnr_db(photo, shown, inside) for shown in finer]
    assert bounds[0] < quality[1] <= bounds[1]


def test_offset_everywhere_is_the_same_as_a_lower_qp(photo):
    steered = x265.encode(photo, offsets_for(photo, -5), 36, "slow")
    assert steered == x265.encode(photo, offsets_for(photo), 31, "slow")


@pytest.mark.parametrize("qp", [0, 10, 30, 51])
@pytest.mark.parametrize("size", [(16, 16), (63, 65), (130, 70)])
def test_parameter_sets_depend_on_the_size_alone(qp, size):
    """``encode`` raises if x265 wrote sets other than the receiver's."""
    rng = np.random.default_rng(qp)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    offsets = rng.integers(-6, 7, offsets_for(image).shape)
    body = x265.encode(image, offsets, qp, "slow")
    assert not body.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01"))
    assert x265.decode(body, *size).shape == image.shape


def test_colour_space_costs_less_than_half_a_grey_level():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    planes = x265._to_frame(image)
    assert np.abs(x265._from_frame(planes).astype(int) - image).max() <= 1
    assert psnr_db(image, x265._from_frame(planes)) > 50


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
    w = np.ones((32, 32), dtype=np.float32)
    w[:16, :16], w[16:, 16:] = 4.0, 0.25
    assert _offsets(w).tolist() == [[-6, 0], [0, 6]]
    assert _offsets(np.zeros((16, 16), dtype=np.float32)).tolist() == [[24]]
    assert (_offsets(np.ones((17, 40), dtype=np.float32)) == 0).all()


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
