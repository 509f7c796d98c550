"""One label map is the same masks in every kind of file; what may be two things is refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFilter

from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.segmenter import read_masks

Array = NDArray[np.generic]
H, W = 48, 64


def _map(*labels: int, dtype: str = "int64") -> Array:
    """Areas of each label, one of which only touches the frame's edge, on a ground of 0."""
    values = np.zeros((H, W), dtype=dtype)
    for i, label in enumerate(labels):
        y, x = divmod(i, 4)
        values[4 + 14 * y : 16 + 14 * y, 15 * x : 15 * x + 9] = label
    return values


def _grey_png(path: Path, values: Array, depth: int) -> Path:
    """Write a grey PNG of 2 or 4 bits by hand, which Pillow does not."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    bits = np.unpackbits(values.astype(np.uint8)[..., None], axis=2)[..., -depth:]
    rows = np.packbits(bits.reshape(len(values), -1), axis=1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], depth, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


def _palette(path: Path, values: Array) -> None:
    """Write indices with PASCAL VOC's colours: bits of the index, spread over the channels."""
    index = np.arange(256)
    bits = (index[:, None] >> np.arange(8)) & 1
    colours = np.stack(
        [(bits[:, c::3] << (7 - np.arange(len(range(c, 8, 3))))).sum(1) for c in range(3)], 1
    )
    picture = PilImage.fromarray(values.astype(np.uint8), "L")
    picture.putpalette(colours.astype(np.uint8).ravel().tolist())
    picture.save(path)


def _pillow(dtype: str, **options: object) -> Callable[[Path, Array], None]:
    def write(path: Path, values: Array) -> None:
        PilImage.fromarray(values.astype(dtype)).save(path, **options)

    return write


def _tiff(dtype: str, **options: object) -> Callable[[Path, Array], None]:
    return lambda path, values: tifffile.imwrite(path, values.astype(dtype), **options)


def _numpy(dtype: str) -> Callable[[Path, Array], None]:
    return lambda path, values: np.save(path, values.astype(dtype))


FILES: dict[str, Callable[[Path, Array], object]] = {
    "grey8.png": _pillow("uint8"),
    "grey16.png": _pillow("uint16"),
    "grey.bmp": _pillow("uint8"),
    "grey.gif": _pillow("uint8"),
    "grey.pgm": _pillow("uint8"),
    "grey16.pgm": lambda path, values: path.write_bytes(
        f"P5 {values.shape[1]} {values.shape[0]} 65535\n".encode() + values.astype(">u2").tobytes()
    ),
    "lossless.webp": _pillow("uint8", lossless=True),
    "palette.png": _palette,
    "grey8.tif": _tiff("uint8"),
    "grey16.tif": _tiff("uint16"),
    "grey16be.tif": _tiff("uint16", byteorder=">"),
    "deflate.tif": _tiff("uint16", compression="zlib"),
    "int32.tif": _tiff("int32"),
    "float.tif": _tiff("float32"),
    "uint8.npy": _numpy("uint8"),
    "uint16.npy": _numpy("uint16"),
    "int16.npy": _numpy("int16"),
    "int64.npy": _numpy("int64"),
    "float.npy": _numpy("float64"),
    "m.npz": lambda path, values: np.savez_compressed(path, values),
}


def _write(folder: Path, name: str, values: Array) -> Path:
    FILES[name](folder / name, values)
    return folder / name


def _same(masks: Masks, values: Array, labels: tuple[int, ...]) -> None:
    assert [mask.label for mask in masks] == [str(label) for label in labels]
    for mask, label in zip(masks, labels, strict=True):
        np.testing.assert_array_equal(mask.pixels, values == label)


VOC_NOTE = "255 beside labels is void, and left out"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("labels", [(1, 2), (1, 2, 3, 20), (7, 33, 90, 127), (3, 128, 254)])
def test_a_label_map_is_the_same_masks_in_every_file(
    tmp_path: Path, name: str, labels: tuple[int, ...]
) -> None:
    values = _map(*labels)
    masks = read_masks(_write(tmp_path, name, values), H, W)
    _same(masks, values, labels)
    assert masks.notes == ()


@pytest.mark.parametrize("name", FILES)
def test_void_is_left_out_of_every_file_and_said(tmp_path: Path, name: str) -> None:
    values = _map(1, 15, 40, 255)
    masks = read_masks(_write(tmp_path, name, values), H, W)
    _same(masks, values, (1, 15, 40))
    assert masks.notes == (VOC_NOTE,)


