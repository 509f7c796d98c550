"""Images come in upright, 8-bit and RGB, or are refused in one line that names the file."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, features
from PIL import Image as PilImage

import semcom
from semcom.images import MAX_PIXELS, digest, find_images, load_image

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """48 rows, 64 columns of a face."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[60:108, 190:254])


def _save(folder: Path, name: str, pixels: Pixels, mode: str = "RGB", **options: object) -> Path:
    path = folder / name
    PilImage.fromarray(pixels).convert(mode).save(path, **options)  # type: ignore[arg-type]
    return path


def _png(path: Path, width: int, height: int, depth: int, colour: int, rows: bytes) -> Path:
    """Write a PNG by hand: Pillow writes no 16-bit colour, nor headers without pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def _refusal(path: Path) -> str:
    """Return why a file is refused, without its name."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at here
        load_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", ["x.png", "x.bmp", "x.ppm", "x.tif", "x.webp", "x.tga"])
def test_lossless_files_give_their_pixels_without_a_note(
    tmp_path: Path, pixels: Pixels, name: str
) -> None:
    options = {"lossless": True} if name == "x.webp" else {}
    image, notes = load_image(_save(tmp_path, name, pixels, **options))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, pixels)
    assert notes == []


def test_a_path_may_be_text(tmp_path: Path, pixels: Pixels) -> None:
    np.testing.assert_array_equal(load_image(str(_save(tmp_path, "x.png", pixels)))[0], pixels)


def test_jpeg_is_near(tmp_path: Path, pixels: Pixels) -> None:
    image, notes = load_image(_save(tmp_path, "x.jpg", pixels, quality=95))
    assert np.abs(image.astype(int) - pixels).mean() < 6
    assert notes == []


@pytest.mark.parametrize(("mode", "word"), [("L", "greyscale"), ("1", "black and white")])
def test_grey_is_repeated_and_said_so(tmp_path: Path, pixels: Pixels, mode: str, word: str) -> None:
    image, notes = load_image(_save(tmp_path, "x.png", pixels, mode))
    expected = np.asarray(PilImage.fromarray(pixels).convert(mode).convert("L"))
    np.testing.assert_array_equal(image, np.repeat(expected[..., None], 3, axis=-1))
    assert notes == [f"{word} converted to RGB"]


def test_a_palette_is_looked_up_and_said_so(tmp_path: Path, pixels: Pixels) -> None:
    path = _save(tmp_path, "x.gif", pixels, "P")
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
    image, notes = load_image(_save(tmp_path, "x.png", pixels, transparency=(0, 0, 255)))
    assert (image[:10] == 255).all()
    np.testing.assert_array_equal(image[10:], pixels[10:])
    assert notes == ["transparency laid over white"]


# EXIF 2.32, 4.6.4: where the file's 0th row and 0th column are to be seen.
UPRIGHT = {
    2: np.fliplr,  # top, right
    3: lambda x: np.rot90(x, 2),  # bottom, right
    4: np.flipud,  # bottom, left
    5: lambda x: x.swapaxes(0, 1),  # left, top
    6: lambda x: np.rot90(x, -1),  # right, top
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),  # right, bottom
    8: np.rot90,  # left, bottom
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_turns_upright_and_is_said_so(
    tmp_path: Path, pixels: Pixels, orientation: int
) -> None:
    exif = PilImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image, notes = load_image(_save(tmp_path, "x.png", pixels, exif=exif))
    np.testing.assert_array_equal(image, UPRIGHT[orientation](pixels))
    assert notes == ["turned upright by its EXIF orientation"]


