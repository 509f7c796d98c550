"""One label map is the same masks in every kind of file; what may be two things is refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.segmenter import read_masks
from tests.semcom.segmenters.from_file.label_maps import (
    FILES,
    Array,
    H,
    W,
    label_map,
    pillow,
    write_map,
)


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
    values = label_map(*labels)
    masks = read_masks(write_map(tmp_path, name, values), H, W)
    _same(masks, values, labels)
    assert masks.notes == ()


@pytest.mark.parametrize("name", FILES)
def test_void_is_left_out_of_every_file_and_said(tmp_path: Path, name: str) -> None:
    values = label_map(1, 15, 40, 255)
    masks = read_masks(write_map(tmp_path, name, values), H, W)
    _same(masks, values, (1, 15, 40))
    assert masks.notes == (VOC_NOTE,)


SURE = ("palette.png", "int32.tif", "int64.npy", "m.npz")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("labels", [(85, 170), (127,), (3, 100), (1, 182)])
def test_255_beside_what_may_be_greys_is_void_where_it_is_sure_and_else_refused(
    tmp_path: Path, name: str, labels: tuple[int, ...]
) -> None:
    values = label_map(*labels, 255)
    path = write_map(tmp_path, name, values)
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
    values = label_map(value, value)
    (mask,) = masks = read_masks(write_map(tmp_path, name, values), H, W)
    np.testing.assert_array_equal(mask.pixels, values > 0)
    assert (mask.label, masks.notes) == (None, ())


@pytest.mark.parametrize("name", FILES)
def test_no_object_is_no_mask_and_said(tmp_path: Path, name: str) -> None:
    masks = read_masks(write_map(tmp_path, name, np.zeros((H, W), dtype=np.int64)), H, W)
    assert (list(masks), masks.notes) == ([], ("holds no object: every pixel is 0",))


@pytest.mark.parametrize(
    "name", ["grey16.png", "grey16.tif", "uint16.npy", "int64.npy", "float.npy"]
)
def test_void_of_16_bits_is_65535_and_255_is_a_label_there(tmp_path: Path, name: str) -> None:
    values = label_map(254, 255, 300, 65535)
    masks = read_masks(write_map(tmp_path, name, values), H, W)
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
    values = label_map(*labels)
    _same(read_masks(_grey_png(tmp_path / "m.png", values, depth), H, W), values, labels)


@pytest.mark.parametrize("largest", [3, 20, 300])
@pytest.mark.parametrize("kind", ["P2", "P5"])
def test_the_largest_value_of_a_pgm_is_a_label_as_any(
    tmp_path: Path, largest: int, kind: str
) -> None:
    values = label_map(1, 2, largest)
    body = values.astype(">u2" if largest > 255 else "u1").tobytes()
    if kind == "P2":
        body = " ".join(map(str, values.ravel())).encode()
    (tmp_path / "m.pgm").write_bytes(f"{kind} {W} {H} {largest}\n".encode() + body)
    _same(read_masks(tmp_path / "m.pgm", H, W), values, (1, 2, largest))


def test_a_mask_is_read_by_what_it_is_not_by_its_name(tmp_path: Path) -> None:
    pillow("uint8", format="PNG")(tmp_path / "m.jpg", label_map(1, 2))
    _same(read_masks(tmp_path / "m.jpg", H, W), label_map(1, 2), (1, 2))


def test_several_pictures_in_a_file_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "m.tif", np.zeros((5, H, W), np.uint8), photometric="minisblack")
    with pytest.raises(ValueError, match=r"multi-page \(5 frames\); save a stack as NPY"):
        read_masks(tmp_path / "m.tif", H, W)