SURE = ("palette.png", "int32.tif", "int64.npy", "m.npz")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("labels", [(85, 170), (127,), (3, 100), (1, 182)])
def test_255_beside_what_may_be_greys_is_void_where_it_is_sure_and_else_refused(
    tmp_path: Path, name: str, labels: tuple[int, ...]
) -> None:
    values = _map(*labels, 255)
    path = _write(tmp_path, name, values)
    if name in SURE:
        masks = read_masks(path, H, W)
        assert masks.notes == (VOC_NOTE,)
        assert len(masks) == len(labels)
        np.testing.assert_array_equal(masks[0].pixels, values == labels[0])
    else:
        with pytest.raises(ValueError, match="may be labels or shades of grey: save labels as a"):
            read_masks(path, H, W)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("value", [1, 2, 127, 128, 255])
def test_one_value_is_one_mask_whatever_it_is(tmp_path: Path, name: str, value: int) -> None:
    values = _map(value, value)
    (mask,) = masks = read_masks(_write(tmp_path, name, values), H, W)
    np.testing.assert_array_equal(mask.pixels, values > 0)
    assert (mask.label, masks.notes) == (None, ())


@pytest.mark.parametrize("name", FILES)
def test_no_object_is_no_mask_and_said(tmp_path: Path, name: str) -> None:
    masks = read_masks(_write(tmp_path, name, np.zeros((H, W), dtype=np.int64)), H, W)
    assert (list(masks), masks.notes) == ([], ("holds no object: every pixel is 0",))


@pytest.mark.parametrize(
    "name", ["grey16.png", "grey16.tif", "uint16.npy", "int64.npy", "float.npy"]
)
def test_void_of_16_bits_is_65535_and_255_is_a_label_there(tmp_path: Path, name: str) -> None:
    values = _map(254, 255, 300, 65535)
    masks = read_masks(_write(tmp_path, name, values), H, W)
    _same(masks, values, (254, 255, 300))
    assert masks.notes == ("65535 beside labels is void, and left out",)


def test_instances_that_count_up_to_255_are_all_there(tmp_path: Path) -> None:
    values = np.kron(np.arange(256).reshape(16, 16), np.ones((3, 3), dtype=int))
    np.save(tmp_path / "m.npy", values.astype(np.uint8))
    assert len(read_masks(tmp_path / "m.npy", 48, 48)) == 255


def test_more_labels_than_memory_should_hold_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.arange(H * W).reshape(H, W))
    with pytest.raises(ValueError, match="3071 different labels or colours, expected 1000 or less"):
        read_masks(tmp_path / "m.npy", H, W)


@pytest.mark.parametrize("depth", [2, 4])
def test_labels_of_few_bits_are_not_stretched(tmp_path: Path, depth: int) -> None:
    labels = (1, 2, 3) if depth == 2 else (1, 2, 14, 15)
    values = _map(*labels)
    _same(read_masks(_grey_png(tmp_path / "m.png", values, depth), H, W), values, labels)


@pytest.mark.parametrize("largest", [3, 20, 300])
@pytest.mark.parametrize("kind", ["P2", "P5"])
def test_the_largest_value_of_a_pgm_is_a_label_as_any(
    tmp_path: Path, largest: int, kind: str
) -> None:
    values = _map(1, 2, largest)
    body = values.astype(">u2" if largest > 255 else "u1").tobytes()
    if kind == "P2":
        body = " ".join(map(str, values.ravel())).encode()
    (tmp_path / "m.pgm").write_bytes(f"{kind} {W} {H} {largest}\n".encode() + body)
    _same(read_masks(tmp_path / "m.pgm", H, W), values, (1, 2, largest))


# ---- colours and palettes


def test_void_in_vocs_colours_is_left_out(tmp_path: Path) -> None:
    values = _map(1, 15, 255)
    _palette(tmp_path / "p.png", values)
    PilImage.open(tmp_path / "p.png").convert("RGB").save(tmp_path / "c.png")
    masks = read_masks(tmp_path / "c.png", H, W)
    assert masks.notes == ("VOC's void colour is left out",)
    for mask, label in zip(masks, (1, 15), strict=True):
        np.testing.assert_array_equal(mask.pixels, values == label)


@pytest.mark.parametrize("order", [(0, 255), (255, 0)])
def test_black_and_white_in_a_palette_is_told_by_its_greys(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    inside = _map(1) > 0
    white = order.index(255)
    picture = PilImage.fromarray(np.where(inside, white, 1 - white).astype(np.uint8), "L")
    picture.putpalette([order[0]] * 3 + [order[1]] * 3)
    picture.save(tmp_path / "m.png")
    (mask,) = read_masks(tmp_path / "m.png", H, W)
    np.testing.assert_array_equal(mask.pixels, inside)


def test_a_palette_whose_black_is_not_colour_0_is_refused(tmp_path: Path) -> None:
    picture = PilImage.fromarray(_map(1, 2, dtype="uint8"), "L")
    picture.putpalette([200, 0, 0, 0, 0, 0, 0, 200, 0])
    picture.save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="colour 1 of its palette is black, but colour 0 is not"):
        read_masks(tmp_path / "m.png", H, W)


