"""Masks and prompts at another size: a pixel belongs to a mask if half of it is covered."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.importance.region import RegionOptions, find_region
from semcom.scene import find_scene
from semcom.sizes import resized_mask, scaled
from semcom.types import Mask, Prompts


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


@pytest.mark.parametrize(("height", "width"), [(1500, 1502), (1080, 1920), (600, 800), (999, 333)])
@pytest.mark.parametrize("max_side", [None, 500, 1000, 224])
def test_a_box_to_the_edge_stays_within_a_shrunk_picture(
    height: int, width: int, max_side: int | None
) -> None:
    """However the sides round."""
    old = (height, width)
    for new in [(round(height * k / 997), round(width * k / 997)) for k in range(60, 990, 7)]:
        moved = scaled(Prompts(((width - 0.001, height - 0.001),), ((0, 0, *old[::-1]),)), old, new)
        moved.check(*new)
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 2 :] = 200
    prompts = Prompts(boxes=((width / 2.1, height / 3.3, width, height),))
    options = RegionOptions("graph", prompts)
    if max_side is None:
        find_region(image, options)
    else:
        find_scene(image, options, max_side=max_side)
