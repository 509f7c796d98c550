"""Masks in JSON files: run lengths, polygons, boxes and nested lists, converted to pixels.

Run lengths are decoded here and not by pycocotools, whose C code does not check them: a truncated
string or counts that exceed H·W make it read or write out of bounds. Polygons are filled by
pycocotools after their coordinates have been checked, so that the pixels are COCO's. A shape
without an area gives no pixels and is no error.

Reference: T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014,
https://cocodataset.org/#format-data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.errors import InputError
from semcom.segmenters.from_file.labels import Array, check_size
from semcom.types import Region

MAX_OUTLINE = 2_000_000
"""Largest length of an annotation's outline; pycocotools allocates 40 bytes for each pixel."""


def decode(segmentation: object, height: int, width: int) -> Region:
    """Convert a segmentation of COCO or SAM, in any form, to pixels (H, W)."""
    if isinstance(segmentation, list):
        rows = nested(segmentation)
        if rows is None or rows.ndim != 2 or len(rows) < 2:
            return fill(segmentation, height, width)
        if ((rows == 0) | (rows == 1)).all():
            check_size(rows.shape, height, width)
            return np.asarray(rows, dtype=bool)
        if rows.shape[1] == 2:
            raise InputError("points [x, y] are no polygon of COCO's, which is [x0, y0, x1, y1, …]")
        return fill(segmentation, height, width)
    if not isinstance(segmentation, dict):
        raise InputError("segmentation must be a list of polygons, an RLE object or nested 0 and 1")
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or len(size) != 2:
        raise InputError(f"RLE size must be [height, width], got {size!r:.40}")
    check_size((size[0], size[1]), height, width)
    if isinstance(counts, str):
        counts = uncompress(counts)
    if not isinstance(counts, list) or not all(type(n) is int for n in counts):
        raise InputError("RLE counts must be a list of integers or a string")
    if any(n < 0 for n in counts) or sum(counts) != height * width:
        raise InputError(
            f"RLE counts must be at least 0 and add up to {height}x{width} = {height * width}, "
            f"got sum {sum(counts)!r:.20} and minimum {min(counts, default=0)!r:.20}"
        )
    values = np.arange(len(counts)) % 2 == 1  # alternating runs of 0 and 1, down the columns
    return np.ascontiguousarray(np.repeat(values, counts).reshape(width, height).T)


def uncompress(text: str) -> list[int]:
    """Decode COCO's compressed counts.

    Each count is written in base 32, low digits first, with one character (code 48 upwards) per
    digit. Bit 5 means that more digits follow, and bit 4 of the last digit is the sign. From the
    fourth count on, the difference from the count before the last one is written.

    Raises
    ------
    ValueError
        Characters that no encoder writes, or a string that ends within a number.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64 or shift > 60:
            raise InputError(f"compressed RLE is corrupt at {character!r}")
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise InputError("compressed RLE breaks off within a number")
    return counts


def nested(value: object) -> Array | None:
    """Read nested lists of numbers, as from NumPy's ``tolist()``; None for anything else."""
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        return None
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # lists of different lengths
        return None
    return array if array.dtype.kind in "biuf" else None


def fill_box(box: object, height: int, width: int) -> Region:
    """Fill COCO's box [x, y, width, height]."""
    corner = coordinates(box, "a box") if isinstance(box, list) and len(box) == 4 else None
    if corner is None:
        raise InputError(f"a box must be [x, y, width, height], got {box!r:.40}")
    (x, y), (across, down) = corner.tolist()
    if across <= 0 or down <= 0:
        return np.zeros((height, width), dtype=bool)
    corners = [x, y, x + across, y, x + across, y + down, x, y + down]
    return fill([corners], height, width)


def fill(polygons: list[Any], height: int, width: int) -> Region:
    """Fill polygons [[x0, y0, x1, y1, …], …]; their union is one mask."""
    from pycocotools import mask as coco

    outline, solid = 0.0, []
    for polygon in polygons:
        points = coordinates(polygon, "a polygon")
        if not len(points):
            continue
        # Annotators often exceed the edge slightly, which pycocotools clips. Its integers, however,
        # overflow for points far outside.
        low, high = points.min(axis=0), points.max(axis=0)
        if (low < (-width, -height)).any() or (high > (2 * width, 2 * height)).any():
            raise InputError(
                f"polygon spans x {low[0]:g} to {high[0]:g}, y {low[1]:g} to {high[1]:g}: "
                f"far outside the {width}x{height} image"
            )
        if not _is_flat(points):
            outline += float(np.abs(np.roll(points, 1, axis=0) - points).max(axis=1).sum())
            solid.append(polygon)
    if outline > MAX_OUTLINE:
        raise InputError(f"outline of {outline:.3g} pixels is longer than {MAX_OUTLINE:.0e}")
    if not solid:
        return np.zeros((height, width), dtype=bool)
    runs = coco.merge(coco.frPyObjects(solid, height, width))
    return np.asarray(coco.decode(runs), dtype=bool)


def coordinates(numbers: object, what: str) -> NDArray[np.float64]:
    """Check a flat list of coordinates and reshape it to (points, 2)."""
    if not isinstance(numbers, list) or not all(type(v) in (int, float) for v in numbers):
        raise InputError(f"{what} must be a flat list of numbers [x0, y0, x1, y1, …]")
    if len(numbers) % 2:
        raise InputError(f"{what} needs points x, y: got {len(numbers)} numbers, an odd count")
    try:
        points = np.array(numbers, dtype=np.float64).reshape(-1, 2)
    except OverflowError:
        points = np.full((1, 2), np.inf)
    if not np.isfinite(points).all():
        raise InputError(f"the coordinates of {what} must be finite")
    return points


def _is_flat(points: NDArray[np.float64]) -> bool:
    """Tell whether there are fewer than three points, or all lie on one line."""
    if len(points) < 3:
        return True
    from_first = points - points[0]
    x, y = from_first[np.abs(from_first).max(axis=1).argmax()]
    return not (from_first[:, 0] * y - from_first[:, 1] * x).any()
