"""COCO's run lengths and polygons, against pycocotools, and what is wrong with them."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from semcom.segmenters.from_file.segmenter import read_masks
from tests.semcom.segmenters.from_file.mask_files import (
    TRIANGLE,
    A,
    B,
    H,
    W,
    counts,
    poly,
    rle,
    runs,
    same,
    square,
    write_json,
)


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
@settings(max_examples=60)
def test_rle_both_forms_agree_with_pycocotools(pixels):
    pixels[0, -1] = True
    height, width = pixels.shape
    text = coco.encode(np.asfortranarray(pixels, np.uint8))["counts"].decode()
    size = [height, width]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        for counts in (text, runs(pixels)):
            write_json(path, [{"segmentation": {"size": size, "counts": counts}}])
            same(read_masks(path, height, width), pixels)


def test_large_compressed_counts(tmp_path):
    pixels = np.zeros((700, 900), bool)
    pixels[:, 400:800] = True
    pixels[3, 5] = True
    rle = coco.encode(np.asfortranarray(pixels, np.uint8))
    content = {"segmentation": {"size": [700, 900], "counts": rle["counts"].decode()}}
    same(read_masks(write_json(tmp_path / "m.json", content), 700, 900), pixels)


def test_polygon_area_is_the_shoelace_formula(tmp_path):
    x = np.array([20.0, 180.5, 150.25, 90.0, 30.75])
    y = np.array([30.0, 15.5, 140.0, 95.25, 150.0])
    area = 0.5 * abs(x @ np.roll(y, 1) - y @ np.roll(x, 1))
    perimeter = np.hypot(x - np.roll(x, 1), y - np.roll(y, 1)).sum()
    polygon = np.stack([x, y], 1).ravel().tolist()
    (mask,) = read_masks(write_json(tmp_path / "m.json", {"segmentation": [polygon]}), 160, 200)
    # Rounding moves the outline by at most half a pixel.
    assert abs(mask.pixels.sum() - area) < perimeter / 2
    reference = coco.decode(coco.merge(coco.frPyObjects([polygon], 160, 200)))
    np.testing.assert_array_equal(mask.pixels, reference)


def test_polygons_unite_and_are_clipped(tmp_path):
    polygons = [[-2, 2, 5, 2, 5, 6, -2, 6], [10, 7, 16, 7, 16, 11, 10, 11]]
    path = write_json(tmp_path / "m.json", {"segmentation": polygons})
    same(read_masks(path, H, W), square(2, 6, 0, 5) | square(7, 11, 10, 16))


def test_scores_labels_and_order(tmp_path):
    content = {
        "images": [{"id": 4, "height": H, "width": W}, {"id": 5, "height": 1, "width": 1}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"image_id": 4, "category_id": 1, "score": 0.25, "segmentation": rle(B)},
            {"image_id": 4, "category_id": 2, "segmentation": rle(A)},
        ],
    }
    masks = read_masks(write_json(tmp_path / "m.json", content), H, W)
    same(masks, B, A)
    assert [(m.score, m.label) for m in masks] == [(0.25, "cat"), (1.0, None)]


def annotate(**changes: object) -> dict:
    return {"segmentation": rle(A), **changes}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"annotations": 3}, "must be lists of JSON objects"),
        ([3], "must be lists of JSON objects"),
        ({}, "not COCO"),
        ("text", "not COCO"),
        ([annotate(image_id=1), annotate(image_id=2)], "annotations of 2 images"),
        (annotate(score=float("nan")), "score must be a number from 0 to 1"),
        (annotate(score=2), "score must be a number from 0 to 1"),
        (annotate(score="1"), "score must be a number from 0 to 1"),
        ([annotate(), {"bbox": [1, 2, 3]}], r"annotation 1: a box must be \[x, y, width, height\]"),
        ([annotate(), {"bbox": "all"}], r"annotation 1: a box must be \[x, y, width, height\]"),
        ([annotate(), {"id": 3}], "annotation 1: segmentation must be a list of polygons"),
        ({"images": [{"height": 3, "width": 4}], **annotate()}, "masks are 4x3, but the image is"),
        (counts([1, 2, 1], [2, 2]), "masks are 2x2, but the image is 17x12"),
        (counts([H * W], "12x17"), r"size must be \[height, width\]"),
        (counts([H * W, 1]), "add up to 12x17 = 204, got sum 205"),
        (counts([-1, H * W + 1]), "minimum -1"),
        (counts([]), "got sum 0"),
        (counts([10**400]), "add up to"),
        (counts([0.5]), "list of integers or a string"),
        (counts([True]), "list of integers or a string"),
        (counts(None), "list of integers or a string"),
        (counts("P"), "breaks off within a number"),
        (counts("o" * 20), "corrupt"),
        (counts("é1"), "corrupt"),
        (counts("0"), "got sum 0"),
        (poly([*TRIANGLE, 7]), "7 numbers, an odd count"),
        (poly([1, 1], [5, 1], [5, 5]), r"points \[x, y\] are no polygon of COCO's"),
        (poly(TRIANGLE, 3), "flat list of numbers"),
        (poly([*TRIANGLE[:5], "x"]), "flat list of numbers"),
        (poly([*TRIANGLE[:5], float("nan")]), "must be finite"),
        (poly([*TRIANGLE[:5], float("inf")]), "must be finite"),
        (poly([*TRIANGLE[:5], 10**400]), "must be finite"),
        (poly([*TRIANGLE[:5], 1e9]), "far outside the 17x12 image"),
        (poly([0, 0, 16, 11, 16, 0] * 100_000), "outline of"),
    ],
)
def test_bad_coco(tmp_path, content, match):
    with pytest.raises(ValueError, match=match) as caught:
        read_masks(write_json(tmp_path / "m.json", content), H, W)
    assert "\n" not in str(caught.value)


def test_a_list_of_one_other_image_is_refused(tmp_path):
    """COCO's numbers tell images apart, whether the file holds one or several."""
    path = write_json(tmp_path / "m.json", [annotate(image_id=139)])
    same(read_masks(path, H, W, image="000000000139.jpg"), A)
    same(read_masks(path, H, W, image="my photo 7.jpg"), A)  # a number of the user's own
    with pytest.raises(ValueError, match=r"annotations of image 139, not of 000000000285\.jpg"):
        read_masks(path, H, W, image="000000000285.jpg")
    unknown = {"images": [{"id": 1}], "annotations": [annotate(image_id=2)]}
    with pytest.raises(ValueError, match="has no image of id '2', which its annotations name"):
        read_masks(write_json(tmp_path / "m.json", unknown), H, W)
