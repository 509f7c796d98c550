"""Of more than 8 bits, the upper 8 are kept, and that is said."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import features

from semcom.images import load_image
from tests.semcom.images.files import Pixels, refusal, save_as, write_png

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
    path = write_png(tmp_path / "x.png", deep.shape[1], deep.shape[0], 16, colour, rows)
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
    assert "in separate planes are not supported" in refusal(path)
    tifffile.imwrite(path, deep[..., 0], photometric="miniswhite")
    assert "in which 0 is white (MinIsWhite) are not supported" in refusal(path)
    for dtype in (np.int32, np.uint32, np.int16, np.float32):
        tifffile.imwrite(path, pixels[..., 0].astype(dtype))
        assert "floats, signed or 32-bit pixels have no white" in refusal(path)
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
    assert load_image(save_as(tmp_path, f"shallow-{name}", pixels))[1] == []


@pytest.mark.skipif(not features.check("jpg_2000"), reason="needs Pillow with jpg_2000")
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_of_a_grey_jpeg_2000_the_upper_8_bits_are_kept(
    tmp_path: Path, pixels: Pixels, bits: int
) -> None:
    """Pillow writes 16 bits only; the depth in the two headers (Ssiz and BPC) is changed."""
    deep = pixels[..., 0].astype(np.uint16) << (bits - 8)
    shift = (1 << 15) - (1 << (bits - 1))  # of the level that the codec adds to all values
    path = tmp_path / "x.jp2"
    PilImage.fromarray(deep + shift).save(path, irreversible=False)
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\x4f\xff\x51") + 42] = bits - 1
    data[data.index(b"ihdr") + 14] = bits - 1
    path.write_bytes(data)
    image, notes = load_image(path)
    assert np.abs(image[..., 0].astype(int) - pixels[..., 0]).max() <= 1
    assert notes[-1] == DEEP