@pytest.mark.parametrize("orientation", [0, 1, 9, 77])
def test_exif_orientations_without_meaning_turn_nothing(
    tmp_path: Path, pixels: Pixels, orientation: int
) -> None:
    exif = PilImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image, notes = load_image(_save(tmp_path, "x.png", pixels, exif=exif))
    np.testing.assert_array_equal(image, pixels)
    assert notes == []


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 17), (33, 16), (17, 31)])
def test_sizes_from_16_up_odd_ones_too(
    tmp_path: Path, pixels: Pixels, height: int, width: int
) -> None:
    image, _ = load_image(_save(tmp_path, "x.png", pixels[:height, :width]))
    assert image.shape == (height, width, 3)


@pytest.mark.parametrize(("height", "width"), [(15, 40), (40, 15), (1, 1)])
def test_a_side_below_16_is_refused(
    tmp_path: Path, pixels: Pixels, height: int, width: int
) -> None:
    path = _save(tmp_path, "x.png", pixels[:height, :width])
    assert _refusal(path) == f"{width}x{height} is smaller than 16x16"


def test_a_side_that_no_header_can_say_is_refused(tmp_path: Path) -> None:
    path = _png(tmp_path / "x.png", 65_536, 16, 8, 2, b"")
    assert "65536x16 has a side over 65535 pixels" in _refusal(path)


