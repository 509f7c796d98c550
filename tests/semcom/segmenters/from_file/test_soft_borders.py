"""Soft borders are cut at half in every kind of file; what may be a photograph is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFilter

from semcom.segmenters.from_file.segmenter import read_masks
from tests.semcom.segmenters.from_file.label_maps import Array, H, W, write_map


def _drawn(seed: int, height: int = 240, width: int = 320) -> PilImage.Image:
    """Draw some white ellipses and rectangles on black."""
    rng = np.random.default_rng(seed)
    picture = PilImage.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 4))):
        x, y, r = rng.integers(0, width), rng.integers(0, height), rng.integers(20, 80)
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((int(x - r), int(y - 0.7 * r), int(x + r), int(y + 0.7 * r)), fill=255)
    return picture


def _compressed(picture: PilImage.Image, kind: str, quality: int) -> PilImage.Image:
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    return PilImage.open(buffer).convert("L")


SOFT: dict[str, Callable[[PilImage.Image], PilImage.Image]] = {
    "blur": lambda p: p.filter(ImageFilter.GaussianBlur(2)),
    "feather": lambda p: p.filter(ImageFilter.GaussianBlur(8)),
    "halved": lambda p: p.resize((160, 120), PilImage.Resampling.BOX),
    "doubled": lambda p: p.resize((640, 480), PilImage.Resampling.BICUBIC),
    "jpeg 90": lambda p: _compressed(p, "JPEG", 90),
    "jpeg 20": lambda p: _compressed(p, "JPEG", 20),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["grey8.png", "uint8.npy", "grey8.tif", "int64.npy", "palette"])
@pytest.mark.parametrize("how", SOFT)
def test_a_soft_border_is_cut_at_half_in_every_file(
    tmp_path: Path, how: str, name: str, seed: int
) -> None:
    soft = SOFT[how](_drawn(seed))
    values = np.asarray(soft)
    if name == "palette":
        path = tmp_path / "m.gif"
        soft.convert("P").save(path)
    else:
        path = write_map(tmp_path, name, values)
    masks = read_masks(path, *values.shape)
    np.testing.assert_array_equal(masks[0].pixels, values >= 128)
    assert masks.notes == ("shades of grey, cut at 128",)


def test_a_soft_border_of_16_bits_is_cut_at_half(tmp_path: Path) -> None:
    soft = np.asarray(SOFT["blur"](_drawn(0))).astype(np.uint16) * 257
    masks = read_masks(write_map(tmp_path, "grey16.png", soft), *soft.shape)
    np.testing.assert_array_equal(masks[0].pixels, soft >= 32768)
    assert masks.notes == ("shades of grey, cut at 32768",)


def test_probabilities_are_cut_at_half(tmp_path: Path) -> None:
    values = np.linspace(0, 1, H * W, dtype=np.float32).reshape(H, W)
    for path in (
        write_map(tmp_path, "float.npy", values),
        write_map(tmp_path, "float.tif", values),
    ):
        masks = read_masks(path, H, W)
        np.testing.assert_array_equal(masks[0].pixels, values >= 0.5)
        assert masks.notes == ("probabilities, cut at 0.5",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.linspace(-3, 3, H * W), "must be at least 0, got -3"),
        (np.linspace(0, 255, H * W), "whole numbers, or probabilities from 0 to 1, got 0 to 255"),
        (np.full(H * W, np.inf), "must be finite"),
        (np.full(H * W, 1e300), "whole numbers, or probabilities"),
    ],
)
def test_floats_that_are_neither_are_refused(tmp_path: Path, values: Array, message: str) -> None:
    np.save(tmp_path / "m.npy", values.reshape(H, W))
    with pytest.raises(ValueError, match=message):
        read_masks(tmp_path / "m.npy", H, W)


@pytest.mark.parametrize("photo", ["camera", "moon", "page", "coins"])
def test_a_photograph_is_no_mask(tmp_path: Path, photo: str) -> None:
    values = getattr(skimage.data, photo)()
    with pytest.raises(ValueError, match="may be labels or shades of grey"):
        read_masks(write_map(tmp_path, "grey8.png", values), *values.shape)


def test_a_wide_ramp_is_not_taken_for_labels(tmp_path: Path) -> None:
    values = np.broadcast_to(np.arange(400) // 4, (H, 400))
    with pytest.raises(ValueError, match="may be labels or shades of grey"):
        read_masks(write_map(tmp_path, "grey8.png", values), H, 400)


# ---- lossy files


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_black_and_white_in_a_jpeg_is_cut_at_half_and_said(
    tmp_path: Path, seed: int, quality: int, mode: str
) -> None:
    drawn = _drawn(seed)
    drawn.convert(mode).save(tmp_path / "m.jpg", quality=quality)
    masks = read_masks(tmp_path / "m.jpg", 240, 320)
    assert (masks[0].pixels != (np.asarray(drawn) > 0)).mean() < 0.005
    assert masks.notes == ("JPEG smears borders: cut at 128",)
