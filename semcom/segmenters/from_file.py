"""Masks that somebody else made, read from a file.

==========================  ===================================================================
``.png`` and other images   8-bit. A palette image holds labels: one mask per non-zero index
                            (255 beside other labels is the "void" of PASCAL VOC and is left
                            out). A grey image whose values all lie below 128 holds labels too:
                            one mask per non-zero value; otherwise it is a (soft) binary mask,
                            thresholded at 128. In a coloured image every colour but black is
                            one mask. An alpha channel that varies is the mask itself.
``.npy``, ``.npz``          (H, W), bool: one mask; integer: one mask per non-zero label.
``.json``                   COCO: a list of annotations, a dict with ``annotations``, or one
                            annotation; polygons, uncompressed or compressed RLE.
==========================  ===================================================================
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from semcom.segmenters._coco import check_size, masks_of
from semcom.types import Image, Mask, Prompts

IMAGE_FORMATS = {
    ".png": "PNG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".pbm": "PPM",
    ".pgm": "PPM",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
MAX_LABELS = 1000
"""More distinct labels than this are a photograph or noise, and would fill the memory."""


class FromFile:
    """Masks from a file.

    Parameters
    ----------
    path
        An image, NPY, NPZ or COCO JSON file; see :func:`read_masks`.

    Raises
    ------
    ValueError
        No path, or no such file.
    """

    def __init__(self, *, path: str = "") -> None:
        if not path:
            raise ValueError("segmenter 'from_file' needs its option path=FILE")
        _check_exists(Path(path))
        self.path = path

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Read the masks of ``image`` (H, W, 3) uint8.

        A point chooses the smallest mask that contains it, a box the mask of the best IoU with it.

        Raises
        ------
        ValueError
            The file does not fit (see :func:`read_masks`), or a prompt meets no mask.
        """
        height, width = image.shape[:2]
        prompts.check(height, width)
        masks = read_masks(self.path, height, width)
        if not prompts:
            return masks
        return [self._at_point(masks, *point) for point in prompts.points] + [
            self._in_box(masks, *box) for box in prompts.boxes
        ]

    def _at_point(self, masks: list[Mask], x: float, y: float) -> Mask:
        hit = [mask for mask in masks if mask.pixels[int(y), int(x)]]
        if not hit:
            raise ValueError(f"point {x:g},{y:g} lies in none of the masks of {self.path}")
        return min(hit, key=lambda mask: int(mask.pixels.sum()))

    def _in_box(self, masks: list[Mask], x0: float, y0: float, x1: float, y1: float) -> Mask:
        rows = slice(math.floor(y0), math.ceil(y1))
        columns = slice(math.floor(x0), math.ceil(x1))
        area = (rows.stop - rows.start) * (columns.stop - columns.start)

        def iou(mask: Mask) -> float:
            common = int(mask.pixels[rows, columns].sum())
            return common / (area + int(mask.pixels.sum()) - common)

        best = max(masks, key=iou)
        if iou(best) == 0:
            raise ValueError(
                f"box {x0:g},{y0:g},{x1:g},{y1:g} meets none of the masks of {self.path}"
            )
        return best


def read_masks(path: str | Path, height: int, width: int) -> list[Mask]:
    """Read every mask of a file, in its order.

    Parameters
    ----------
    path
        An image, NPY, NPZ or COCO JSON file; the module's docstring says what counts as a mask.
    height, width
        Size in pixels of the image that the masks belong to.

    Returns
    -------
    list of Mask
        At least one; none of them is empty. The score is COCO's ``score``, and 1 elsewhere; the
        label is COCO's category name, or the number of a label among several, or None.

    Raises
    ------
    ValueError
        In one line: no such file, unknown kind, corrupt or contradictory content, another size,
        no mask or an empty one.
    """
    path = Path(path)
    _check_exists(path)
    kind = path.suffix.lower()
    if kind not in (*IMAGE_FORMATS, ".npy", ".npz", ".json"):
        choices = ", ".join([*IMAGE_FORMATS, ".npy", ".npz", ".json"])
        raise ValueError(f"{path}: unknown kind of mask file {kind!r}; choices: {choices}")
    try:
        if kind == ".json":
            return masks_of(_read_json(path), height, width)
        if kind in IMAGE_FORMATS:
            return _split([_read_image(path, IMAGE_FORMATS[kind], height, width)])
        return _split([_check_labels(array, height, width) for array in _read_arrays(path)])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _check_exists(path: Path) -> None:
    if not path.is_file():
        raise ValueError(f"{path}: no such mask file")


