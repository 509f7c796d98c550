"""Images come in upright, 8-bit and RGB, or are refused in one line that names the file."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
import sys
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
from semcom.hashes import digest
from semcom.images import MAX_PIXELS, SUFFIXES, find_images, load_image

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


DEEP = "more than 8 bits per channel: the upper 8 are kept"


def _upper(deep: NDArray[np.uint16]) -> Pixels:
    """Keep the upper 8 bits of 16, (H, W) or (H, W, 3), as RGB."""
    upper = (deep >> 8).astype(np.uint8)
    return upper if deep.ndim == 3 else np.repeat(upper[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def deep(pixels: Pixels) -> NDArray[np.uint16]:
    """The face with 16 bits, of which the lower ones matter to rounding."""
    noise = np.random.default_rng(0).integers(0, 256, pixels.shape)
    return (pixels.astype(np.uint16) << 8) + noise.astype(np.uint16)


@pytest.mark.parametrize(
    ("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["grey", "rgb", "la", "rgba"]
)
def test_of_a_16_bit_png_the_upper_8_are_kept_and_said(
    tmp_path: Path, deep: NDArray[np.uint16], colour: int, channels: int
) -> None:
    stored = deep[..., [0, 1, 2, 0][:channels]].copy()
    if channels in (2, 4):
        stored[..., -1] = 65535
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in stored)
    path = _png(tmp_path / "x.png", deep.shape[1], deep.shape[0], 16, colour, rows)
    image, notes = load_image(path)
    expected = _upper(deep) if channels > 2 else _upper(deep[..., 0])
    np.testing.assert_array_equal(image, expected)
    assert notes[-1] == DEEP


@pytest.mark.parametrize(
    "layout", ["grey", "contig", "deflate", "big-endian", "big-endian grey", "tiles"]
)
def test_of_a_deep_tiff_the_upper_8_are_kept_and_said(
    tmp_path: Path, deep: NDArray[np.uint16], layout: str
) -> None:
    values = deep[..., 0] if "grey" in layout else deep
    photometric = "minisblack" if "grey" in layout else "rgb"
    options: dict[str, object] = {"byteorder": ">"} if "big" in layout else {}
    options |= {"deflate": {"compression": "zlib"}, "tiles": {"tile": (16, 16)}}.get(layout, {})
    tifffile.imwrite(tmp_path / "x.tif", values, photometric=photometric, **options)
    image, notes = load_image(tmp_path / "x.tif")
    np.testing.assert_array_equal(image, _upper(values))
    assert notes[-1] == DEEP


def test_what_pillow_would_garble_or_has_no_white_is_refused(
    tmp_path: Path, pixels: Pixels, deep: NDArray[np.uint16]
) -> None:
    path = tmp_path / "x.tif"
    planes = np.ascontiguousarray(deep.transpose(2, 0, 1))
    tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    assert "in separate planes are not supported" in _refusal(path)
    tifffile.imwrite(path, deep[..., 0], photometric="miniswhite")
    assert "in which 0 is white (MinIsWhite) are not supported" in _refusal(path)
    for dtype in (np.int32, np.uint32, np.int16, np.float32):
        tifffile.imwrite(path, pixels[..., 0].astype(dtype))
        assert "floats, signed or 32-bit pixels have no white" in _refusal(path)
    tifffile.imwrite(path, pixels[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(load_image(path)[0][..., 0], 255 - pixels[..., 0])


@pytest.mark.parametrize("maximum", [256, 1023, 65535])
@pytest.mark.parametrize("kind", ["P6", "P5", "P3", "P2"])
def test_a_deep_pnm_is_scaled_by_its_largest_value_and_said(
    tmp_path: Path, pixels: Pixels, maximum: int, kind: str
) -> None:
    values = np.rint((pixels if kind in ("P6", "P3") else pixels[..., 0]) / 255 * maximum)
    body = values.astype(">u2").tobytes()
    if kind in ("P3", "P2"):
        body = " ".join(map(str, values.astype(int).ravel())).encode()
    path = tmp_path / "x.ppm"
    path.write_bytes(f"{kind}\n64 48\n{maximum}\n".encode() + body)
    image, notes = load_image(path)
    expected = pixels if kind in ("P6", "P3") else np.repeat(pixels[..., :1], 3, axis=2)
    assert np.abs(image.astype(int) - expected).max() <= 1
    assert notes[-1] == DEEP


def test_12_bits_in_a_file_of_16_are_said_to_be_dark(
    tmp_path: Path, deep: NDArray[np.uint16]
) -> None:
    PilImage.fromarray(deep[..., 0] >> 4).save(tmp_path / "x.png")
    assert load_image(tmp_path / "x.png")[1][-1] == f"{DEEP}, which leaves it nearly black"


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
def test_what_pillow_cuts_to_8_bits_in_silence_is_said(
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
    image, notes = load_image(tmp_path / name)
    assert np.abs(image.astype(int) - pixels).mean() < 12
    assert notes == [DEEP]
    assert load_image(_save(tmp_path, f"shallow-{name}", pixels))[1] == []


@pytest.mark.parametrize("name", ["x.jpg", "x.tif"])
def test_cmyk_is_converted_and_said(tmp_path: Path, pixels: Pixels, name: str) -> None:
    options = {"quality": 95} if name == "x.jpg" else {}
    image, notes = load_image(_save(tmp_path, name, pixels, "CMYK", **options))
    assert np.abs(image.astype(int) - pixels).mean() < (4 if name == "x.jpg" else 1)
    assert notes == ["CMYK converted to RGB"]


def test_of_a_cameras_pictures_the_first_is_taken_and_said(tmp_path: Path, pixels: Pixels) -> None:
    second = PilImage.fromarray(255 - pixels)
    options = {"save_all": True, "append_images": [second, second], "quality": 95}
    image, notes = load_image(_save(tmp_path, "x.mpo", pixels, **options))
    alone, _ = load_image(_save(tmp_path, "x.jpg", pixels, quality=95))
    np.testing.assert_array_equal(image, alone)
    assert notes == ["the first of 3 pictures in the file"]


def test_a_colour_space_without_a_conversion_is_refused(tmp_path: Path, pixels: Pixels) -> None:
    tifffile.imwrite(tmp_path / "x.tif", pixels, photometric="cielab")
    assert "colour mode LAB is not supported; convert it to RGB" in _refusal(tmp_path / "x.tif")


@pytest.mark.parametrize("name", ["x.gif", "x.png", "x.tif", "x.webp"])
def test_animations_and_pages_are_refused(tmp_path: Path, pixels: Pixels, name: str) -> None:
    second = PilImage.fromarray(255 - pixels)
    path = _save(tmp_path, name, pixels, save_all=True, append_images=[second])
    assert "animated or multi-page (2 frames)" in _refusal(path)


def test_missing_files_folders_and_what_is_no_image(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "nope.png") == "no such file"
    (tmp_path / "empty.png").touch()
    assert _refusal(tmp_path) == "is a folder"
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
    for name in ("b.png", "a.JPG", "a_mask.png", "c.gif", ".hidden.png"):
        _save(folder, name, pixels)
    (folder / "notes.txt").touch()
    (folder / "._b.png").write_bytes(b"\0\5\x16\7")  # as macOS leaves it on other disks
    (folder / "d.png").mkdir()
    alone = tmp_path / "z_mask.png"
    found = find_images([alone, folder])
    assert found == [alone, folder / "a.JPG", folder / "b.png", folder / "c.gif"]


def test_a_folder_without_images_stays_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert find_images([tmp_path]) == [tmp_path]
    assert _refusal(tmp_path) == "no images in this folder"


def test_what_is_an_image_alone_is_one_in_a_folder(tmp_path: Path, pixels: Pixels) -> None:
    """Of every name under which Pillow writes what we read."""
    alone = set()
    for suffix in PilImage.registered_extensions():
        path = tmp_path / f"x{suffix}"
        with contextlib.suppress(Exception):  # Pillow writes none of that kind, or not this mode
            PilImage.fromarray(pixels).save(path)
            load_image(path)
            alone.add(suffix)
        path.unlink(missing_ok=True)
    assert alone >= {".jp2", ".jfif", ".jpe", ".mpo", ".pnm"}
    assert alone <= SUFFIXES


def _make_special(folder: Path) -> dict[str, str]:
    """Make what only looks like images; returns names and what is said of them."""
    os.mkfifo(folder / "fifo.png")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.png"))
    for name, target in (("zero", "/dev/zero"), ("loop", "loop.png"), ("dangling", "gone.png")):
        (folder / f"{name}.png").symlink_to(target)
    return {
        "dangling.png": "is a broken link",
        "fifo.png": "is a FIFO, not a file",
        "loop.png": "is a link that leads back to itself",
        "socket.png": "is a socket, not a file",
        "zero.png": "is a device, not a file",
        f"{'n' * 300}.png": "its name is too long",
        "gone.png": "no such file",
        "a.png/b.png": "no such file",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_only_looks_like_an_image_is_refused_at_once(
    tmp_path: Path, pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    _save(Path(), "a.png", pixels)
    special = _make_special(Path())
    assert [path.name for path in find_images([Path()])] == ["a.png", *list(special)[:5]]
    for name, reason in special.items():
        assert _refusal(Path(name)) == reason


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


def test_a_program_is_not_run(tmp_path):
    """Pillow hands PostScript to Ghostscript, under whatever name it comes."""
    path = tmp_path / "photo.png"
    path.write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n"
    )
    with pytest.raises(ValueError, match="PostScript is a program, not a picture"):
        load_image(path)