def test_colours_that_run_into_one_another_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((H, W, 3), np.uint8)
    colours[_map(1) > 0] = 250, 10, 10
    soft = PilImage.fromarray(colours).filter(ImageFilter.GaussianBlur(1.5))
    soft.save(tmp_path / "m.png")
    with pytest.raises(ValueError, match="colours run into one another"):
        read_masks(tmp_path / "m.png", H, W)


def test_a_tiff_whose_0_is_white_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "m.tif", _map(1) > 0)  # its default for bools
    with pytest.raises(ValueError, match="0 is white in this TIFF"):
        read_masks(tmp_path / "m.tif", H, W)
    tifffile.imwrite(tmp_path / "m.tif", _map(1) > 0, photometric="minisblack")
    np.testing.assert_array_equal(read_masks(tmp_path / "m.tif", H, W)[0].pixels, _map(1) > 0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_16_bits_are_refused(tmp_path: Path, mode: str) -> None:
    deep = np.repeat(_map(1, 2)[..., None], len(mode), axis=2).astype(np.uint16)
    deep[..., 3:] = 65535
    options = {"extrasamples": ["unassalpha"]} if mode == "RGBA" else {}
    tifffile.imwrite(tmp_path / "m.tif", deep, photometric="rgb", **options)
    with pytest.raises(ValueError, match="masks of more than 8 bits must be grey"):
        read_masks(tmp_path / "m.tif", H, W)


# ---- soft borders


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
        path = _write(tmp_path, name, values)
    masks = read_masks(path, *values.shape)
    np.testing.assert_array_equal(masks[0].pixels, values >= 128)
    assert masks.notes == ("shades of grey, cut at 128",)


def test_a_soft_border_of_16_bits_is_cut_at_half(tmp_path: Path) -> None:
    soft = np.asarray(SOFT["blur"](_drawn(0))).astype(np.uint16) * 257
    masks = read_masks(_write(tmp_path, "grey16.png", soft), *soft.shape)
    np.testing.assert_array_equal(masks[0].pixels, soft >= 32768)
    assert masks.notes == ("shades of grey, cut at 32768",)


def test_probabilities_are_cut_at_half(tmp_path: Path) -> None:
    values = np.linspace(0, 1, H * W, dtype=np.float32).reshape(H, W)
    for path in (_write(tmp_path, "float.npy", values), _write(tmp_path, "float.tif", values)):
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
        read_masks(_write(tmp_path, "grey8.png", values), *values.shape)


def test_a_wide_ramp_is_not_taken_for_labels(tmp_path: Path) -> None:
    values = np.broadcast_to(np.arange(400) // 4, (H, 400))
    with pytest.raises(ValueError, match="may be labels or shades of grey"):
        read_masks(_write(tmp_path, "grey8.png", values), H, 400)


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


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
@pytest.mark.parametrize("labels", [(1, 2, 3), (5, 10, 15, 255), (85, 170, 255), (1, 2, 255)])
def test_labels_in_a_jpeg_are_refused(
    tmp_path: Path, labels: tuple[int, ...], quality: int
) -> None:
    values = np.kron(_map(*labels, dtype="uint8"), np.ones((3, 3), np.uint8))
    PilImage.fromarray(values).save(tmp_path / "m.jpg", quality=quality)
    with pytest.raises(ValueError, match="JPEG is lossy and smears labels"):
        read_masks(tmp_path / "m.jpg", *values.shape)


@pytest.mark.parametrize("name", ["m.jpg", "m.jfif", "m.webp"])
def test_colours_of_labels_in_a_lossy_file_are_refused(tmp_path: Path, name: str) -> None:
    _palette(tmp_path / "p.png", _map(1, 2, 15))
    PilImage.open(tmp_path / "p.png").convert("RGB").save(tmp_path / name, quality=80)
    with pytest.raises(ValueError, match="is lossy and mixes colours of labels: save PNG"):
        read_masks(tmp_path / name, H, W)


def test_a_mask_is_read_by_what_it_is_not_by_its_name(tmp_path: Path) -> None:
    _pillow("uint8", format="PNG")(tmp_path / "m.jpg", _map(1, 2))
    _same(read_masks(tmp_path / "m.jpg", H, W), _map(1, 2), (1, 2))


def test_several_pictures_in_a_file_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "m.tif", np.zeros((5, H, W), np.uint8), photometric="minisblack")
    with pytest.raises(ValueError, match=r"multi-page \(5 frames\); save a stack as NPY"):
        read_masks(tmp_path / "m.tif", H, W)
