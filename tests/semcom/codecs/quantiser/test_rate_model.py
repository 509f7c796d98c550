"""Coefficients that survive the quantiser tell the bits of a picture."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.codecs.quantiser.rate_model import SIDE, magnitudes, step_for


def test_magnitudes_are_those_of_an_orthonormal_transform():
    """Their energy is that of the picture around the means of its blocks, in units of steps."""
    planes = np.random.default_rng(0).integers(0, 1024, (3, 32, 48), dtype=np.uint16)
    found = magnitudes(planes, np.full((1, 1, SIDE, SIDE), 2.0))
    assert found.size == 3 * 2 * 3 * (SIDE**2 - 1)
    energy = planes.reshape(3, 2, SIDE, 3, SIDE).astype(float).var(axis=(2, 4)).sum() * SIDE**2
    assert (found.astype(float) ** 2).sum() * 4 == pytest.approx(energy, rel=1e-5)


def test_more_bits_for_finer_steps():
    sizes = np.arange(1, 1001, dtype=np.float32)
    some, more, all_of_them = (step_for(sizes, bits) for bits in (400, 2000, 1e9))
    assert some > more > all_of_them > 0
    assert step_for(np.zeros(8, dtype=np.float32), 100) > 0
