"""x265: regions really steer it, and its parameter sets are known without it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from semcom.codecs.parts import x265
from semcom.codecs.parts.colour import from_planes, to_planes
from semcom.scores.psnr import region_psnr_db


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


@pytest.mark.parametrize("tune", ["psnr", "ssim"])
@pytest.mark.parametrize("qp", [0, 10, 30, 51])
@pytest.mark.parametrize("size", [(16, 16), (63, 65), (130, 70)])
def test_parameter_sets_depend_on_size_and_tune_alone(qp, size, tune):
    """``encode`` raises if x265 wrote sets other than the receiver's."""
    rng = np.random.default_rng(qp)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    offsets = rng.integers(-6, 7, offsets_for(image).shape)
    body = x265.encode(to_planes(image), offsets, qp, "slow", tune=tune)
    assert not body.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01"))
    assert x265.decode(body, *size, tune).shape == (3, *size)


def test_steps_coarsen_fine_detail(photo):
    """Where steps are coarse, much is lost, and what the receiver's steps make of it is right."""
    planes, plain = to_planes(photo), offsets_for(photo)
    flat, tuned = (x265.encode(planes, plain, 26, "slow", tune=tune) for tune in ("psnr", "ssim"))
    assert len(tuned) < 0.9 * len(flat)
    size = photo.shape[:2]
    right, wrong = (
        np.abs(x265.decode(tuned, *size, tune).astype(int) - planes).mean()
        for tune in ("ssim", "psnr")
    )
    assert right < wrong


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


@pytest.mark.parametrize("size", [(1, 1), (40, 56), (63, 500), (500, 64), (600, 800)])
def test_parameter_sets_are_those_that_an_encoder_writes(size):
    """x265 tells them when it is opened, before there is any picture."""
    planes = np.full((3, *size), 512, dtype=np.uint16)
    offsets = np.zeros([-(-side // x265.BLOCK) for side in size], dtype=np.int64)
    how = x265.settings(*size)
    stream = x265._encode_frame(x265._to_frame(planes), offsets, 30, "slow", how, "psnr")
    assert x265._split(stream)[0] == x265.parameter_sets(*size)
