"""The wavelet is the CDF 9/7 of the books, and loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.tiny.wavelet import LEVELS, Wavelet, analyse, synthesise

# Filters of ISO/IEC 15444-1, table F.2, for a gain of 1 at direct current.
SYNTHESIS_LOW = [1.115087052457, 0.591271763114, -0.057543526229, -0.091271763114]


def empty(height, width):
    details = [np.zeros((3, 3, height >> i, width >> i), np.float32) for i in range(LEVELS, 0, -1)]
    return Wavelet(np.zeros((3, height >> LEVELS, width >> LEVELS), np.float32), details)


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (160, 32)])
def test_pictures_survive(size):
    planes = np.random.default_rng(0).normal(size=(3, *size)).astype(np.float32)
    found = analyse(planes)
    assert found.coarsest.shape == (3, size[0] // 32, size[1] // 32)
    assert found.details[-1].shape == (3, 3, size[0] // 2, size[1] // 2)
    assert np.abs(synthesise(found) - planes).max() < 1e-5


def test_a_flat_picture_has_no_details():
    found = analyse(np.full((3, 64, 96), 7, np.float32))
    assert found.coarsest == pytest.approx(np.full((3, 2, 3), 7 * 32), rel=1e-5)
    assert max(np.abs(details).max() for details in found.details) < 1e-3


def test_a_coefficient_has_the_shape_that_the_standard_says():
    wavelet = empty(256, 256)
    wavelet.details[-1][0, 0, 40, 40] = 1  # low along one axis and high along the other
    shown = synthesise(wavelet)[0]
    low = np.abs(shown).sum(axis=1)
    low = shown[:, 81] if low.argmax() == 80 else shown[81]
    taps = low[80:84] / low[80] * SYNTHESIS_LOW[0]
    assert taps == pytest.approx(SYNTHESIS_LOW, abs=1e-5)


def test_it_is_nearly_orthonormal():
    noise = np.random.default_rng(1).normal(size=(3, 256, 256)).astype(np.float32)
    found = analyse(noise)
    for details in found.details:
        assert details.var() == pytest.approx(1, abs=0.2)


def test_orientations_are_those_that_are_said():
    rows = np.sin(np.arange(64) * 2.8)[:, None].repeat(64, axis=1)  # changes from row to row
    found = analyse(np.broadcast_to(rows, (3, 64, 64)).astype(np.float32)).details[-1][0]
    along_columns, along_rows, along_both = (np.square(part).mean() for part in found)
    assert along_columns > 100 * max(along_rows, along_both)
