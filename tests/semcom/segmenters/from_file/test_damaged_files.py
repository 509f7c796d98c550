"""Files that are damaged or hold something else: masks or one line that names the file."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco

from semcom.segmenters.from_file.segmenter import FromFile, read_masks
from tests.semcom.segmenters.from_file.mask_files import (
    TRIANGLE,
    TWO,
    A,
    H,
    W,
    counts,
    poly,
    runs,
    save,
    write_json,
)


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
@settings(max_examples=300)
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
@settings(max_examples=300)
def test_garbage_json(content):
    with tempfile.TemporaryDirectory() as folder:
        valid_or_value_error(write_json(Path(folder) / "m.json", content))


def test_no_warning_escapes(tmp_path):
    (tmp_path / "bomb.pgm").write_bytes(b"P5 10000 10000 255\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="masks are 10000x10000"):
            read_masks(tmp_path / "bomb.pgm", H, W)
