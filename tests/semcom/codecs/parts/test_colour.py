"""Axes of colours that follow those of the picture: what turns cost and save."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcom.codecs.parts.colour import NO_TURN, best_turn, from_planes, to_planes
from semcom.scores.psnr import psnr_db


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
