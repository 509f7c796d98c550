"""A few rectangles around the important parts of a map, cheap to send.

Each edge takes one byte, in units of 1/255 of the side, rounded outwards.
"""

from __future__ import annotations

import itertools

import scipy.ndimage

from semcom.types import Map, Region

MAX_RECTANGLES = 4
MIN_SIDE = 16  # pixels, the smallest side that codecs promise to accept
_MAX_PARTS = 16  # connected parts that get a rectangle, those of most weight first
_MAX_WASTE = 0.25  # two rectangles are merged up to this waste, since a packet has its own cost
_GRID = 255

Box = tuple[int, int, int, int]
"""Top, left, bottom, right; bottom and right lie outside."""
Area = tuple[slice, slice]


def rectangles(w: Map, matters: Region) -> list[Box]:
    """Return rectangles around the connected important parts, in units of 1/255 of the sides.

    Close rectangles are merged, and if more than ``MAX_RECTANGLES`` remain, the closest ones.
    """
    height, width = w.shape
    labels, _ = scipy.ndimage.label(matters)
    parts = [
        (float(w[part].sum()), _grow(part, height, width))
        for part in scipy.ndimage.find_objects(labels)
    ]
    boxes = [box for _, box in sorted(parts, reverse=True)[:_MAX_PARTS]]
    while len(boxes) > 1:
        pairs = itertools.combinations(boxes, 2)
        waste, one, other = min((_waste(a, b), a, b) for a, b in pairs)
        if waste > _MAX_WASTE and len(boxes) <= MAX_RECTANGLES:
            break
        boxes = [_union(one, other), *(box for box in boxes if box not in (one, other))]
    return [
        (
            _GRID * top // height,
            _GRID * left // width,
            -(-_GRID * bottom // height),
            -(-_GRID * right // width),
        )
        for top, left, bottom, right in boxes
    ]


def area_of(box: Box, height: int, width: int) -> Area:
    """Return the pixel area of a rectangle."""
    top, left, bottom, right = box
    return (
        slice(height * top // _GRID, height * bottom // _GRID),
        slice(width * left // _GRID, width * right // _GRID),
    )


def _grow(part: Area, height: int, width: int) -> Box:
    """Enlarge a rectangle that is smaller than the minimum side."""
    edges = []
    for side, cut in zip((height, width), part, strict=True):
        missing = max(MIN_SIDE - (cut.stop - cut.start), 0)
        start = min(max(cut.start - missing // 2, 0), side - MIN_SIDE)
        edges.append((start, max(cut.stop, start + MIN_SIDE)))
    (top, bottom), (left, right) = edges
    return top, left, bottom, right


def _union(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _waste(a: Box, b: Box) -> float:
    """Return the share of a union that neither covers; negative if they overlap a lot."""
    union, first, second = (
        (bottom - top) * (right - left) for top, left, bottom, right in (_union(a, b), a, b)
    )
    return 1 - (first + second) / union
