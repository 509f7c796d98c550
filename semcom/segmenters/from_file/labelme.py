"""labelme's JSON: labelled shapes, drawn on one image.

Reference: K. Wada, "Labelme: Image Polygonal Annotation with Python",
doi:10.5281/zenodo.5711226.
"""

from __future__ import annotations

import base64
import io
import math
import warnings
from typing import Any

import numpy as np
from PIL import Image as PilImage

from semcom.errors import InputError
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.coco import is_of, with_pixels
from semcom.segmenters.from_file.labels import check_count, check_size
from semcom.segmenters.from_file.shapes import coordinates, fill
from semcom.types import Mask, Region

_CORNERS = 64  # of the polygon that approximates a circle
_NO_AREA = ("line", "linestrip", "point", "points")


def masks_of(content: dict[str, Any], height: int, width: int, image: str = "") -> Masks:
    """Turn each shape that has an area into a mask; shapes of the same label and group form one.

    Raises
    ------
    ValueError
        Not in labelme's format, or of another image or size.
    """
    name, shapes = content.get("imagePath"), content["shapes"]
    if image and isinstance(name, str) and name and not is_of(name, image):
        raise InputError(f"holds shapes of {name!r:.60}, not of this image")
    if content.get("imageHeight") and content.get("imageWidth"):
        check_size((content["imageHeight"], content["imageWidth"]), height, width)
    if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
        raise InputError("labelme's shapes must be a list of JSON objects")
    check_count(len(shapes), height, width)
    found: dict[object, Mask] = {}
    for index, shape in enumerate(shapes):
        label, group = shape.get("label"), shape.get("group_id")
        try:
            pixels = _pixels(shape, height, width)
        except ValueError as error:
            raise InputError(f"shape {index}: {error}") from None
        key = index if group is None else (str(label), str(group))
        pixels = pixels | found[key].pixels if key in found else pixels
        found[key] = Mask(pixels, label=None if label is None else str(label))
    return with_pixels(list(found.values()), [])


def _pixels(shape: dict[str, Any], height: int, width: int) -> Region:
    kind, points = shape.get("shape_type") or "polygon", shape.get("points")
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise InputError(f"points must be a list of [x, y], got {points!r:.40}")
    flat = [value for point in points for value in point]
    coordinates(flat, "a shape")
    if kind in ("rectangle", "circle", "mask") and len(points) < 2:
        raise InputError(f"a {kind} needs two points, got {len(points)}")
    if kind == "mask":
        return _patch(shape.get("mask"), points[0], height, width)
    if kind == "circle":
        (x, y), edge = points[0], points[1]
        radius = math.dist((x, y), edge)
        turns = np.arange(_CORNERS) * (2 * math.pi / _CORNERS)
        corners = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1)
        return fill([corners.ravel().tolist()], height, width)
    if kind == "rectangle" and len(points) == 2:
        x0, y0, x1, y1 = flat
        flat = [x0, y0, x1, y0, x1, y1, x0, y1]
    if kind in _NO_AREA:
        return np.zeros((height, width), dtype=bool)
    if kind not in ("polygon", "rectangle", "rotation"):
        raise InputError(f"unknown shape_type {kind!r:.40}")
    return fill([flat], height, width)


def _patch(text: object, corner: list[float], height: int, width: int) -> Region:
    """Paste a mask, encoded as a PNG in base 64, at its top left corner."""
    if not isinstance(text, str):
        raise InputError("a mask must be a PNG in base 64")
    x, y = int(corner[0]), int(corner[1])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large ones, which do not fit
            data = io.BytesIO(base64.b64decode(text))
            with PilImage.open(data, formats=["PNG"]) as picture:
                fits = 0 <= x <= width - picture.width and 0 <= y <= height - picture.height
                patch = np.array(picture.convert("L")) > 0 if fits else None
    except Exception:  # Pillow's decoders may raise anything on corrupt data
        raise InputError("its mask is no readable PNG in base 64") from None
    if patch is None:
        raise InputError(f"its mask leaves the {width}x{height} image")
    pixels = np.zeros((height, width), dtype=bool)
    pixels[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
    return pixels
