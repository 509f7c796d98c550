"""The colours of a BPG picture: full-range YCbCr of BT.601 at 8 bit, 4:2:0 or 4:4:4.

Conversion and filters are those of libbpg (``bpgenc.c`` and ``libbpg.c``), so that pictures agree
with its own up to rounding. Chroma lies between the luma samples, as in JPEG. It is halved by a
filter of ten taps, and doubled by one of seven taps for each of two phases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semcom.types import Image

Plane = NDArray[np.uint8]
_SHIFT = 23  # of the fixed-point numbers of bpgenc at 8 bit
_RED, _BLUE = 0.299, 0.114
_GREEN = 1 - _RED - _BLUE
_TO_YCC = np.array(
    [
        [_RED, _GREEN, _BLUE],
        [-0.5 * _RED / (1 - _BLUE), -0.5 * _GREEN / (1 - _BLUE), 0.5],
        [0.5, -0.5 * _GREEN / (1 - _RED), -0.5 * _BLUE / (1 - _RED)],
    ]
)
_FIXED = np.rint(_TO_YCC * (1 << _SHIFT)).astype(np.int64)
_HALVE = np.array([2, -4, -8, 17, 57, 57, 17, -8, -4, 2])  # in 128ths
_DOUBLE = np.array([2, -6, 18, 57, -10, 4, -1])  # in 64ths, for even places; reversed for odd ones


def to_planes(image: Image, chroma: str) -> list[Plane]:
    """Convert RGB (H, W, 3) uint8 into Y, Cb and Cr.

    ``chroma`` is ``"420"``, for which Cb and Cr have half the height and width, rounded up, or
    ``"444"``.
    """
    rows = image.astype(np.int64)
    planes = []
    for weights, centre in zip(_FIXED, (0, 128, 128), strict=True):
        value = (rows @ weights + (1 << (_SHIFT - 1))) >> _SHIFT
        planes.append(np.clip(value + centre, 0, 255).astype(np.uint8))
    if chroma == "420":
        planes[1:] = [_halved(plane) for plane in planes[1:]]
    return planes


def from_planes(planes: list[Plane], height: int, width: int) -> Image:
    """Convert Y, Cb and Cr, which may be larger than the picture, into RGB (H, W, 3) uint8."""
    y = planes[0][:height, :width].astype(np.float64)
    if planes[1].shape != planes[0].shape:
        half = -(-height // 2), -(-width // 2)
        cb, cr = (_doubled(plane[: half[0], : half[1]])[:height, :width] for plane in planes[1:])
    else:
        cb, cr = (plane[:height, :width] for plane in planes[1:])
    blue, red = cb - 128.0, cr - 128.0
    green = (_BLUE * (1 - _BLUE) * blue + _RED * (1 - _RED) * red) * 2 / _GREEN
    values = (y + 2 * (1 - _RED) * red, y - green, y + 2 * (1 - _BLUE) * blue)
    rgb: Image = np.clip(np.floor(np.stack(values, axis=-1) + 0.5), 0, 255).astype(np.uint8)
    return rgb


def _halved(plane: Plane) -> Plane:
    """Halve a plane: across first, which keeps 6 more bits, then down."""
    across = (_filtered(plane.astype(np.int64), _HALVE, 1)[:, ::2] + 1) >> 1
    down = (_filtered(across, _HALVE, 0)[::2] + (1 << 12)) >> 13
    return np.clip(down, 0, 255).astype(np.uint8)


def _doubled(plane: Plane) -> Plane:
    """Double a plane: down first, then across, with one rounding at the end."""
    tall = _interleaved(plane.astype(np.int64), 0)
    wide = (_interleaved(tall, 1) + (1 << 11)) >> 12
    return np.clip(wide, 0, 255).astype(np.uint8)


def _interleaved(values: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    even, odd = (_filtered(values, taps, axis) for taps in (_DOUBLE, _DOUBLE[::-1]))
    shape = [2 * n if k == axis else n for k, n in enumerate(values.shape)]
    return np.stack([even, odd], axis=axis + 1).reshape(shape)


def _filtered(values: NDArray[np.int64], taps: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Correlate along an axis, with the edge repeated; an even filter leans to the right."""
    before = (len(taps) - 1) // 2
    margin = [(0, 0), (0, 0)]
    margin[axis] = (before, len(taps) - 1 - before)
    wide = np.pad(values, margin, mode="edge")
    length = values.shape[axis]
    parts = (tap * wide.take(range(k, k + length), axis) for k, tap in enumerate(taps.tolist()))
    total: NDArray[np.int64] = sum(parts, np.zeros_like(values))
    return total
