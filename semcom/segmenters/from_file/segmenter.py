"""Masks from a file, such as ground truth or the output of another program.

==========================  ===================================================================
Images (``.png``, …)        Labels as greys of 8 or 16 bits, floats (TIFF), a palette or colours; or
                            one mask, black and white, with a soft or sharp border, or as an alpha
                            channel that varies. Turned upright by EXIF, like the images. Lossy
                            formats (JPEG) can only contain one mask.
``.npy``, ``.npz``          (H, W): labels or one mask; (N, H, W): one mask per layer. An NPZ may
                            contain several arrays, and scores. Never unpickled.
``.json``                   COCO: a list of annotations, a dict with ``annotations``, or one
                            annotation; polygons, uncompressed or compressed RLE, boxes. Segment
                            Anything's lists, labelme's shapes, and arrays as nested lists.
==========================  ===================================================================

One rule decides what the values of a picture or an array mean, and when they are refused as
ambiguous: see ``docs/how-to/masks.md`` and :mod:`semcom.segmenters.from_file.labels`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from semcom.errors import InputError
from semcom.image_files import why_no_file
from semcom.images import SUFFIXES
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file import coco, labelme
from semcom.segmenters.from_file.arrays import masks_in_array, masks_in_numpy
from semcom.segmenters.from_file.mask_image import masks_in_image
from semcom.segmenters.from_file.shapes import nested
from semcom.types import Image, Mask, Prompts


class FromFile:
    """A segmenter that reads masks from a file.

    Parameters
    ----------
    path
        An image, NPY, NPZ or JSON file; see :func:`read_masks`.
    image
        The image's own file, whose name selects annotations in a JSON file of several images.

    Raises
    ------
    ValueError
        No path, or no such file.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> labels = np.zeros((32, 48), dtype=np.uint8)
    >>> labels[8:16, 8:16], labels[16:24, 24:40] = 1, 2
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = str(Path(folder) / "labels.npy")
    ...     np.save(path, labels)
    ...     masks = FromFile(path=path)(np.zeros((32, 48, 3), dtype=np.uint8))
    >>> [int(mask.pixels.sum()) for mask in masks]
    [64, 128]
    """

    def __init__(self, *, path: str = "", image: str = "") -> None:
        if not path:
            raise InputError("segmenter 'from_file' needs its option path=FILE")
        check_mask_file(Path(path))
        self.path = path
        self.image = image

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> Masks:  # noqa: B008
        """Read the masks of ``image`` (H, W, 3) uint8; their notes name the file.

        A point selects the smallest mask that contains it, a box the mask of highest IoU with it.

        Raises
        ------
        ValueError
            An unsuitable file (see :func:`read_masks`), or a prompt without a mask.
        """
        height, width = image.shape[:2]
        prompts.check(height, width)
        masks = read_masks(self.path, height, width, image=self.image)
        notes = [f"{Path(self.path).name}: {note}" for note in masks.notes]
        if not prompts:
            return Masks(masks, notes)
        chosen = [self._at_point(masks, *point) for point in prompts.points]
        return Masks(chosen + [self._in_box(masks, *box) for box in prompts.boxes], notes)

    def _at_point(self, masks: list[Mask], x: float, y: float) -> Mask:
        hit = [mask for mask in masks if mask.pixels[int(y), int(x)]]
        if not hit:
            raise InputError(f"point {x:g},{y:g} lies in none of the masks of {self.path}")
        return min(hit, key=lambda mask: int(mask.pixels.sum()))

    def _in_box(self, masks: list[Mask], x0: float, y0: float, x1: float, y1: float) -> Mask:
        rows = slice(math.floor(y0), math.ceil(y1))
        columns = slice(math.floor(x0), math.ceil(x1))
        area = (rows.stop - rows.start) * (columns.stop - columns.start)

        def iou(mask: Mask) -> float:
            common = int(mask.pixels[rows, columns].sum())
            return common / (area + int(mask.pixels.sum()) - common)

        best = max(masks, key=iou, default=None)
        if best is None or iou(best) == 0:
            raise InputError(
                f"box {x0:g},{y0:g},{x1:g},{y1:g} meets none of the masks of {self.path}"
            )
        return best


def read_masks(path: str | Path, height: int, width: int, *, image: str = "") -> Masks:
    """Read all masks of a file, in its order.

    Parameters
    ----------
    path
        An image, NPY, NPZ or JSON file; the module's docstring defines what counts as a mask.
    height, width
        Size in pixels of the image that the masks belong to, upright.
    image
        The image's file, whose name selects its annotations in a JSON file. If it is unknown, a
        file of several images is refused.

    Returns
    -------
    Masks
        None of them is empty; the list is empty if the file contains no object. Scores are those of
        the file, or else 1. The label is a category's name, or the number of a label among several,
        or None. The notes describe what was left out or decided.

    Raises
    ------
    ValueError
        In one line: no such file, unknown kind, corrupt or contradictory content, another size or
        image, or ambiguous values.
    """
    path = Path(path)
    check_mask_file(path)
    kind = path.suffix.lower()
    try:
        if kind == ".json":
            return _in_json(_read_json(path), height, width, image)
        if kind in (".npy", ".npz"):
            return masks_in_numpy(path, height, width)
        if kind in SUFFIXES:
            return masks_in_image(path, height, width)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    choices = ", ".join([".json", ".npy", ".npz", *sorted(SUFFIXES)])
    raise InputError(f"{path}: unknown kind of mask file {kind!r}; choices: {choices}")


def check_mask_file(path: Path) -> None:
    """Raise ``ValueError`` unless ``path`` is a file."""
    if why := why_no_file(path):
        more = "" if why.startswith("no such") else f" ({why})"
        raise InputError(f"{path}: no such mask file{more}")


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"not a readable JSON file: {reason}") from None


def _in_json(content: object, height: int, width: int, image: str) -> Masks:
    if isinstance(content, dict) and "shapes" in content:
        return labelme.masks_of(content, height, width, image)
    values = nested(content)
    if values is not None:
        return masks_in_array(values, height, width)
    return coco.masks_of(content, height, width, image)
