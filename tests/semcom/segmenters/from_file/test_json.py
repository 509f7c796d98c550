"""Masks in JSON: COCO of one image or many, detectors, Segment Anything, labelme, nested lists."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage
from pycocotools import mask as coco

from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.segmenter import read_masks

H, W = 30, 40
Region = NDArray[np.bool_]


def _square(y0: int, y1: int, x0: int, x1: int) -> Region:
    pixels = np.zeros((H, W), dtype=bool)
    pixels[y0:y1, x0:x1] = True
    return pixels


A, B = _square(2, 12, 4, 20), _square(15, 28, 22, 39)


def _rle(pixels: Region) -> dict[str, Any]:
    packed = coco.encode(np.asfortranarray(pixels, np.uint8))
    return {"size": list(pixels.shape), "counts": packed["counts"].decode()}


def _read(folder: Path, content: object, image: str = "") -> Masks:
    path = folder / "m.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_masks(path, H, W, image=image)


def _same(masks: Masks, *expected: Region) -> None:
    assert len(masks) == len(expected)
    for mask, pixels in zip(masks, expected, strict=True):
        np.testing.assert_array_equal(mask.pixels, pixels)


# ---- COCO of several images


def _coco(*names: str, size: tuple[int, int] = (H, W)) -> dict[str, Any]:
    """Make images of one size, the first with A, the second with B, the third with neither."""
    images = [
        {"id": 7 + i, "file_name": name, "height": size[0], "width": size[1]}
        for i, name in enumerate(names)
    ]
    annotations = [
        {"id": 1, "image_id": 8, "segmentation": _rle(B)},
        {"id": 2, "image_id": 7, "segmentation": _rle(A)},
    ]
    return {"images": images, "annotations": annotations[2 - min(len(names), 2) :]}


def test_annotations_are_told_apart_by_the_images_name(tmp_path: Path) -> None:
    content = _coco("a.jpg", "b.jpg", "c.jpg")
    _same(_read(tmp_path, content, "photos/a.jpg"), A)
    _same(_read(tmp_path, content, "b.png"), B)  # converted since
    none = _read(tmp_path, content, "/x/c.jpg")
    assert (list(none), none.notes) == ([], ("holds no object in this image",))
    with pytest.raises(
        ValueError, match=r"annotations of 'a.jpg' and 2 other images, not of d.jpg"
    ):
        _read(tmp_path, content, "d.jpg")
    with pytest.raises(ValueError, match=r"annotations of 2 images .* none is named as this one"):
        _read(tmp_path, content)


def test_one_image_of_another_name_is_refused_though_its_size_is_right(tmp_path: Path) -> None:
    content = _coco("a.jpg")
    _same(_read(tmp_path, content, "a.jpg"), A)
    _same(_read(tmp_path, content), A)  # pixels have no name
    with pytest.raises(ValueError, match=r"holds annotations of 'a.jpg', not of b.jpg"):
        _read(tmp_path, content, "b.jpg")


@pytest.mark.parametrize("names", [("x/a.jpg", "y/a.jpg"), ("x\\a.jpg", "y\\a.jpg")])
def test_equal_names_are_told_apart_by_their_folders(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    content = _coco(*names)
    _same(_read(tmp_path, content, "/data/x/a.jpg"), A)
    _same(_read(tmp_path, content, "/data/y/a.jpg"), B)
    with pytest.raises(ValueError, match=r"annotations of '.*' and 1 other images, not of a.jpg"):
        _read(tmp_path, content, "/data/z/a.jpg")


def test_the_size_is_that_of_the_image_that_is_named(tmp_path: Path) -> None:
    content = _coco("a.jpg", "b.jpg", size=(W, H))
    with pytest.raises(ValueError, match="masks are 30x40, but the image is 40x30"):
        _read(tmp_path, content, "b.jpg")


def test_results_of_a_detector_are_told_apart_by_cocos_numbers(tmp_path: Path) -> None:
    found = [
        {"image_id": 139, "category_id": 1, "segmentation": _rle(A), "score": 0.75},
        {"image_id": 285, "category_id": 1, "segmentation": _rle(B), "score": 0.5},
    ]
    for name in ("000000000139.jpg", "COCO_val2014_000000000139.jpg", "139.png"):
        masks = _read(tmp_path, found, name)
        _same(masks, A)
        assert masks[0].score == 0.75
    with pytest.raises(ValueError, match=r"annotations of 2 images .* none is named as this one"):
        _read(tmp_path, found, "000000000140.jpg")


def test_wishes_pass_on_the_images_name(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(_coco("a.jpg", "b.jpg")), encoding="utf-8")
    image = np.zeros((H, W, 3), dtype=np.uint8)
    region_options = RegionOptions(mask=str(path))
    for name, region in (("a.jpg", A), ("b.jpg", B)):
        seen = find_region(image, region_options.beside(tmp_path / name))
        np.testing.assert_array_equal(seen.importance.region, region)
    by_option = RegionOptions(segmenter=f"from_file:path={path},image=b.jpg")
    np.testing.assert_array_equal(find_region(image, by_option).importance.region, B)


# ---- what has no area, and boxes


NONE = [
    [],
    [[1, 1]],
    [[1, 1, 2, 2]],
    [[3, 3, 9, 9, 6, 6]],
    [[5, 5, 5, 5, 5, 5]],
    [[-5, -5, -2, -5, -2, -2]],
    {"size": [H, W], "counts": [H * W]},
    [[0] * W] * H,
]


@pytest.mark.parametrize("segmentation", NONE)
def test_what_covers_no_pixel_is_left_out_and_said(tmp_path: Path, segmentation: object) -> None:
    content = [{"segmentation": segmentation}, {"segmentation": _rle(A)}]
    masks = _read(tmp_path, content)
    _same(masks, A)
    assert masks.notes == ("1 of 2 annotations cover no pixel (no area, or outside), left out",)
    alone = _read(tmp_path, content[:1])
    assert list(alone) == []
    assert alone.notes[-1] == "holds no object in this image"


def test_a_polygon_without_area_does_not_spoil_the_others(tmp_path: Path) -> None:
    square = [4, 2, 20, 2, 20, 12, 4, 12]
    masks = _read(tmp_path, {"segmentation": [[1, 1, 2, 2], square, [7, 7, 7, 7, 7, 7]]})
    _same(masks, A)
    assert masks.notes == ()


def test_what_has_a_box_only_is_the_box_and_said(tmp_path: Path) -> None:
    content = [
        {"bbox": [4, 2, 16, 10]},
        {"segmentation": [], "bbox": [22, 15, 17, 13], "score": 0.5},
        {"bbox": [3, 3, 0, 9]},
        {"bbox": [3, 3, 5, -1]},
        {"bbox": [1, 1, 3, 3], "segmentation": _rle(A)},
    ]
    masks = _read(tmp_path, content)
    _same(masks, A, B, A)
    assert masks.notes == (
        "4 of them are boxes only, filled",
        "2 of 5 annotations cover no pixel (no area, or outside), left out",
    )


@pytest.mark.parametrize("content", [[], {"annotations": []}, {"images": [], "annotations": []}])
def test_no_annotation_is_no_object(tmp_path: Path, content: object) -> None:
    masks = _read(tmp_path, content)
    assert (list(masks), masks.notes) == ([], ("holds no object in this image",))


# ---- Segment Anything and nested lists


@pytest.mark.parametrize("form", ["rle", "bool", "int"])
def test_lists_of_segment_anything_are_read(tmp_path: Path, form: str) -> None:
    write = {"rle": _rle, "bool": lambda m: m.tolist(), "int": lambda m: m.astype(int).tolist()}
    content = [
        {
            "segmentation": write[form](pixels),
            "area": int(pixels.sum()),
            "bbox": [0.0, 0.0, 3.0, 3.0],
            "predicted_iou": iou,
            "point_coords": [[3.5, 4.5]],
            "stability_score": 0.97,
            "crop_box": [0, 0, W, H],
        }
        for pixels, iou in ((A, 0.875), (B, 1.015))
    ]
    masks = _read(tmp_path, content)
    _same(masks, A, B)
    assert [mask.score for mask in masks] == [0.875, 1.0]
    assert masks.notes == ()


def test_sa_1bs_files_are_read(tmp_path: Path) -> None:
    about = {"image_id": 5, "width": W, "height": H, "file_name": "sa_5.jpg"}
    one = {"id": 1, "segmentation": _rle(A), "predicted_iou": 0.5}
    content = {"image": about, "annotations": [one]}
    for name in ("", "x/sa_5.jpg"):
        _same(_read(tmp_path, content, name), A)
    with pytest.raises(ValueError, match=r"holds annotations of 'sa_5.jpg', not of sa_6.jpg"):
        _read(tmp_path, content, "sa_6.jpg")


def test_arrays_as_nested_lists_are_read_as_arrays(tmp_path: Path) -> None:
    _same(_read(tmp_path, A.tolist()), A)
    _same(_read(tmp_path, (A + 2 * B).tolist()), A, B)
    _same(_read(tmp_path, [A.astype(int).tolist(), B.astype(int).tolist()]), A, B)
    with pytest.raises(ValueError, match="masks are 30x40, but the image is 40x30"):
        _read(tmp_path, A.T.tolist())


def test_nested_lists_of_another_size_are_no_polygons(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="annotation 0: masks are 30x40, but the image is 40x30"):
        _read(tmp_path, [{"segmentation": A.T.astype(int).tolist()}])


@pytest.mark.parametrize(
    "content", [{"mask": A.tolist()}, [0, 1], 3, {"shape": []}, [[]], [[["x"]]]]
)
def test_what_is_none_of_these_is_told_what_there_is(tmp_path: Path, content: object) -> None:
    with pytest.raises(
        ValueError, match=r"not COCO .* labelme.* nested lists|JSON objects|shape|masks are"
    ):
        _read(tmp_path, content)


# ---- labelme


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
        masks = _read(tmp_path, content, name)
        _same(masks, A, B, B)
        assert [mask.label for mask in masks] == ["cup", "cat", "cup"]
        assert masks.notes == ("2 of 5 annotations cover no pixel (no area, or outside), left out",)


def test_the_area_of_labelmes_circle_is_pi_r_squared(tmp_path: Path) -> None:
    (mask,) = _read(tmp_path, _labelme(_shape("circle", [20, 15], [20, 5])))
    assert mask.pixels.sum() == pytest.approx(math.pi * 10**2, rel=0.04)
    rows, columns = np.nonzero(mask.pixels)
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((15, 20), abs=0.5)


def test_shapes_of_one_group_are_one_mask(tmp_path: Path) -> None:
    squares = [[4, 2], [20, 12]], [[22, 15], [39, 28]]
    shapes = [_shape("rectangle", *points, group_id=3) for points in squares]
    _same(_read(tmp_path, _labelme(*shapes)), A | B)
    _same(_read(tmp_path, _labelme(*(s | {"group_id": None} for s in shapes))), A, B)
    assert list(_read(tmp_path, _labelme())) == []


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
        (_labelme(_shape("mask", [math.nan, 2], [3, 4], mask="")), "must be finite"),
    ],
)
def test_what_is_wrong_with_labelmes_files_is_told(
    tmp_path: Path, content: object, match: str
) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        _read(tmp_path, content, "a.jpg")
    assert "\n" not in str(caught.value)
