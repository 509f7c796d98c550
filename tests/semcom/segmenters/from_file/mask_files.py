"""Two rectangles as masks, and files that hold them."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

H, W = 12, 17


def square(y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    pixels = np.zeros((H, W), dtype=bool)
    pixels[y0:y1, x0:x1] = True
    return pixels


A = square(2, 6, 3, 9)
B = square(7, 11, 10, 16)
TWO = (A + 2 * B).astype(np.uint8)


def save(path: Path, array: np.ndarray, mode: str | None = None) -> Path:
    picture = Image.fromarray(array)
    if mode == "P":
        picture = Image.fromarray(array, "L")
        picture.putpalette(list(range(256)) * 3)
    picture.save(path)
    return path


def write_json(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def runs(pixels: np.ndarray) -> list[int]:
    """Uncompressed run lengths, written down independently of the reader."""
    counts, value = [0], False
    for pixel in pixels.T.ravel():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


def same(masks: list, *expected: np.ndarray) -> None:
    assert len(masks) == len(expected)
    for mask, pixels in zip(masks, expected, strict=True):
        assert mask.pixels.dtype == bool
        np.testing.assert_array_equal(mask.pixels, pixels)


def rle(pixels: np.ndarray) -> dict:
    return {"size": list(pixels.shape), "counts": runs(pixels)}


def poly(*polygons: object) -> dict:
    return {"segmentation": list(polygons)}


def counts(value: object, size: object = (H, W)) -> dict:
    return {"segmentation": {"size": size, "counts": value}}


TRIANGLE = [1, 1, 5, 1, 5, 5]
