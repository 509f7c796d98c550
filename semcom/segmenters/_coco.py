"""COCO's annotations: polygons and run lengths, checked before anything is decoded.

Run lengths are decoded here and not by pycocotools, whose C code trusts them: a truncated string
or counts that exceed H·W make it read or write out of bounds. Polygons are filled by pycocotools
once their coordinates have been checked, so that the pixels are COCO's.

Reference: T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014,
https://cocodataset.org/#format-data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semcom.types import Mask, Region

MAX_OUTLINE = 2_000_000
"""Pixels that an annotation's outline may run through; pycocotools allocates 40 bytes for each."""


def masks_of(content: object, height: int, width: int) -> list[Mask]:
    """Decode the annotations of one image.

    Parameters
    ----------
    content
        What the JSON says: a list of annotations, a dict with ``annotations``, or one annotation.
    height, width
        Size of the image in pixels.

    Returns
    -------
    list of Mask
        At least one, in the file's order, none of them empty; the score is the annotation's
        (1 without), the label the name of its category (None without).

    Raises
    ------
    ValueError
        Not of COCO's form, annotations of several images, another size, an empty mask.
    """
    annotations = _annotations(content)
    tables = content if isinstance(content, dict) else {}
    for image in _dicts(tables.get("images", [])):
        if image.get("id") == annotations[0].get("image_id") and {"height", "width"} <= set(image):
            check_size((image["height"], image["width"]), height, width)
    names = {str(c.get("id")): c.get("name") for c in _dicts(tables.get("categories", []))}
    masks = []
    for index, annotation in enumerate(annotations):
        label = names.get(str(annotation.get("category_id")))
        try:
            pixels = _decode(annotation.get("segmentation"), height, width)
            if not pixels.any():
                raise ValueError("its mask is empty")
            score = _score(annotation.get("score", 1.0))
        except ValueError as error:
            raise ValueError(f"annotation {index}: {error}") from None
        masks.append(Mask(pixels, score=score, label=None if label is None else str(label)))
    return masks


def check_size(found: tuple[Any, Any], height: int, width: int) -> None:
    """Raise ``ValueError`` unless ``found`` (height, width) is the image's size."""
    if tuple(found) != (height, width):
        raise ValueError(
            f"masks are {found[1]!r:.20}x{found[0]!r:.20}, but the image is {width}x{height}"
        )


def _dicts(table: object) -> list[dict[str, Any]]:
    if not isinstance(table, list) or not all(isinstance(entry, dict) for entry in table):
        raise ValueError("annotations, images and categories must be lists of JSON objects")
    return table


def _annotations(content: object) -> list[dict[str, Any]]:
    """Find the annotations, all of them of one image."""
    if isinstance(content, dict) and "annotations" in content:
        found = _dicts(content["annotations"])
    elif isinstance(content, dict) and "segmentation" in content:
        found = [content]
    elif isinstance(content, list):
        found = _dicts(content)
    else:
        raise ValueError(
            "not COCO: expected a list of annotations, an object with 'annotations', "
            "or one annotation with 'segmentation'"
        )
    if not found:
        raise ValueError("holds no mask: the list of annotations is empty")
    images = sorted({str(annotation.get("image_id")) for annotation in found})
    if len(images) > 1:
        raise ValueError(
            f"holds annotations of {len(images)} images (image_id {images[0]!r:.20}, …): "
            "write those of one image to a file of its own"
        )
    return found


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"score must be a number from 0 to 1, got {value!r:.40}")
    return float(value)


def _decode(segmentation: object, height: int, width: int) -> Region:
    """Turn one segmentation, of whatever form, into pixels (H, W)."""
    if isinstance(segmentation, list):
        return _fill(segmentation, height, width)
    if not isinstance(segmentation, dict):
        raise ValueError("segmentation must be a list of polygons or an RLE object")
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError(f"RLE size must be [height, width], got {size!r:.40}")
    check_size((size[0], size[1]), height, width)
    if isinstance(counts, str):
        counts = uncompress(counts)
    if not isinstance(counts, list) or not all(type(n) is int for n in counts):
        raise ValueError("RLE counts must be a list of integers or a string")
    if any(n < 0 for n in counts) or sum(counts) != height * width:
        raise ValueError(
            f"RLE counts must be at least 0 and add up to {height}x{width} = {height * width}, "
            f"got sum {sum(counts)!r:.20} and minimum {min(counts, default=0)!r:.20}"
        )
    values = np.arange(len(counts)) % 2 == 1  # runs of 0 and 1 in turn, down the columns
    return np.ascontiguousarray(np.repeat(values, counts).reshape(width, height).T)


def uncompress(text: str) -> list[int]:
    """Decode COCO's compressed counts.

    Each count is written in base 32, low digits first, one character (code 48 upwards) per digit;
    bit 5 says that more digits follow, bit 4 of the last digit is the sign. From the fourth count
    on, the difference to the count before the last one is written.

    Raises
    ------
    ValueError
        Characters that no encoder writes, or a string that breaks off within a number.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64 or shift > 60:
            raise ValueError(f"compressed RLE is corrupt at {character!r}")
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("compressed RLE breaks off within a number")
    return counts


def _fill(polygons: list[Any], height: int, width: int) -> Region:
    """Fill polygons [[x0, y0, x1, y1, …], …]; their union is one mask."""
    from pycocotools import mask as coco

    if not polygons:
        raise ValueError("its list of polygons is empty")
    outline = 0.0
    for polygon in polygons:
        points = _points(polygon)
        # Annotators run a little over the edge, and pycocotools clips that; but its integers
        # overflow when a point lies far out.
        low, high = points.min(axis=0), points.max(axis=0)
        if (low < (-width, -height)).any() or (high > (2 * width, 2 * height)).any():
            raise ValueError(
                f"polygon spans x {low[0]:g} to {high[0]:g}, y {low[1]:g} to {high[1]:g}: "
                f"far outside the {width}x{height} image"
            )
        outline += float(np.abs(np.roll(points, 1, axis=0) - points).max(axis=1).sum())
    if outline > MAX_OUTLINE:
        raise ValueError(f"outline of {outline:.3g} pixels is longer than {MAX_OUTLINE:.0e}")
    runs = coco.merge(coco.frPyObjects(polygons, height, width))
    return np.asarray(coco.decode(runs), dtype=bool)


def _points(polygon: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Check one flat list of coordinates and give it the shape (points, 2)."""
    if not isinstance(polygon, list) or not all(type(v) in (int, float) for v in polygon):
        raise ValueError("a polygon must be a flat list of numbers [x0, y0, x1, y1, …]")
    if len(polygon) < 6 or len(polygon) % 2:
        raise ValueError(
            f"a polygon needs 3 or more points x, y: got {len(polygon)} numbers, expected an "
            "even count from 6"
        )
    try:
        points = np.array(polygon, dtype=np.float64).reshape(-1, 2)
    except OverflowError:
        points = np.full((1, 2), np.inf)
    if not np.isfinite(points).all():
        raise ValueError("a polygon's coordinates must be finite")
    return points