def _one_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a readable JSON file: {_one_line(error)}") from None


def _read_image(path: Path, kind: str, height: int, width: int) -> NDArray[np.generic]:
    """Decode an image to a label map or a bool mask (H, W)."""
    pixels = None
    try:
        # Pillow warns about large images; ours must have the size that is asked for anyway.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PillowImage.open(path, formats=[kind]) as picture:
                size, mode = (picture.height, picture.width), picture.mode
                if size == (height, width):
                    pixels = np.array(picture)
    except Exception as error:  # Pillow's decoders raise nearly anything on corrupt data
        raise ValueError(f"not a readable {kind} image: {_one_line(error)}") from None
    check_size(size, height, width)
    assert pixels is not None
    if mode == "1":
        return pixels
    if mode == "P":
        void = pixels == 255
        return pixels if (void | (pixels == 0)).all() else np.where(void, 0, pixels)
    if mode not in ("L", "LA", "RGB", "RGBA"):
        raise ValueError(f"pixels must be 8-bit grey, palette, RGB or RGBA, got mode {mode}")
    return _interpret(pixels.reshape(height, width, -1).astype(np.int32))


def _interpret(pixels: NDArray[np.int32]) -> NDArray[np.generic]:
    """Turn grey or coloured pixels (H, W, channels), 0 to 255, into labels or a mask (H, W)."""
    if pixels.shape[-1] in (2, 4):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
        if alpha.min() != alpha.max():
            return np.asarray(alpha >= 128)
    grey = pixels[..., 0]
    if (pixels != grey[..., None]).any():
        return np.asarray(pixels @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32))
    return np.asarray(grey >= 128) if grey.max() >= 128 else grey


def _read_arrays(path: Path) -> list[NDArray[np.generic]]:
    """Load the arrays of an NPY or NPZ file."""
    try:
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return [loaded]
            return [np.asarray(loaded[name]) for name in loaded.files]
    except Exception as error:  # zipfile, zlib, tokenize and struct each raise their own
        raise ValueError(f"not a readable NumPy file: {_one_line(error)}") from None


def _check_labels(labels: NDArray[np.generic], height: int, width: int) -> NDArray[np.generic]:
    if labels.dtype.kind not in "biu":
        raise ValueError(f"masks must be bool or integer labels, got {labels.dtype}")
    if labels.ndim != 2:
        raise ValueError(f"masks must have shape (height, width), got {labels.shape}")
    check_size((labels.shape[0], labels.shape[1]), height, width)
    lowest: Any = np.min(labels, initial=0)
    if lowest < 0:
        raise ValueError(f"labels must be at least 0, got {lowest}")
    return labels


def _split(maps: list[NDArray[np.generic]]) -> list[Mask]:
    """Split label maps (H, W) into one mask per non-zero value."""
    values = [np.unique(labels[labels != 0]) for labels in maps]
    total = sum(len(found) for found in values)
    if total == 0:
        raise ValueError("holds no mask: every pixel is 0")
    if total > MAX_LABELS:
        raise ValueError(
            f"holds {total} different labels or colours, expected {MAX_LABELS} or less"
        )
    return [
        Mask(np.asarray(labels == value), label=str(value) if total > 1 else None)
        for labels, found in zip(maps, values, strict=True)
        for value in found
    ]
