"""Annotations of COCO and similar lists: those of detectors, Segment Anything and SA-1B.

Reference: T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014,
https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath
from typing import Any

from semcom.errors import InputError
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.labels import check_count, check_size
from semcom.segmenters.from_file.shapes import decode, fill_box
from semcom.types import Mask, Region

Entry = dict[str, Any]


def masks_of(content: object, height: int, width: int, image: str = "") -> Masks:
    """Decode the annotations of one image.

    Parameters
    ----------
    content
        The JSON's content: a list of annotations, a dict with ``annotations``, or one annotation.
    height, width
        Size of the image in pixels.
    image
        The image's file, whose name selects its annotations among others; empty if unknown.

    Returns
    -------
    Masks
        In the file's order. The score is the annotation's ``score`` or ``predicted_iou`` (1 if
        there is none), the label the name of its category (None if there is none).

    Raises
    ------
    ValueError
        Not in COCO's format, annotations of other images, or another size.
    """
    tables = content if isinstance(content, dict) else {}
    images = _dicts(tables.get("images", [tables["image"]] if "image" in tables else []))
    annotations, entry = _of_image(_annotations(content), images, image)
    if entry is not None and {"height", "width"} <= set(entry):
        check_size((entry["height"], entry["width"]), height, width)
    check_count(len(annotations), height, width)
    names = {str(c.get("id")): c.get("name") for c in _dicts(tables.get("categories", []))}
    masks, boxes = [], 0
    for index, annotation in annotations:
        label = names.get(str(annotation.get("category_id")))
        try:
            pixels, is_box = _pixels(annotation, height, width)
            score = _score(annotation)
        except ValueError as error:
            raise InputError(f"annotation {index}: {error}") from None
        boxes += is_box
        masks.append(Mask(pixels, score, None if label is None else str(label)))
    return with_pixels(masks, [f"{boxes} of them are boxes only, filled"] if boxes else [])


def with_pixels(masks: list[Mask], notes: list[str]) -> Masks:
    """Drop masks without pixels, and add a note about it."""
    found = [mask for mask in masks if mask.pixels.any()]
    left = len(masks) - len(found)
    out = f"{left} of {len(masks)} annotations cover no pixel (no area, or outside), left out"
    none = ["holds no object in this image"]
    return Masks(found, [*notes, *([out] if left else []), *([] if found else none)])


def is_of(name: str, image: str) -> bool:
    """Tell whether a file name in an annotation, from any system, refers to this image."""
    return PureWindowsPath(name).stem == Path(image).stem


def _dicts(table: object) -> list[Entry]:
    if not isinstance(table, list) or not all(isinstance(entry, dict) for entry in table):
        raise InputError("annotations, images and categories must be lists of JSON objects")
    return table


def _annotations(content: object) -> list[Entry]:
    if isinstance(content, dict) and "annotations" in content:
        return _dicts(content["annotations"])
    if isinstance(content, dict) and "segmentation" in content:
        return [content]
    if isinstance(content, list):
        return _dicts(content)
    raise InputError(
        "not COCO (a list of annotations, an object with 'annotations', one annotation with "
        "'segmentation'), nor labelme's ('shapes'), nor nested lists [[0, 1, …], …] alone"
    )


def _of_image(
    annotations: list[Entry], images: list[Entry], image: str
) -> tuple[list[tuple[int, Entry]], Entry | None]:
    """Select the annotations of one image, with their indices, and the image's entry."""
    several = list(enumerate(annotations))
    entry = _entry(images, image)
    if entry is not None and (len(images) > 1 or any("image_id" in a for a in annotations)):
        of = str(entry.get("id", entry.get("image_id")))
        return [(i, a) for i, a in several if str(a.get("image_id")) == of], entry
    ids = sorted({str(a.get("image_id")) for a in annotations})
    if len(ids) > 1:
        stem = Path(image).stem
        number = re.search(r"\d+$", stem)  # COCO numbers its files: COCO_val2014_000000000139
        ours = {stem, str(int(number[0])) if number else stem}
        if not ours & set(ids):
            raise InputError(
                f"holds annotations of {len(ids)} images (image_id {ids[0]!r:.20}, …), and none is "
                "named as this one: write those of one image to a file of its own"
            )
        return [(i, a) for i, a in several if str(a.get("image_id")) in ours], None
    if entry is None:
        entry = _only_entry(images, ids, image)
    return several, entry


def _only_entry(images: list[Entry], ids: list[str], image: str) -> Entry | None:
    """Return the entry of the one image that all annotations belong to, if there is one."""
    entry = next((e for e in images if str(e.get("id")) in ids), None)
    if not ids or ids == ["None"]:
        return entry
    number = re.search(r"\d{12}$", Path(image).stem)  # as COCO numbers its files
    if number and ids[0].isdecimal() and int(ids[0]) != int(number[0]):
        raise InputError(f"holds annotations of image {ids[0]}, not of {Path(image).name}")
    if entry is None and any("id" in e for e in images):
        raise InputError(f"has no image of id {ids[0]!r:.20}, which its annotations name")
    return entry


def _entry(images: list[Entry], image: str) -> Entry | None:
    """Find an image by its file name; return None if no names are given."""
    named = [entry for entry in images if isinstance(entry.get("file_name"), str)]
    if not image or not named:
        return None
    found = [entry for entry in named if is_of(entry["file_name"], image)]
    if len(found) > 1:  # the same name in several folders, or with several suffixes
        ours = Path(image).as_posix()
        found = [e for e in found if ours.endswith(PureWindowsPath(e["file_name"]).as_posix())]
    if len(found) == 1:
        return found[0]
    first = named[0]["file_name"]
    others = f" and {len(named) - 1} other images" if len(named) > 1 else ""
    what = "several images of that name" if len(found) > 1 else f"{first!r:.60}{others}"
    raise InputError(f"holds annotations of {what}, not of {Path(image).name}")


def _pixels(annotation: Entry, height: int, width: int) -> tuple[Region, bool]:
    """Decode an annotation; use its box if it has no segmentation."""
    segmentation = annotation.get("segmentation")
    if not segmentation and annotation.get("bbox"):
        return fill_box(annotation["bbox"], height, width), True
    return decode(segmentation, height, width), False


def _score(annotation: Entry) -> float:
    value = annotation.get("score")
    if value is None:
        iou = annotation.get("predicted_iou", 1.0)  # SAM's may slightly exceed 1
        value = min(iou, 1.0) if type(iou) in (int, float) else iou
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"score must be a number from 0 to 1, got {value!r:.40}")
    return float(value)