@pytest.mark.parametrize(
    ("width", "height"), [(MAX_PIXELS // 16 // 1000, 16_001), (10_000, 10_000), (60_000, 60_000)]
)
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, width: int, height: int) -> None:
    assert "more than 50 megapixels" in _refusal(_png(tmp_path / "x.png", width, height, 8, 2, b""))


def _deep_png(path: Path, pixels: Pixels, colour: int, channels: int) -> Path:
    deep = pixels.astype(">u2")[..., [0, 1, 2, 0][:channels]] * np.uint16(257)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    return _png(path, pixels.shape[1], pixels.shape[0], 16, colour, rows)


@pytest.mark.parametrize(
    ("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["grey", "rgb", "la", "rgba"]
)
def test_a_16_bit_png_is_refused(
    tmp_path: Path, pixels: Pixels, colour: int, channels: int
) -> None:
    path = _deep_png(tmp_path / "x.png", pixels, colour, channels)
    assert "more than 8 bits per channel" in _refusal(path)


@pytest.mark.parametrize("layout", ["grey", "contig", "separate", "deflate", "big-endian", "int32"])
def test_a_deep_tiff_is_refused(tmp_path: Path, pixels: Pixels, layout: str) -> None:
    deep, path = pixels.astype(np.uint16) * 257, tmp_path / "x.tif"
    if layout == "grey":
        tifffile.imwrite(path, deep[..., 0])
    elif layout == "int32":
        tifffile.imwrite(path, pixels[..., 0].astype(np.int32))
    elif layout == "separate":
        planes = np.ascontiguousarray(deep.transpose(2, 0, 1))
        tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    elif layout == "deflate":
        tifffile.imwrite(path, deep, photometric="rgb", compression="zlib")
    else:
        byteorder = ">" if layout == "big-endian" else "<"
        tifffile.imwrite(path, deep, photometric="rgb", byteorder=byteorder)
    assert "more than 8 bits per channel" in _refusal(path)


@pytest.mark.parametrize("maximum", [256, 1023, 65535])
@pytest.mark.parametrize("kind", ["P6", "P5", "P3"])
def test_a_deep_pnm_is_refused(tmp_path: Path, pixels: Pixels, maximum: int, kind: str) -> None:
    values = pixels if kind != "P5" else pixels[..., 0]
    body = values.astype(">u2").tobytes()
    if kind == "P3":
        body = " ".join(map(str, values.ravel())).encode()
    path = tmp_path / "x.ppm"
    path.write_bytes(f"{kind}\n64 48\n{maximum}\n".encode() + body)
    assert "more than 8 bits per channel" in _refusal(path)


def test_a_shallow_pnm_is_scaled(tmp_path: Path, pixels: Pixels) -> None:
    path = tmp_path / "x.ppm"
    path.write_bytes(b"P6\n64 48\n100\n" + (pixels // 3).tobytes())
    image, _ = load_image(path)
    assert np.abs(image - (pixels // 3) * 2.55).max() <= 1


@pytest.mark.parametrize(
    ("name", "feature", "encoders", "layout"),
    [
        ("x.jp2", "jpg_2000", ("jpeg2000",), "rgb48le"),
        ("x.avif", "avif", ("libsvtav1", "libaom-av1"), "yuv420p10le"),
    ],
)
def test_what_pillow_cuts_to_8_bits_in_silence_is_refused(
    tmp_path: Path, pixels: Pixels, name: str, feature: str, encoders: tuple[str, ...], layout: str
) -> None:
    encoder = next((each for each in encoders if each in av.codecs_available), None)
    if encoder is None or not features.check(feature):
        pytest.skip(f"needs Pillow with {feature} and FFmpeg with one of {', '.join(encoders)}")
    frame = av.VideoFrame.from_ndarray(pixels.astype(np.uint16) * 257, format="rgb48le")
    kind = "avif" if name == "x.avif" else "image2"
    options = {"update": "1"} if kind == "image2" else {}
    with av.open(str(tmp_path / name), "w", format=kind, options=options) as file:
        stream = file.add_stream(encoder, rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, layout
        file.mux(stream.encode(frame.reformat(format=layout)) + stream.encode(None))
    assert "more than 8 bits per channel" in _refusal(tmp_path / name)
    shallow = _save(tmp_path, f"shallow-{name}", pixels)
    assert load_image(shallow)[0].shape == pixels.shape


@pytest.mark.parametrize("name", ["x.jpg", "x.tif"])
def test_cmyk_is_refused(tmp_path: Path, pixels: Pixels, name: str) -> None:
    assert "colour mode CMYK" in _refusal(_save(tmp_path, name, pixels, "CMYK"))


@pytest.mark.parametrize("name", ["x.gif", "x.png", "x.tif", "x.webp"])
def test_animations_and_pages_are_refused(tmp_path: Path, pixels: Pixels, name: str) -> None:
    second = PilImage.fromarray(255 - pixels)
    path = _save(tmp_path, name, pixels, save_all=True, append_images=[second])
    assert "animated or multi-page (2 frames)" in _refusal(path)


def test_missing_files_folders_and_what_is_no_image(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "nope.png") == "no such file"
    assert _refusal(tmp_path) == "is a folder"
    (tmp_path / "empty.png").touch()
    assert _refusal(tmp_path / "empty.png") == "not an image that Pillow can read"
    (tmp_path / "text.png").write_text("hello")
    assert _refusal(tmp_path / "text.png") == "not an image that Pillow can read"


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "tif", "webp", "gif", "qoi", "dds"])
def test_a_file_that_breaks_off_is_refused(tmp_path: Path, pixels: Pixels, kind: str) -> None:
    path = _save(tmp_path, f"x.{kind}", pixels)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _refusal(path)


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


def test_folders_are_expanded_in_order_without_masks(tmp_path: Path, pixels: Pixels) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("b.png", "a.JPG", "a_mask.png", "c.gif"):
        _save(folder, name, pixels)
    (folder / "notes.txt").touch()
    alone = tmp_path / "z_mask.png"
    found = find_images([alone, folder])
    assert found == [alone, folder / "a.JPG", folder / "b.png", folder / "c.gif"]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="no images in this folder"):
        find_images([tmp_path])


def test_the_digest_is_of_the_pixels_and_the_shape(tmp_path: Path, pixels: Pixels) -> None:
    stored = [load_image(_save(tmp_path, name, pixels))[0] for name in ("x.png", "x.bmp")]
    assert digest(stored[0]) == digest(stored[1])
    changed = pixels.copy()
    changed[0, 0, 0] ^= 1
    assert digest(changed) != digest(pixels)
    assert digest(np.ascontiguousarray(pixels.reshape(64, 48, 3))) != digest(pixels)


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
