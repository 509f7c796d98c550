import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pycocotools import mask as coco

from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.from_file.segmenter import FromFile, read_masks
from semcom.types import Prompts

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


# ---- images


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".pgm", ".tif", ".webp"])
def test_binary_image(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    Image.fromarray(A.astype(np.uint8) * 255).save(
        path, **{"lossless": True} if suffix == ".webp" else {}
    )
    (mask,) = read_masks(path, H, W)
    np.testing.assert_array_equal(mask.pixels, A)
    assert mask.score == 1.0
    assert mask.label is None


def test_jpeg_is_thresholded(tmp_path):
    big = np.zeros((64, 80), np.uint8)
    big[16:48, 24:56] = 255
    Image.fromarray(big).save(tmp_path / "m.jpg", quality=60)
    same(read_masks(tmp_path / "m.jpg", 64, 80), big > 0)


@pytest.mark.parametrize("value", [1, 100, 128, 200, 255])
def test_one_value_is_binary(tmp_path, value):
    same(read_masks(save(tmp_path / "m.png", A.astype(np.uint8) * value), H, W), A)


def test_bilevel(tmp_path):
    Image.fromarray(A).save(tmp_path / "m.png")
    same(read_masks(tmp_path / "m.png", H, W), A)


def test_soft_grey_is_thresholded_at_128(tmp_path):
    soft = np.where(A, 255, 0).astype(np.uint8)
    soft[1:7, 2] = [1, 50, 127, 128, 200, 254]
    masks = read_masks(save(tmp_path / "m.png", soft), H, W)
    same(masks, A | square(4, 7, 2, 3))
    assert masks.notes == ("shades of grey, cut at 128",)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_labels(tmp_path, mode):
    masks = read_masks(save(tmp_path / "m.png", TWO, mode), H, W)
    same(masks, A, B)
    assert [mask.label for mask in masks] == ["1", "2"]


def test_palette_void_is_left_out(tmp_path):
    labels = TWO.copy()
    labels[0] = 255
    same(read_masks(save(tmp_path / "m.png", labels, "P"), H, W), A, B)


def test_palette_of_255_only_is_binary(tmp_path):
    same(read_masks(save(tmp_path / "m.png", A.astype(np.uint8) * 255, "P"), H, W), A)


def test_colours_and_grey_rgb(tmp_path):
    colours = np.zeros((H, W, 3), np.uint8)
    colours[A], colours[B] = (0, 0, 200), (255, 0, 0)
    same(read_masks(save(tmp_path / "c.png", colours), H, W), A, B)
    grey = np.repeat(A[..., None] * np.uint8(255), 3, axis=2)
    same(read_masks(save(tmp_path / "g.png", grey), H, W), A)


def test_alpha(tmp_path):
    rgba = np.random.default_rng(0).integers(0, 256, (H, W, 4), dtype=np.uint8)
    rgba[..., 3] = np.where(A, 255, 0)
    same(read_masks(save(tmp_path / "cutout.png", rgba), H, W), A)
    rgba[..., :3], rgba[..., 3] = TWO[..., None], 255
    same(read_masks(save(tmp_path / "opaque.png", rgba), H, W), A, B)


# ---- arrays


def test_arrays(tmp_path):
    np.save(tmp_path / "b.npy", A)
    same(read_masks(tmp_path / "b.npy", H, W), A)
    np.save(tmp_path / "l.npy", TWO.astype(np.int64) * 7)
    same(read_masks(tmp_path / "l.npy", H, W), A, B)
    np.savez_compressed(tmp_path / "z.npz", first=A, second=B)
    same(read_masks(tmp_path / "z.npz", H, W), A, B)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.full((H, W), np.nan), "must be finite"),
        (np.full((H, W), 1j), "bool, whole numbers or floats, got complex128"),
        (np.array([[{}]]), "Python objects, which are never unpickled"),
        (-A.astype(int), "at least 0, got -1"),
        (np.ones((H, W, 3), int), r"shape \(height, width\)"),
        (np.ones((W, H), bool), "masks are 12x17, but the image is 17x12"),
        (np.arange(H * W * 100).reshape(H * 10, W * 10), "different labels"),
    ],
)
def test_bad_arrays(tmp_path, array, match):
    np.save(tmp_path / "m.npy", array)
    size = (H * 10, W * 10) if array.size > 10_000 else (H, W)
    with pytest.raises(ValueError, match=match):
        read_masks(tmp_path / "m.npy", *size)


# ---- COCO


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
@settings(max_examples=60, deadline=None)
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


def rle(pixels: np.ndarray) -> dict:
    return {"size": list(pixels.shape), "counts": runs(pixels)}


def annotate(**changes: object) -> dict:
    return {"segmentation": rle(A), **changes}


def poly(*polygons: object) -> dict:
    return {"segmentation": list(polygons)}


def counts(value: object, size: object = (H, W)) -> dict:
    return {"segmentation": {"size": size, "counts": value}}


TRIANGLE = [1, 1, 5, 1, 5, 5]


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


# ---- files


def test_bad_images(tmp_path):
    with pytest.raises(ValueError, match="masks are 17x12, but the image is 5x4"):
        read_masks(save(tmp_path / "m.png", TWO), 4, 5)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"its \d+ colours run into one another"):
        read_masks(save(tmp_path / "photo.png", noise), 64, 64)
    with pytest.raises(ValueError, match="may be labels or shades of grey: save labels as a pal"):
        read_masks(save(tmp_path / "grey.png", noise[..., 0]), 64, 64)
    Image.fromarray(TWO).convert("CMYK").save(tmp_path / "cmyk.tif")
    with pytest.raises(ValueError, match="got mode CMYK"):
        read_masks(tmp_path / "cmyk.tif", H, W)


