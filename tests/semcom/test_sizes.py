"""Masks at another size: a pixel belongs to one if half of it is covered."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.sizes import resized_mask
from semcom.types import Mask


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_pixel_of_a_smaller_mask_is_covered_by_half(factor: int) -> None:
    pixels = np.random.default_rng(factor).random((16 * factor, 12 * factor)) < 0.5
    covered = pixels.reshape(16, factor, 12, factor).mean(axis=(1, 3))
    small = resized_mask(Mask(pixels), (16, 12)).pixels
    assert (small == (covered >= 0.5)).all()


def test_a_line_of_half_a_pixel_stays() -> None:
    pixels = np.zeros((32, 32), dtype=bool)
    pixels[10] = True
    assert resized_mask(Mask(pixels), (16, 16)).pixels.sum() == 16


def test_a_mask_that_is_enlarged_and_shrunk_is_the_same() -> None:
    pixels = np.random.default_rng(0).random((20, 30)) < 0.3
    large = resized_mask(Mask(pixels, 0.5, "dog"), (80, 120))
    assert large.label == "dog"
    small = resized_mask(large, (20, 30)).pixels
    assert (small == pixels).mean() > 0.9
