"""The side information of ``jscc``: it survives, takes few bits, and garbage is refused."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from semcom.codecs.base import DecodeError
from semcom.codecs.jscc.side_coding import pack, settle, unpack
from semcom.codecs.jscc.side_kernels import MEAN_STEPS
from semcom.codecs.jscc.weights import load
from semcom.codecs.linear.code import LinearPicture
from semcom.codecs.linear.side_information import LAYOUTS, layouts, snr_level_of
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.softcast import pack as deflated


@pytest.fixture(scope="module")
def model():
    return load().side


def picture_of(photo, layout, *, w=None, mean_step=16, depth=0):
    planes = to_planes(photo).astype(np.float32)
    w = np.ones(photo.shape[:2], np.float32) if w is None else w
    picture = LinearPicture.of(planes, w, layout, snr_level_of(10), mean_step)
    return picture.with_coarse(int(picture.side.levels.max()) - depth) if depth else picture


@pytest.mark.parametrize("depth", [0, 6, 10])
@pytest.mark.parametrize("weighted", [False, True])
def test_side_information_survives(photo, region, model, weighted, depth):
    height, width = photo.shape[:2]
    w = np.where(region, 8, 0.3).astype(np.float32) if weighted else None
    for layout in layouts(height, width):
        step = MEAN_STEPS[layout % len(MEAN_STEPS)]
        picture = picture_of(photo, layout, w=w, mean_step=step, depth=depth)
        side, least, bits = settle(picture, 8_000, model)
        scaled = replace(side, scale=321)
        data = pack(scaled, least, picture.chunks, model)
        assert len(data) <= bits / 8 + 2
        again, found = unpack(data, height, width, model)
        assert found == least
        for sent, received in zip(astuple(scaled), astuple(again), strict=True):
            assert np.array_equal(sent, received)
        assert bool(len(side.values)) == bool(depth)


def test_learned_probabilities_need_far_fewer_bits_than_deflate(photo, model):
    """What the code is for, with the same steps of the means."""
    for layout in layouts(*photo.shape[:2]):
        picture = picture_of(photo, layout, mean_step=8)
        bits = settle(picture, 8_000, model).bits
        assert bits < 0.85 * 8 * len(deflated(picture.choose(8_000)))


def test_the_rest_of_coarse_values_is_within_half_a_step(photo, model):
    picture = picture_of(photo, 3, depth=8)
    side, _, _ = settle(picture, 8_000, model)
    coarse, steps = side.coarse(picture.chunks)
    kept = picture.coefficients[..., : coarse.shape[-1]][coarse]
    rest = kept - side.values * steps
    assert np.abs(rest).max() <= 0.5001 * steps.max()
    assert np.square(rest).mean() == pytest.approx(np.square(steps).mean() / 12, rel=0.15)


def test_damaged_side_information_is_refused_or_reads_as_something(photo, model):
    height, width = photo.shape[:2]
    picture = picture_of(photo, 3, depth=8)
    side, least, _ = settle(picture, 8_000, model)
    data = pack(side, least, picture.chunks, model)
    for cut in range(6):
        with pytest.raises(DecodeError, match="cut off"):
            unpack(data[:cut], height, width, model)
    with pytest.raises(DecodeError, match="layout 0 does not exist for 4000x4000"):
        unpack(bytes([0]) + data[1:], 4000, 4000, model)
    with pytest.raises(DecodeError, match="no rest of level 200"):
        unpack(data[:5] + bytes([200]) + data[6:], height, width, model)
    with pytest.raises(DecodeError, match="do not belong"):
        unpack(data + bytes(range(1, 100)), height, width, model)
    rng = np.random.default_rng(0)
    for _ in range(50):
        hurt = bytearray(data)
        hurt[rng.integers(6, len(hurt))] ^= 1 << rng.integers(8)
        try:
            again, _ = unpack(bytes(hurt), height, width, model)
        except DecodeError:
            continue
        assert again.levels.shape == (3, picture.chunks.num_tiles, LAYOUTS[3][1])
