"""Masks that somebody else made, read from a file.

==========================  ===================================================================
Images (``.png``, …)        Labels in grey of 8 or 16 bits, in floats (TIFF), as a palette or as
                            colours; or one mask, black and white, with a soft border or without,
                            or as an alpha channel that varies. Turned upright by EXIF, as images
                            are. Lossy ones (JPEG) hold one mask.
``.npy``, ``.npz``          (H, W): labels or one mask; (N, H, W): a mask each. An NPZ may hold
                            several, and scores beside them. Never unpickled.
``.json``                   COCO: a list of annotations, a dict with ``annotations``, or one
                            annotation; polygons, uncompressed or compressed RLE, boxes. Segment
                            Anything's lists, labelme's shapes, and arrays as nested lists.
==========================  ===================================================================

What the values of a picture or an array mean, and when they are refused as ambiguous, is one rule
for all: see ``docs/how-to/masks.md`` and :mod:`semcom.segmenters.from_file.labels`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from semcom.image_files import why_no_file
from semcom.images import SUFFIXES
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file import coco, labelme
from semcom.segmenters.from_file.arrays import masks_in_array, masks_in_numpy
from semcom.segmenters.from_file.mask_image import masks_in_image
from semcom.segmenters.from_file.shapes import nested
from semcom.types import Image, Mask, Prompts


class FromFile:
    """Masks from a file.

    Parameters
    ----------
    path
        An image, NPY, NPZ or JSON file; see :func:`read_masks`.
    image
        The image's own file, by whose name a JSON of several images is searched.

    Raises
    ------
    ValueError
        No path, or no such file.
    """

    def __init__(self, *, path: str = "", image: str = "") -> None:
        if not path:
            raise ValueError("segmenter 'from_file' needs its option path=FILE")
        check_mask_file(Path(path))
        self.path = path
        self.image = image

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> Masks:  # noqa: B008
        """Read the masks of ``image`` (H, W, 3) uint8; their notes name the file.

        A point chooses the smallest mask that contains it, a box the mask of the best IoU with it.

        Raises
        ------
        ValueError
            The file does not fit (see :func:`read_masks`), or a prompt meets no mask.
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
            raise ValueError(f"point {x:g},{y:g} lies in none of the masks of {self.path}")
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
            raise ValueError(
                f"box {x0:g},{y0:g},{x1:g},{y1:g} meets none of the masks of {self.path}"
            )
        return best


def read_masks(path: str | Path, height: int, width: int, *, image: str = "") -> Masks:
    """Read every mask of a file, in its order.

    Parameters
    ----------
    path
        An image, NPY, NPZ or JSON file; the module's docstring says what counts as a mask.
    height, width
        Size in pixels of the image that the masks belong to, upright.
    image
        The image's file: annotations of others in a JSON file are told apart by its name. Where it
        is not known, a file of several images is refused.

    Returns
    -------
    Masks
        None of them is empty; none at all where the file says that there is no object. The score is
        what the file says, and 1 elsewhere; the label is a category's name, or the number of a
        label among several, or None. The notes say what was left out or decided.

    Raises
    ------
    ValueError
        In one line: no such file, unknown kind, corrupt or contradictory content, another size or
        image, values that mean one thing as well as another.
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
        raise ValueError(f"{path}: {error}") from None
    choices = ", ".join([".json", ".npy", ".npz", *sorted(SUFFIXES)])
    raise ValueError(f"{path}: unknown kind of mask file {kind!r}; choices: {choices}")


def check_mask_file(path: Path) -> None:
    """Raise ``ValueError`` unless ``path`` is a file."""
    if why := why_no_file(path):
        more = "" if why.startswith("no such") else f" ({why})"
        raise ValueError(f"{path}: no such mask file{more}")


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"not a readable JSON file: {reason}") from None


def _in_json(content: object, height: int, width: int, image: str) -> Masks:
    if isinstance(content, dict) and "shapes" in content:
        return labelme.masks_of(content, height, width, image)
    values = nested(content)
    if values is not None:
        return masks_in_array(values, height, width)
    return coco.masks_of(content, height, width, image)
