"""What is no image is refused in one line that names the file, and nothing in it is run."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PilImage

import semcom
from semcom.images import MAX_PIXELS, load_image
from tests.semcom.images.files import Pixels, refusal, save_as, write_png


@pytest.mark.parametrize(("height", "width"), [(15, 40), (40, 15), (1, 1)])
def test_a_side_below_16_is_refused(
    tmp_path: Path, pixels: Pixels, height: int, width: int
) -> None:
    path = save_as(tmp_path, "x.png", pixels[:height, :width])
    assert refusal(path) == f"{width}x{height} is smaller than 16x16"


def test_a_side_that_no_header_can_say_is_refused(tmp_path: Path) -> None:
    path = write_png(tmp_path / "x.png", 65_536, 16, 8, 2, b"")
    assert "65536x16 has a side over 65535 pixels" in refusal(path)


@pytest.mark.parametrize(
    ("width", "height"), [(MAX_PIXELS // 16 // 1000, 16_001), (10_000, 10_000), (60_000, 60_000)]
)
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, width: int, height: int) -> None:
    assert "more than 50 megapixels" in refusal(
        write_png(tmp_path / "x.png", width, height, 8, 2, b"")
    )


def test_a_colour_space_without_a_conversion_is_refused(tmp_path: Path, pixels: Pixels) -> None:
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="cielab")
    assert "colour mode LAB is not supported; convert it to RGB" in refusal(tmp_path / "x.tif")


@pytest.mark.parametrize("name", ["x.gif", "x.png", "x.tif", "x.webp"])
def test_animations_and_pages_are_refused(tmp_path: Path, pixels: Pixels, name: str) -> None:
    second = PilImage.fromarray(255 - pixels)
    path = save_as(tmp_path, name, pixels, save_all=True, append_images=[second])
    assert "animated or multi-page (2 frames)" in refusal(path)


def test_missing_files_folders_and_what_is_no_image(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nope.png") == "no such file"
    (tmp_path / "empty.png").touch()
    assert refusal(tmp_path) == "is a folder"
    assert refusal(tmp_path / "empty.png") == "not an image that Pillow can read"
    (tmp_path / "text.png").write_text("hello")
    assert refusal(tmp_path / "text.png") == "not an image that Pillow can read"


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "tif", "webp", "gif", "qoi", "dds"])
def test_a_file_that_breaks_off_is_refused(tmp_path: Path, pixels: Pixels, kind: str) -> None:
    path = save_as(tmp_path, f"x.{kind}", pixels)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refusal(path)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it meets; only exceptions count here
@pytest.mark.parametrize(
    "kind", ["png", "jpeg", "gif", "tiff", "bmp", "webp", "ppm", "sgi", "dds", "jpeg2000", "ico"]
)
def test_damage_gives_an_image_or_a_refusal_never_another_exception(
    tmp_path: Path, pixels: Pixels, kind: str
) -> None:
    buffer = io.BytesIO()
    PilImage.fromarray(pixels).save(buffer, kind)
    whole = buffer.getvalue()
    rng = np.random.default_rng(0)
    path = tmp_path / "x"
    refused = 0
    for trial in range(30):
        data = bytearray(whole)
        reach = min(len(data), 100) if trial % 2 else len(data)
        for position in rng.integers(0, reach, 4):
            data[position] = rng.choice([0, 1, 127, 255])
        path.write_bytes(data)
        try:
            image, _ = load_image(path)
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ")  # noqa: PT017 - most trials do raise
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert image.dtype == np.uint8
            assert image.ndim == 3
    assert refused > 0


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((15, 32, 3), np.uint8),
        np.zeros((16, 70_000, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "small", "long"],
)
def test_arrays_that_are_no_images_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^an image must "):
        semcom.send(array, segmenter="graph")


def test_a_program_is_not_run(tmp_path):
    """Pillow hands PostScript to Ghostscript, under whatever name it comes."""
    path = tmp_path / "photo.png"
    path.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n"
    )
    with pytest.raises(ValueError, match="PostScript is a program, not a picture"):
        load_image(path)


@pytest.mark.parametrize(
    ("image", "got"),
    [([[1]], "got list"), (np.zeros((32, 32, 3)), r"got float64 of shape \(32, 32, 3\)")],
)
def test_what_is_no_array_of_pixels_is_refused(image: object, got: str) -> None:
    with pytest.raises(ValueError, match=rf"an image must be uint8 of shape \(H, W, 3\), {got}"):
        semcom.send(image, segmenter="graph")
