"""Masks in labelme's JSON."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from tests.semcom.segmenters.from_file.json_masks import A, B, H, W, read, same


def _labelme(*shapes: dict[str, Any], **changes: object) -> dict[str, Any]:
    about = {"version": "5.5.0", "imagePath": "..\\photos\\a.jpg", "imageData": None}
    return {**about, "imageHeight": H, "imageWidth": W, "shapes": list(shapes), **changes}


def _shape(kind: str, *points: list[float], **changes: object) -> dict[str, Any]:
    about = {"label": "cup", "group_id": None, "flags": {}}
    return {**about, "shape_type": kind, "points": list(points), **changes}


def test_labelmes_shapes_are_read(tmp_path: Path) -> None:
    patch = io.BytesIO()
    PilImage.fromarray(np.full((13, 17), 255, np.uint8)).save(patch, "PNG")
    text = base64.b64encode(patch.getvalue()).decode()
    content = _labelme(
        _shape("polygon", [4, 2], [20, 2], [20, 12], [4, 12]),
        _shape("rectangle", [39, 28], [22, 15], label="cat"),
        _shape("mask", [22, 15], [38, 27], mask=text),
        _shape("line", [1, 1], [9, 9]),
        _shape("point", [1, 1]),
    )
    for name in ("", "a.jpg", "x/a.png"):
        masks = read(tmp_path, content, name)
        same(masks, A, B, B)
        assert [mask.label for mask in masks] == ["cup", "cat", "cup"]
        assert masks.notes == ("2 of 5 annotations cover no pixel (no area, or outside), left out",)


def test_the_area_of_labelmes_circle_is_pi_r_squared(tmp_path: Path) -> None:
    (mask,) = read(tmp_path, _labelme(_shape("circle", [20, 15], [20, 5])))
    assert mask.pixels.sum() == pytest.approx(math.pi * 10**2, rel=0.04)
    rows, columns = np.nonzero(mask.pixels)
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((15, 20), abs=0.5)


def test_shapes_of_one_group_are_one_mask(tmp_path: Path) -> None:
    squares = [[4, 2], [20, 12]], [[22, 15], [39, 28]]
    shapes = [_shape("rectangle", *points, group_id=3) for points in squares]
    same(read(tmp_path, _labelme(*shapes)), A | B)
    same(read(tmp_path, _labelme(*(s | {"group_id": None} for s in shapes))), A, B)
    assert list(read(tmp_path, _labelme())) == []


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (_labelme(imagePath="b.jpg"), "holds shapes of 'b.jpg', not of this image"),
        (_labelme(imageWidth=41), "masks are 41x30, but the image is 40x30"),
        (_labelme(shapes=3), "shapes must be a list of JSON objects"),
        (_labelme(_shape("polygon", [1, 2, 3])), r"shape 0: points must be a list of \[x, y\]"),
        (_labelme(_shape("polygon", "x")), r"shape 0: points must be a list of \[x, y\]"),
        (_labelme(_shape("circle", [1, 2])), "shape 0: a circle needs two points, got 1"),
        (_labelme(_shape("polygon", [1, 1], [1e9, 1], [1, 9])), "far outside the 40x30 image"),
        (_labelme(_shape("circle", [1, 1], [1e300, 1])), "far outside the 40x30 image"),
        (_labelme(_shape("mask", [1, 2], [3, 4], mask="x")), "its mask is no readable PNG"),
        (_labelme(_shape("mask", [1, 2], [3, 4])), "must be a PNG in base 64"),
        (_labelme(_shape("ellipse", [1, 2], [3, 4])), "shape 0: unknown shape_type 'ellipse'"),
        (_labelme(_shape("mask", [math.nan, 2], [3, 4], mask="")), "must be finite"),
    ],
)
def test_what_is_wrong_with_labelmes_files_is_told(
    tmp_path: Path, content: object, match: str
) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        read(tmp_path, content, "a.jpg")
    assert "\n" not in str(caught.value)


def test_a_shape_without_a_type_is_a_polygon(tmp_path: Path) -> None:
    """As labelme itself takes it."""
    corners = [1, 1], [9, 1], [9, 7]
    named, unnamed = (read(tmp_path, _labelme(_shape(k, *corners)), "") for k in ("polygon", None))
    assert (named[0].pixels == unnamed[0].pixels).all()
