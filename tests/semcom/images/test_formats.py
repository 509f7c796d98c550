"""Images come in upright, 8-bit and RGB, whatever the kind of file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags
from PIL import Image as PilImage

from semcom.hashes import digest
from semcom.images import load_image
from tests.semcom.images.files import Pixels, save_as


@pytest.mark.parametrize("name", ["x.png", "x.bmp", "x.ppm", "x.tif", "x.webp", "x.tga"])
def test_lossless_files_give_their_pixels_without_a_note(
    tmp_path: Path, pixels: Pixels, name: str
) -> None:
    options = {"lossless": True} if name == "x.webp" else {}
    image, notes = load_image(save_as(tmp_path, name, pixels, **options))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, pixels)
    assert notes == []


def test_a_path_may_be_text(tmp_path: Path, pixels: Pixels) -> None:
    np.testing.assert_array_equal(load_image(str(save_as(tmp_path, "x.png", pixels)))[0], pixels)


def test_jpeg_is_near(tmp_path: Path, pixels: Pixels) -> None:
    image, notes = load_image(save_as(tmp_path, "x.jpg", pixels, quality=95))
    assert np.abs(image.astype(int) - pixels).mean() < 6
    assert notes == []


@pytest.mark.parametrize(("mode", "word"), [("L", "greyscale"), ("1", "black and white")])
def test_grey_is_repeated_and_said_so(tmp_path: Path, pixels: Pixels, mode: str, word: str) -> None:
    image, notes = load_image(save_as(tmp_path, "x.png", pixels, mode))
    expected = np.asarray(PilImage.fromarray(pixels).convert(mode).convert("L"))
    np.testing.assert_array_equal(image, np.repeat(expected[..., None], 3, axis=-1))
    assert notes == [f"{word} converted to RGB"]


def test_a_palette_is_looked_up_and_said_so(tmp_path: Path, pixels: Pixels) -> None:
    path = save_as(tmp_path, "x.gif", pixels, "P")
    image, notes = load_image(path)
    with PilImage.open(path) as picture:
        np.testing.assert_array_equal(image, np.asarray(picture.convert("RGB")))
    assert notes == ["palette converted to RGB"]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_over_white_and_said_so(tmp_path: Path, pixels: Pixels, mode: str) -> None:
    picture = PilImage.fromarray(pixels).convert(mode)
    alpha = np.linspace(0, 255, pixels.shape[1]).round().astype(np.uint8)
    alpha = np.broadcast_to(alpha, pixels.shape[:2]).copy()
    picture.putalpha(PilImage.fromarray(alpha))
    picture.save(tmp_path / "x.png")
    image, notes = load_image(tmp_path / "x.png")
    colour = np.asarray(picture.convert("RGB"), dtype=float)
    share = alpha[..., None] / 255
    assert np.abs(image - (share * colour + (1 - share) * 255)).max() <= 1
    assert len(notes) == 1
    assert "alpha" in notes[0]
    assert "over white" in notes[0]


def test_a_transparent_colour_is_laid_over_white_and_said_so(
    tmp_path: Path, pixels: Pixels
) -> None:
    pixels = pixels.copy()
    pixels[:10] = 0, 0, 255
    image, notes = load_image(save_as(tmp_path, "x.png", pixels, transparency=(0, 0, 255)))
    assert (image[:10] == 255).all()
    np.testing.assert_array_equal(image[10:], pixels[10:])
    assert notes == ["transparency laid over white"]


def test_a_transparent_grey_of_16_bits_is_laid_over_white_as_well(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65_535, 32 * 32).round().astype(np.uint16).reshape(32, 32)
    PilImage.fromarray(ramp).save(tmp_path / "x.png", transparency=0)
    image, notes = load_image(tmp_path / "x.png")
    assert (image[0, 0] == 255).all()
    np.testing.assert_array_equal(image[..., 0].ravel()[1:], (ramp >> 8).ravel()[1:])
    assert any("laid over white" in note for note in notes)


@pytest.mark.parametrize("orientation", [0, 1, 9, 77])
def test_exif_orientations_without_meaning_turn_nothing(
    tmp_path: Path, pixels: Pixels, orientation: int
) -> None:
    exif = PilImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image, notes = load_image(save_as(tmp_path, "x.png", pixels, exif=exif))
    np.testing.assert_array_equal(image, pixels)
    assert notes == []


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 17), (33, 16), (17, 31)])
def test_sizes_from_16_up_odd_ones_too(
    tmp_path: Path, pixels: Pixels, height: int, width: int
) -> None:
    image, _ = load_image(save_as(tmp_path, "x.png", pixels[:height, :width]))
    assert image.shape == (height, width, 3)


@pytest.mark.parametrize("name", ["x.jpg", "x.tif"])
def test_cmyk_is_converted_and_said(tmp_path: Path, pixels: Pixels, name: str) -> None:
    options = {"quality": 95} if name == "x.jpg" else {}
    image, notes = load_image(save_as(tmp_path, name, pixels, "CMYK", **options))
    assert np.abs(image.astype(int) - pixels).mean() < (4 if name == "x.jpg" else 1)
    assert notes == ["CMYK converted to RGB"]


def test_of_a_cameras_pictures_the_first_is_taken_and_said(tmp_path: Path, pixels: Pixels) -> None:
    second = PilImage.fromarray(255 - pixels)
    options = {"save_all": True, "append_images": [second, second], "quality": 95}
    image, notes = load_image(save_as(tmp_path, "x.mpo", pixels, **options))
    alone, _ = load_image(save_as(tmp_path, "x.jpg", pixels, quality=95))
    np.testing.assert_array_equal(image, alone)
    assert notes == ["the first of 3 pictures in the file"]


def test_the_digest_is_of_the_pixels_and_the_shape(tmp_path: Path, pixels: Pixels) -> None:
    stored = [load_image(save_as(tmp_path, name, pixels))[0] for name in ("x.png", "x.bmp")]
    assert digest(stored[0]) == digest(stored[1])
    changed = pixels.copy()
    changed[0, 0, 0] ^= 1
    assert digest(changed) != digest(pixels)
    assert digest(np.ascontiguousarray(pixels.reshape(64, 48, 3))) != digest(pixels)
