"""Pictures and masks stand upright, whatever their files' orientation, format and layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as PilImage

from semcom.images import load_image
from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters.from_file.segmenter import read_masks

Array = NDArray[np.generic]

# EXIF 2.32, 4.6.4: where the file's 0th row and 0th column are to be seen.
UPRIGHT: dict[int, Callable[[Array], Array]] = {
    1: lambda x: x,
    2: np.fliplr,  # top, right
    3: lambda x: np.rot90(x, 2),  # bottom, right
    4: np.flipud,  # bottom, left
    5: lambda x: x.swapaxes(0, 1),  # left, top
    6: lambda x: np.rot90(x, -1),  # right, top
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),  # right, bottom
    8: np.rot90,  # left, bottom
}
SIZES = [(64, 64), (48, 80)]


def _corner(height: int, width: int) -> Array:
    """Make a mask that is another one however it is turned or mirrored."""
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[: height // 2, : width // 4] = 255
    mask[8:24, : width // 2] = 255
    return mask


def _save(path: Path, pixels: Array, orientation: int) -> Path:
    """Save with an orientation; a TIFF's name says how it is laid out."""
    if path.suffix != ".tif":
        exif = PilImage.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        options = {"lossless": True} if path.suffix == ".webp" else {}
        PilImage.fromarray(pixels).save(path, exif=exif, **options)
        return path
    options = {
        "raw": {},
        "strips": {"rowsperstrip": 7},
        "deflate": {"compression": "zlib"},
        "tiles": {"tile": (16, 16)},
    }[path.stem]
    photometric = "rgb" if pixels.ndim == 3 else "minisblack"
    tag = (274, "H", 1, orientation, True)
    tifffile.imwrite(path, pixels, photometric=photometric, extratags=[tag], **options)
    return path


FILES = ["x.png", "x.webp", "x.jpg", "raw.tif", "strips.tif", "deflate.tif", "tiles.tif"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_pictures_are_turned_upright(
    tmp_path: Path, orientation: int, colours: bool, name: str, size: tuple[int, int]
) -> None:
    pixels = _corner(*size)
    if colours:
        pixels = np.stack([pixels, pixels.T.reshape(size), 255 - pixels], axis=-1)
    image, notes = load_image(_save(tmp_path / name, pixels, orientation))
    expected = UPRIGHT[orientation](pixels if colours else np.repeat(pixels[..., None], 3, axis=2))
    assert image.shape == expected.shape
    wrong = np.abs(image.astype(int) - expected) > 128 * (name == "x.jpg")
    assert wrong.mean() < 0.02 * (name == "x.jpg") + 1e-9
    assert ("turned upright by its EXIF orientation" in notes) == (orientation != 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_masks_are_turned_as_pictures_are(
    tmp_path: Path, orientation: int, name: str, size: tuple[int, int]
) -> None:
    pixels = _corner(*size)
    expected = UPRIGHT[orientation](pixels > 0)
    (mask,) = masks = read_masks(_save(tmp_path / name, pixels, orientation), *expected.shape)
    assert (mask.pixels != expected).mean() < 0.02 * (name == "x.jpg") + 1e-9
    assert ("turned upright by its EXIF orientation" in masks.notes) == (orientation != 1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".tif")])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_labels_of_every_depth_are_turned(
    tmp_path: Path, orientation: int, name: str, dtype: str
) -> None:
    labels = _corner(48, 80).astype(dtype) // 255
    labels[30:40, 50:70] = 7
    path = _save(tmp_path / name, labels, orientation)
    expected = UPRIGHT[orientation](labels)
    one, seven = read_masks(path, *expected.shape)
    np.testing.assert_array_equal(one.pixels, expected == 1)
    np.testing.assert_array_equal(seven.pixels, expected == 7)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_pictures_of_16_bits_are_turned(tmp_path: Path, orientation: int) -> None:
    pixels = _corner(48, 80).astype(np.uint16) * 257
    image, _ = load_image(_save(tmp_path / "raw.tif", pixels, orientation))
    np.testing.assert_array_equal(image[..., 0], UPRIGHT[orientation](pixels >> 8))


def test_a_mask_that_fits_before_it_is_turned_does_not_fit(tmp_path: Path) -> None:
    path = _save(tmp_path / "x.png", _corner(48, 80), 6)
    with pytest.raises(ValueError, match="masks are 48x80, but the image is 80x48"):
        read_masks(path, 48, 80)


def test_a_picture_and_its_mask_from_one_camera_stay_together(tmp_path: Path) -> None:
    pixels = _corner(64, 64)
    picture = _save(tmp_path / "x.png", np.repeat(pixels[..., None], 3, axis=2), 2)
    _save(tmp_path / "x_mask.png", pixels, 2)
    image, _ = load_image(picture)
    seen = find_region(image, RegionOptions(mask="beside").beside(picture))
    np.testing.assert_array_equal(seen.importance.region, image[..., 0] > 0)
    assert seen.notes == ("x_mask.png: turned upright by its EXIF orientation",)