def test_bad_files(tmp_path):
    with pytest.raises(ValueError, match="no such mask file"):
        read_masks(tmp_path / "missing.png", H, W)
    with pytest.raises(ValueError, match="no such mask file"):
        FromFile(path=str(tmp_path))
    with pytest.raises(ValueError, match="needs its option path=FILE"):
        FromFile()
    (tmp_path / "m.txt").write_text("1")
    with pytest.raises(ValueError, match=r"unknown kind of mask file '.txt'; choices: .json, "):
        read_masks(tmp_path / "m.txt", H, W)
    whole = save(tmp_path / "m.png", np.tile(TWO, (40, 40))).read_bytes()
    (tmp_path / "m.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="corrupt or unreadable image"):
        read_masks(tmp_path / "m.png", 40 * H, 40 * W)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="not a readable JSON file"):
        read_masks(tmp_path / "deep.json", H, W)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".tif", ".webp", ".npy", ".npz", ".json"])
def test_empty_file(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"not a readable|not an image that Pillow can read"):
        read_masks(path, H, W)


def valid_or_value_error(path: Path) -> None:
    """Whatever the file holds: masks of the right form, or one line that names the file."""
    try:
        masks = read_masks(path, H, W)
    except ValueError as error:
        assert str(error).startswith(str(path))  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert masks or "holds no object" in " ".join(masks.notes)
        for mask in masks:
            assert mask.pixels.shape == (H, W)
            assert mask.pixels.any()
            assert 0 <= mask.score <= 1


def seeds() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for suffix in (".png", ".gif", ".bmp", ".tif", ".webp", ".jpg", ".pgm"):
            save(here / f"m{suffix}", TWO)
        np.save(here / "m.npy", TWO)
        np.savez_compressed(here / "m.npz", TWO)
        text = coco.encode(np.asfortranarray(A, np.uint8))["counts"].decode()
        write_json(here / "m.json", [counts(text), counts(runs(A)), poly(TRIANGLE)])
        return {path.suffix: path.read_bytes() for path in sorted(here.iterdir())}


SEEDS = seeds()


@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    st.floats(0, 1),
    st.binary(max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_damaged_and_garbage_bytes(suffix, flips, keep, tail):
    data = bytearray(SEEDS[suffix])
    for where, value in flips:
        data[int(where * len(data))] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"m{suffix}"
        for content in (bytes(data), bytes(data[: int(keep * len(data))]) + tail, tail):
            path.write_bytes(content)
            valid_or_value_error(path)


NUMBERS = st.integers(-3, 210) | st.floats() | st.booleans() | st.integers()
LEAVES = st.none() | NUMBERS | st.text(max_size=8)
KEYS = [
    "annotations",
    "segmentation",
    "counts",
    "size",
    "score",
    "images",
    "categories",
    "bbox",
    "image_id",
    "id",
    "file_name",
    "predicted_iou",
    "image",
    "shapes",
    "points",
    "shape_type",
    "mask",
    "group_id",
]
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
)
SEGMENTATIONS = (
    st.fixed_dictionaries(
        {
            "size": st.just([H, W]) | JSON,
            "counts": st.lists(st.integers(0, H * W), max_size=4)
            | st.text(st.characters(min_codepoint=46, max_codepoint=114))
            | JSON,
        }
    )
    | st.lists(st.lists(NUMBERS | st.floats(-20, 20), min_size=5, max_size=10), max_size=3)
    | JSON
)


@given(JSON | st.lists(st.fixed_dictionaries({"segmentation": SEGMENTATIONS}), max_size=3))
@settings(max_examples=300, deadline=None)
def test_garbage_json(content):
    with tempfile.TemporaryDirectory() as folder:
        valid_or_value_error(write_json(Path(folder) / "m.json", content))


def test_no_warning_escapes(tmp_path):
    (tmp_path / "bomb.pgm").write_bytes(b"P5 10000 10000 255\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="masks are 10000x10000"):
            read_masks(tmp_path / "bomb.pgm", H, W)


# ---- prompts

PICTURE = np.zeros((H, W, 3), np.uint8)


def test_prompts_choose(tmp_path):
    inner = square(3, 5, 4, 7)
    path = write_json(
        tmp_path / "m.json", [{"segmentation": rle(pixels)} for pixels in (A, inner, B)]
    )
    segment = SEGMENTERS.create(f"from_file:path={path}")
    same(segment(PICTURE), A, inner, B)
    prompts = Prompts(
        points=((8.9, 5.5), (4.0, 3.0), (15, 10)), boxes=((3, 2, 9, 6), (9.5, 6.5, 17, 12))
    )
    same(segment(PICTURE, prompts), A, inner, B, A, B)


def test_prompts_without_a_mask(tmp_path):
    segment = FromFile(path=str(save(tmp_path / "m.png", TWO)))
    with pytest.raises(ValueError, match="point 0,0 lies in none of the masks"):
        segment(PICTURE, Prompts(points=((0, 0),)))
    with pytest.raises(ValueError, match="box 0,0,2,2 meets none of the masks"):
        segment(PICTURE, Prompts(boxes=((0, 0, 2, 2),)))
    with pytest.raises(ValueError, match="outside the 17x12 image"):
        segment(PICTURE, Prompts(points=((17, 0),)))
