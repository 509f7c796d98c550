"""Which segmenters see a large picture shrunk."""

from __future__ import annotations

import types

import numpy as np
import pytest
from numpy.typing import NDArray

from semcom.importance import region as regions
from semcom.segmenters.base import SEGMENTERS
from semcom.sizes import SEGMENTED
from semcom.types import Image, Mask, Prompts
from tests.large_photos import photo


def _seen_by(
    name: str, image: Image, prompts: Prompts, monkeypatch: pytest.MonkeyPatch
) -> tuple[regions.RegionOfInterest, list[tuple[tuple[int, ...], Prompts]]]:
    """Attend with a segmenter that finds the left half."""
    monkeypatch.setenv("SEMCOM_CACHE", "off")
    calls = []

    def find(image: Image, prompts: Prompts) -> list[Mask]:
        calls.append((image.shape, prompts))
        pixels: NDArray[np.bool_] = np.zeros(image.shape[:2], dtype=bool)
        pixels[:, : image.shape[1] // 2] = True
        return [Mask(pixels, 0.5, "left")]

    monkeypatch.setattr(regions, "opened", lambda _: find)
    monkeypatch.setattr(SEGMENTERS, "parse", lambda _: types.SimpleNamespace())
    return regions.find_region(image, regions.RegionOptions(name, prompts)), calls


def test_our_segmenters_see_a_large_picture_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    image = photo(2000, 3000)
    prompts = Prompts(points=((2999, 0),), boxes=((300, 200, 600, 1000),))
    seen, [(shape, asked)] = _seen_by("graph", image, prompts, monkeypatch)
    assert 0.99 * SEGMENTED < shape[0] * shape[1] <= SEGMENTED
    np.testing.assert_allclose(asked.points[0], (2999 * shape[1] / 3000, 0))
    scale = np.tile(np.divide(shape[:2], (2000, 3000))[::-1], 2)
    np.testing.assert_allclose(asked.boxes[0], scale * (300, 200, 600, 1000))
    region = seen.importance.region
    assert region.shape == (2000, 3000)
    assert region[:, :1498].all()
    assert not region[:, 1502:].any()
    assert (seen.masks[0].score, seen.masks[0].label) == (0.5, "left")
    assert seen.record["points"] == prompts.points


@pytest.mark.parametrize(("name", "size"), [("graph", (1000, 2000)), ("other", (2000, 3000))])
def test_others_and_small_pictures_are_seen_as_they_are(
    name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, [(shape, _)] = _seen_by(name, photo(*size), Prompts(), monkeypatch)
    assert shape == (*size, 3)
