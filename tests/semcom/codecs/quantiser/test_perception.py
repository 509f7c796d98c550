"""Weights and quantiser steps follow what MS-SSIM really loses."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.quantiser.perception import STEPS_FILE, ms_ssim_weights, steps, steps_text
from semcom.scores.similarity import ms_ssim

SIDE = 256


@pytest.fixture
def halves():
    """Left half with weak texture, right half with strong texture."""
    rng = np.random.default_rng(0)
    strength = np.where(np.arange(SIDE) < SIDE // 2, 6.0, 30.0)[None, :, None]
    texture = rng.normal(size=(SIDE, SIDE, 1)) * strength
    return np.clip(np.rint(128 + texture + np.zeros(3)), 0, 255).astype(np.uint8)


def lost(image, error):
    """What an error takes from the logarithm of MS-SSIM."""
    return -np.log(ms_ssim(image, np.clip(np.rint(image + error), 0, 255).astype(np.uint8)))


def test_weights_are_ratios_of_real_losses(halves):
    """The same noise in either half costs what the weights say, whose power is 0.75."""
    noise = np.random.default_rng(1).normal(size=halves.shape) * 3
    left = np.arange(SIDE)[None, :, None] < SIDE // 2
    real = lost(halves, noise * left) / lost(halves, noise * ~left)
    w = ms_ssim_weights(halves, 32)
    assert (w[128, 48] / w[128, 208]) ** (1 / 0.75) == pytest.approx(real, rel=0.25)


def test_weights_are_one_block_wide_and_one_on_average(halves):
    w = ms_ssim_weights(halves[:200, :230], 32)
    assert w.shape == (200, 230)
    assert w.dtype == np.float32
    assert (w[:32, :32] == w[0, 0]).all()
    padded = np.pad(w, ((0, 24), (0, 26)), mode="edge")
    assert np.log(padded[::32, ::32]).mean() == pytest.approx(0, abs=1e-5)
    flat = np.full((64, 64, 3), 99, dtype=np.uint8)
    assert ms_ssim_weights(flat, 32) == pytest.approx(np.ones((64, 64)), abs=1e-3)


def test_fine_detail_is_seen_least(halves):
    """An error of the finest octave is quantised most coarsely, and costs the least MS-SSIM."""
    column = np.arange(SIDE)[None, :, None]
    waves = [np.sqrt(2) * 4 * np.cos(np.pi * f * (column + 0.5)) for f in (0.85, 0.3, 0.06)]
    losses = [lost(halves, wave) for wave in waves]
    assert losses[0] < losses[1] < losses[2]
    row = steps(8)[0]
    assert (np.diff(row) > 0).all()
    assert row[0] == 16  # the step that HEVC has without a list


def test_the_file_holds_the_steps():
    assert STEPS_FILE.read_text(encoding="ascii") == steps_text()
