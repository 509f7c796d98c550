"""Masks in NPY and NPZ: stacks, scores, and nothing unpacked or unpickled that need not be."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy
from numpy.typing import NDArray

from semcom.segmenters.from_file.segmenter import read_masks

H, W = 24, 40


def _layer(i: int) -> NDArray[np.bool_]:
    pixels = np.zeros((H, W), dtype=bool)
    pixels[2 + i : 9 + i, 3 * i : 3 * i + 8] = True
    return pixels


STACK = np.array([_layer(i) for i in range(4)])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("scale", [1, 255])
@pytest.mark.parametrize("shape", [(4, H, W), (4, 1, H, W), (1, 4, H, W), (4, H, W, 1)])
def test_a_stack_is_a_mask_each(
    tmp_path: Path, shape: tuple[int, ...], scale: int, dtype: type
) -> None:
    np.save(tmp_path / "m.npy", (STACK * scale).astype(dtype).reshape(shape))
    masks = read_masks(tmp_path / "m.npy", H, W)
    assert [mask.label for mask in masks] == ["0", "1", "2", "3"]
    np.testing.assert_array_equal([mask.pixels for mask in masks], STACK)
    assert masks.notes == ()


@pytest.mark.parametrize("shape", [(H, W), (H, W, 1), (1, H, W)])
def test_an_axis_of_1_changes_nothing(tmp_path: Path, shape: tuple[int, ...]) -> None:
    labels = STACK[0] + 2 * STACK[3].astype(np.uint8)
    np.save(tmp_path / "m.npy", labels.reshape(shape))
    one, two = read_masks(tmp_path / "m.npy", H, W)
    np.testing.assert_array_equal(one.pixels, STACK[0])
    np.testing.assert_array_equal(two.pixels, STACK[3])


def test_layers_of_a_stack_may_be_probabilities_and_empty(tmp_path: Path) -> None:
    soft = np.where(STACK, 0.75, 0.25)
    soft[2] = 0.1
    np.save(tmp_path / "m.npy", soft)
    masks = read_masks(tmp_path / "m.npy", H, W)
    np.testing.assert_array_equal([mask.pixels for mask in masks], STACK[[0, 1, 3]])
    assert [mask.label for mask in masks] == ["0", "1", "3"]
    assert masks.notes == (
        "probabilities, cut at 0.5",
        "1 of 4 layers hold no object, and are left out",
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_stack_without_an_object_is_no_mask_and_said(tmp_path: Path, count: int) -> None:
    np.save(tmp_path / "m.npy", np.zeros((count, H, W), dtype=bool))
    masks = read_masks(tmp_path / "m.npy", H, W)
    assert (list(masks), masks.notes) == ([], ("holds no object: every pixel is 0",))


def test_labels_beyond_16_bits_are_labels(tmp_path: Path) -> None:
    large = np.array([10**5, 10**9, 2**40, 2**62])
    np.save(tmp_path / "m.npy", (STACK * large[:, None, None]).max(axis=0))
    assert [mask.label for mask in read_masks(tmp_path / "m.npy", H, W)] == list(map(str, large))


def test_what_is_no_stack_is_refused_with_its_shape(tmp_path: Path) -> None:
    for shape in ((H, W, 4), (3, W, H), (2, 2, H, W), (H * W,), ()):
        np.save(tmp_path / "m.npy", np.zeros(shape, dtype=bool))
        with pytest.raises(ValueError, match=re.escape(f"has shape {shape}, expected shape (he")):
            read_masks(tmp_path / "m.npy", H, W)
    np.save(tmp_path / "m.npy", np.array([STACK[0] + 2 * STACK[3].astype(int), STACK[1]]))
    with pytest.raises(ValueError, match="layer 0 of a stack holds several labels"):
        read_masks(tmp_path / "m.npy", H, W)


@pytest.mark.parametrize("name", ["scores", "iou_predictions", "predicted_iou"])
def test_scores_beside_masks_are_theirs(tmp_path: Path, name: str) -> None:
    scores = np.array([0.5, 0.25, 1.02, 0.75])
    boxes = np.ones((4, 4))
    np.savez(tmp_path / "m.npz", boxes=boxes, masks=STACK, **{name: scores[:, None]})
    masks = read_masks(tmp_path / "m.npz", H, W)
    assert [mask.score for mask in masks] == [0.5, 0.25, 1, 0.75]
    assert masks.notes == ("boxes in it: no masks of this image, left out",)


def test_scores_stay_with_their_layers_where_one_is_empty(tmp_path: Path) -> None:
    stack = STACK.copy()
    stack[1] = False
    np.savez(tmp_path / "m.npz", stack, scores=np.array([0.1, 0.2, 0.3, 0.4]))
    assert [mask.score for mask in read_masks(tmp_path / "m.npz", H, W)] == [0.1, 0.3, 0.4]


@pytest.mark.parametrize("scores", [np.array([0.5]), np.array([7.0, 3, 2, 1]), np.full(4, np.nan)])
def test_what_cannot_be_scores_is_left_out_and_said(
    tmp_path: Path, scores: NDArray[np.float64]
) -> None:
    np.savez(tmp_path / "m.npz", masks=STACK, scores=scores)
    masks = read_masks(tmp_path / "m.npz", H, W)
    assert {mask.score for mask in masks} == {1.0}
    assert masks.notes == ("scores in it: no masks of this image, left out",)


def test_masks_of_an_npz_bear_its_names(tmp_path: Path) -> None:
    image, low = np.zeros((H, W, 3), np.uint8), np.zeros((4, 8, 8), np.float32)
    np.savez(tmp_path / "m.npz", image=image, cup=STACK[0], cat=STACK[3], low_res_logits=low)
    masks = read_masks(tmp_path / "m.npz", H, W)
    assert [mask.label for mask in masks] == ["cup", "cat"]
    assert masks.notes == ("image, low_res_logits in it: no masks of this image, left out",)


def test_what_is_said_of_one_array_of_several_bears_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", cup=STACK[0], cat=np.zeros((H, W)))
    masks = read_masks(tmp_path / "m.npz", H, W)
    assert masks.notes == ("cat: holds no object: every pixel is 0",)
    np.savez(tmp_path / "m.npz", cup=STACK[0], photo=np.arange(H * W).reshape(H, W) * -1)
    with pytest.raises(ValueError, match=r"m\.npz: photo: masks and labels must be at least 0"):
        read_masks(tmp_path / "m.npz", H, W)


def test_an_npz_without_masks_of_the_image_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", masks=STACK)
    with pytest.raises(
        ValueError, match=r"m.npz: masks: has shape \(4, 24, 40\).* of the 64x48 image"
    ):
        read_masks(tmp_path / "m.npz", 48, 64)
    np.savez(tmp_path / "m.npz", one=STACK[0])
    with pytest.raises(ValueError, match=r"m.npz: one: masks are 40x24, but the image is 64x48"):
        read_masks(tmp_path / "m.npz", 48, 64)
    zipfile.ZipFile(tmp_path / "m.npz", "w").close()
    with pytest.raises(ValueError, match="holds no array"):
        read_masks(tmp_path / "m.npz", 48, 64)


def test_a_list_of_segment_anything_is_never_unpickled(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "ran",)

    found = [{"segmentation": STACK[0], "predicted_iou": 0.9}, Evil()]
    np.save(tmp_path / "m.npy", np.array(found, dtype=object), allow_pickle=True)
    np.savez(tmp_path / "m.npz", np.array(found, dtype=object))
    for name in ("m.npy", "m.npz"):
        with pytest.raises(ValueError, match=r"never unpickled; save the masks alone: np\.save"):
            read_masks(tmp_path / name, H, W)
    assert not (tmp_path / "ran").exists()
    np.savez(tmp_path / "m.npz", sam=np.array(found, dtype=object), masks=STACK)
    assert len(read_masks(tmp_path / "m.npz", H, W)) == 4
    assert not (tmp_path / "ran").exists()


def _claim(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    """Write the header of an array without its content."""
    sink = io.BytesIO()
    about = {"descr": dtype, "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(sink, about)  # type: ignore[no-untyped-call, unused-ignore]
    return sink.getvalue()


BOMBS = {
    "another size": (40_000, 20_000),
    "many layers": (10**6, H, W),
    "more than numbers hold": (10**12, 10**12, H, W),
    "negative": (-1, H, W),
}


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_what_unpacks_to_more_than_the_image_needs_is_refused_by_its_header(
    tmp_path: Path, bomb: str, suffix: str
) -> None:
    path = tmp_path / f"m{suffix}"
    header = _claim(BOMBS[bomb])
    if suffix == ".npz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("arr_0.npy", header + bytes(50_000_000))
    else:
        path.write_bytes(header)
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"{path}: ") as caught:
        read_masks(path, H, W)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert peak < 5_000_000


def test_what_is_not_needed_is_not_unpacked(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "m.npz", masks=STACK, image=np.zeros((3000, 4000, 3), np.uint8))
    tracemalloc.start()
    masks = read_masks(tmp_path / "m.npz", H, W)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(masks) == 4
    assert peak < 5_000_000


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "m.npy").write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff")
    with pytest.raises(ValueError, match=r"NPY version \(2, 0\), expected \(1, 0\)"):
        read_masks(tmp_path / "m.npy", H, W)


def test_arrays_in_fortrans_order_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.asfortranarray(STACK))
    masks = read_masks(tmp_path / "m.npy", H, W)
    np.testing.assert_array_equal([mask.pixels for mask in masks], STACK)
