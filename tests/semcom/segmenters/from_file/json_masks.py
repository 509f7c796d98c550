"""Two squares as masks, and how they are read from JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.segmenter import read_masks

H, W = 30, 40
Region = NDArray[np.bool_]


def _square(y0: int, y1: int, x0: int, x1: int) -> Region:
    pixels = np.zeros((H, W), dtype=bool)
    pixels[y0:y1, x0:x1] = True
    return pixels


A, B = _square(2, 12, 4, 20), _square(15, 28, 22, 39)


def read(folder: Path, content: object, image: str = "") -> Masks:
    path = folder / "m.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_masks(path, H, W, image=image)


def same(masks: Masks, *expected: Region) -> None:
    assert len(masks) == len(expected)
    for mask, pixels in zip(masks, expected, strict=True):
        np.testing.assert_array_equal(mask.pixels, pixels)
