"""The filter is undone by its inverse, and a codec's error then has the shape that it should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dctn

from semcom.codecs.quantiser.noise_shaping import POWER, shaped
from semcom.codecs.quantiser.perception import frequency_weights


@pytest.mark.parametrize("size", [(64, 96), (33, 130), (1, 7)])
def test_the_inverse_gives_the_planes_back(size):
    """Rounding costs a level and what the inverse makes of it, less than two at any frequency."""
    planes = np.random.default_rng(0).integers(400, 600, (3, *size)).astype(np.uint16)
    again = shaped(shaped(planes), -POWER)
    assert again.dtype == np.uint16
    assert np.abs(again.astype(int) - planes).max() <= 2
    flat = np.full((3, *size), 777, dtype=np.uint16)
    assert (shaped(flat) == flat).all()


def test_white_noise_moves_to_the_frequencies_that_are_not_seen():
    """Between the filter and its inverse, an error is divided by W^POWER."""
    rng, side = np.random.default_rng(1), 256
    planes = np.full((3, side, side), 512, dtype=np.uint16)
    noise = np.rint(rng.normal(size=planes.shape) * 40)
    received = shaped((planes + noise).astype(np.uint16), -POWER).astype(float) - planes
    energy = (dctn(received, axes=(1, 2), norm="ortho") ** 2).mean(axis=0)
    frequencies = np.pi * np.arange(side) / side
    expected = 40**2 * frequency_weights(frequencies, frequencies) ** (-2 * POWER)
    for part in (np.s_[:64, :64], np.s_[64:, :64], np.s_[192:, 192:]):
        assert energy[part].mean() == pytest.approx(expected[part].mean(), rel=0.05)
