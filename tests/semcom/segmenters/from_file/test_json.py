"""Masks in JSON: COCO of one image or many, detectors, Segment Anything, nested lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from semcom.importance.region import RegionOptions, find_region
from tests.semcom.segmenters.from_file.json_masks import A, B, H, Region, W, read, same


def _rle(pixels: Region) -> dict[str, Any]:
    packed = coco.encode(np.asfortranarray(pixels, np.uint8))
    return {"size": list(pixels.shape), "counts": packed["counts"].decode()}


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
    same(read(tmp_path, content, "photos/a.jpg"), A)
    same(read(tmp_path, content, "b.png"), B)  # converted since
    none = read(tmp_path, content, "/x/c.jpg")
    assert (list(none), none.notes) == ([], ("holds no object in this image",))
    with pytest.raises(
        ValueError, match=r"annotations of 'a.jpg' and 2 other images, not of d.jpg"
    ):
        read(tmp_path, content, "d.jpg")
    with pytest.raises(ValueError, match=r"annotations of 2 images .* none is named as this one"):
        read(tmp_path, content)


def test_one_image_of_another_name_is_refused_though_its_size_is_right(tmp_path: Path) -> None:
    content = _coco("a.jpg")
    same(read(tmp_path, content, "a.jpg"), A)
    same(read(tmp_path, content), A)  # pixels have no name
    with pytest.raises(ValueError, match=r"holds annotations of 'a.jpg', not of b.jpg"):
        read(tmp_path, content, "b.jpg")


@pytest.mark.parametrize("names", [("x/a.jpg", "y/a.jpg"), ("x\\a.jpg", "y\\a.jpg")])
def test_equal_names_are_told_apart_by_their_folders(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    content = _coco(*names)
    same(read(tmp_path, content, "/data/x/a.jpg"), A)
    same(read(tmp_path, content, "/data/y/a.jpg"), B)
    with pytest.raises(ValueError, match=r"annotations of '.*' and 1 other images, not of a.jpg"):
        read(tmp_path, content, "/data/z/a.jpg")


def test_the_size_is_that_of_the_image_that_is_named(tmp_path: Path) -> None:
    content = _coco("a.jpg", "b.jpg", size=(W, H))
    with pytest.raises(ValueError, match="masks are 30x40, but the image is 40x30"):
        read(tmp_path, content, "b.jpg")


def test_results_of_a_detector_are_told_apart_by_cocos_numbers(tmp_path: Path) -> None:
    found = [
        {"image_id": 139, "category_id": 1, "segmentation": _rle(A), "score": 0.75},
        {"image_id": 285, "category_id": 1, "segmentation": _rle(B), "score": 0.5},
    ]
    for name in ("000000000139.jpg", "COCO_val2014_000000000139.jpg", "139.png"):
        masks = read(tmp_path, found, name)
        same(masks, A)
        assert masks[0].score == 0.75
    with pytest.raises(ValueError, match=r"annotations of 2 images .* none is named as this one"):
        read(tmp_path, found, "000000000140.jpg")


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
    masks = read(tmp_path, content)
    same(masks, A)
    assert masks.notes == ("1 of 2 annotations cover no pixel (no area, or outside), left out",)
    alone = read(tmp_path, content[:1])
    assert list(alone) == []
    assert alone.notes[-1] == "holds no object in this image"


def test_a_polygon_without_area_does_not_spoil_the_others(tmp_path: Path) -> None:
    square = [4, 2, 20, 2, 20, 12, 4, 12]
    masks = read(tmp_path, {"segmentation": [[1, 1, 2, 2], square, [7, 7, 7, 7, 7, 7]]})
    same(masks, A)
    assert masks.notes == ()


def test_what_has_a_box_only_is_the_box_and_said(tmp_path: Path) -> None:
    content = [
        {"bbox": [4, 2, 16, 10]},
        {"segmentation": [], "bbox": [22, 15, 17, 13], "score": 0.5},
        {"bbox": [3, 3, 0, 9]},
        {"bbox": [3, 3, 5, -1]},
        {"bbox": [1, 1, 3, 3], "segmentation": _rle(A)},
    ]
    masks = read(tmp_path, content)
    same(masks, A, B, A)
    assert masks.notes == (
        "4 of them are boxes only, filled",
        "2 of 5 annotations cover no pixel (no area, or outside), left out",
    )


@pytest.mark.parametrize("content", [[], {"annotations": []}, {"images": [], "annotations": []}])
def test_no_annotation_is_no_object(tmp_path: Path, content: object) -> None:
    masks = read(tmp_path, content)
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
    masks = read(tmp_path, content)
    same(masks, A, B)
    assert [mask.score for mask in masks] == [0.875, 1.0]
    assert masks.notes == ()


def test_sa_1bs_files_are_read(tmp_path: Path) -> None:
    about = {"image_id": 5, "width": W, "height": H, "file_name": "sa_5.jpg"}
    one = {"id": 1, "segmentation": _rle(A), "predicted_iou": 0.5}
    content = {"image": about, "annotations": [one]}
    for name in ("", "x/sa_5.jpg"):
        same(read(tmp_path, content, name), A)
    with pytest.raises(ValueError, match=r"holds annotations of 'sa_5.jpg', not of sa_6.jpg"):
        read(tmp_path, content, "sa_6.jpg")


def test_arrays_as_nested_lists_are_read_as_arrays(tmp_path: Path) -> None:
    same(read(tmp_path, A.tolist()), A)
    same(read(tmp_path, (A + 2 * B).tolist()), A, B)
    same(read(tmp_path, [A.astype(int).tolist(), B.astype(int).tolist()]), A, B)
    with pytest.raises(ValueError, match="masks are 30x40, but the image is 40x30"):
        read(tmp_path, A.T.tolist())


def test_nested_lists_of_another_size_are_no_polygons(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="annotation 0: masks are 30x40, but the image is 40x30"):
        read(tmp_path, [{"segmentation": A.T.astype(int).tolist()}])


@pytest.mark.parametrize(
    "content", [{"mask": A.tolist()}, [0, 1], 3, {"shape": []}, [[]], [[["x"]]]]
)
def test_what_is_none_of_these_is_told_what_there_is(tmp_path: Path, content: object) -> None:
    with pytest.raises(
        ValueError, match=r"not COCO .* labelme.* nested lists|JSON objects|shape|masks are"
    ):
        read(tmp_path, content)
