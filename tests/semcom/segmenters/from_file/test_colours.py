"""Colours and palettes of label maps, lossless and lossy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PilImage
from PIL import ImageFilter

from semcom.segmenters.from_file.segmenter import read_masks
from tests.semcom.segmenters.from_file.label_maps import H, W, label_map, write_palette


def test_void_in_vocs_colours_is_left_out(tmp_path: Path) -> None:
    values = label_map(1, 15, 255)
    write_palette(tmp_path / "p.png", values)
    PilImage.open(tmp_path / "p.png").convert("RGB").save(tmp_path / "c.png")
    masks = read_masks(tmp_path / "c.png", H, W)
    assert masks.notes == ("VOC's void colour is left out",)
    for mask, label in zip(masks, (1, 15), strict=True):
        np.testing.assert_array_equal(mask.pixels, values == label)


@pytest.mark.parametrize("order", [(0, 255), (255, 0)])
def test_black_and_white_in_a_palette_is_told_by_its_greys(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    inside = label_map(1) > 0
    white = order.index(255)
    picture = PilImage.fromarray(np.where(inside, white, 1 - white).astype(np.uint8), "L")
    picture.putpalette([order[0]] * 3 + [order[1]] * 3)
    picture.save(tmp_path / "m.png")
    (mask,) = read_masks(tmp_path / "m.png", H, W)
    np.testing.assert_array_equal(mask.pixels, inside)


def test_a_palette_whose_black_is_not_colour_0_is_refused(tmp_path: Path) -> None:
    picture = PilImage.fromarray(label_map(1, 2, dtype="uint8"), "L")
    picture.putpalette([200, 0, 0, 0, 0, 0, 0, 200, 0])
    picture.save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="colour 1 of its palette is black, but colour 0 is not"):
        read_masks(tmp_path / "m.png", H, W)


def test_colours_that_run_into_one_another_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((H, W, 3), np.uint8)
    colours[label_map(1) > 0] = 250, 10, 10
    soft = PilImage.fromarray(colours).filter(ImageFilter.GaussianBlur(1.5))
    soft.save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="colours run into one another"):
        read_masks(tmp_path / "m.png", H, W)


def test_a_tiff_whose_0_is_white_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "m.tif", label_map(1) > 0)  # its default for bools
    with pytest.raises(ValueError, match="0 is white in this TIFF"):
        read_masks(tmp_path / "m.tif", H, W)
    tifffile.imwrite(tmp_path / "m.tif", label_map(1) > 0, photometric="minisblack")
    np.testing.assert_array_equal(read_masks(tmp_path / "m.tif", H, W)[0].pixels, label_map(1) > 0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_16_bits_are_refused(tmp_path: Path, mode: str) -> None:
    deep = np.repeat(label_map(1, 2)[..., None], len(mode), axis=2).astype(np.uint16)
    deep[..., 3:] = 65535
    options = {"extrasamples": ["unassalpha"]} if mode == "RGBA" else {}
    tifffile.imwrite(tmp_path / "m.tif", deep, photometric="rgb", **options)
    with pytest.raises(ValueError, match="masks of more than 8 bits must be grey"):
        read_masks(tmp_path / "m.tif", H, W)


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("labels", [(1, 2, 3), (5, 10, 15, 255), (85, 170, 255), (1, 2, 255)])
def test_labels_in_a_jpeg_are_refused(
    tmp_path: Path, labels: tuple[int, ...], quality: int
) -> None:
    values = np.kron(label_map(*labels, dtype="uint8"), np.ones((3, 3), np.uint8))
    PilImage.fromarray(values).save(tmp_path / "m.jpg", quality=quality)
    with pytest.raises(ValueError, match="JPEG is lossy and smears labels"):
        read_masks(tmp_path / "m.jpg", *values.shape)


@pytest.mark.parametrize("name", ["m.jpg", "m.jfif", "m.webp"])
def test_colours_of_labels_in_a_lossy_file_are_refused(tmp_path: Path, name: str) -> None:
    write_palette(tmp_path / "p.png", label_map(1, 2, 15))
    PilImage.open(tmp_path / "p.png").convert("RGB").save(tmp_path / name, quality=80)
    with pytest.raises(ValueError, match="is lossy and mixes colours of labels: save PNG"):
        read_masks(tmp_path / name, H, W)
