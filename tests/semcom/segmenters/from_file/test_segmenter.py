"""Masks in images and arrays, and which of them a prompt chooses."""

import numpy as np
import pytest
from PIL import Image

from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.from_file.segmenter import FromFile, read_masks
from semcom.types import Prompts
from tests.semcom.segmenters.from_file.mask_files import (
    TWO,
    A,
    B,
    H,
    W,
    rle,
    same,
    save,
    square,
    write_json,
)


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
    rgba[..., 3] = np.where(A, 100, 0)
    faint = read_masks(save(tmp_path / "faint.png", rgba), H, W)
    assert not list(faint)
    assert "less than half opaque" in faint.notes[0]
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
