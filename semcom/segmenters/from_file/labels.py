"""From arrays to masks, by one rule for all kinds of files.

**One non-zero value** is one mask, whether it is 1 or 255.

**Several non-zero whole numbers** are labels, with one mask each, or shades of the soft border of
one mask:

- They are *labels* if at least half of the values fill an area somewhere (3x3 pixels) and the
  values do not form a ramp (8 or more values, where 9 in 10 pairs that touch differ by 1). A value
  of 255 beside them (65535 if labels exceed 255), with the value below it unused, is the "void" of
  PASCAL VOC: it is no object and left out. If other labels reach a quarter of it or more, it may
  equally be the brightest of several greys, and the file is refused.
- Otherwise they are *shades* if some values lie above half, nearly white (7/8 or more) fills an
  area, and at most half of the frame is neither nearly white nor nearly black. The mask consists of
  the pixels that are half white or brighter.
- Everything else is refused. Whole numbers of more than 16 bits are labels unless they are shades.
  So are indices of a palette of colours, which has no shades.

**Fractions** from 0 to 1 are probabilities: the mask is 0.5 and above. Floats that are whole
numbers count as whole numbers.

**Colours** give one mask each if at least half of them fill an area. Black is no object, nor is the
colour in which PASCAL VOC paints its void.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.errors import InputError
from semcom.segmenters.base import Masks
from semcom.types import Mask

MAX_LABELS = 1000
"""More distinct labels than this indicate a photograph or noise, and would fill the memory."""
MAX_BYTES = 1 << 31
"""Largest size of all masks of a file together, at one byte per pixel."""
EMPTY = "holds no object: every pixel is 0"
_RAMP = 8
_VOC_VOID = 0xE0E0C0
_CLEARER = "save labels as a palette image in colours or as NPY of int32, and one mask as 0 and 255"
Array = NDArray[Any]


def wrong_size(found: Sequence[Any], height: int, width: int) -> str | None:
    """Say that ``found`` (height, width) is not the image's size; None if it is."""
    if tuple(found) == (height, width):
        return None
    return f"masks are {found[1]!r:.20}x{found[0]!r:.20}, but the image is {width}x{height}"


def check_size(found: Sequence[Any], height: int, width: int) -> None:
    """Raise ``ValueError`` unless ``found`` (height, width) is the image's size."""
    if wrong := wrong_size(found, height, width):
        raise InputError(wrong)


def check_count(count: int, height: int, width: int) -> None:
    """Raise ``ValueError`` for more masks than the memory should hold."""
    if count * height * width > MAX_BYTES:
        most = MAX_BYTES >> 30
        raise InputError(f"holds {count} masks of {width}x{height}, more than {most} GB together")


def masks_in(values: Array, *, palette: bool = False) -> Masks:
    """Split bools, whole numbers or floats (H, W) into masks.

    Parameters
    ----------
    palette
        Whether the values are indices of a palette of colours.

    Raises
    ------
    ValueError
        Values that are negative, not finite, or neither whole nor from 0 to 1; labels that cannot
        be distinguished from shades; more than 1000 labels.
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"masks must be bool, whole numbers or floats, got {values.dtype}")
    if not np.isfinite(values).all():
        raise InputError("masks must be finite, got NaN or infinity")
    if values.min() < 0:
        raise InputError(f"masks and labels must be at least 0, got {values.min():g}")
    sure = palette or (values.dtype.kind in "iu" and values.dtype.itemsize > 2)
    if values.dtype.kind == "f" and (values.max() >= 2**31 or (values != np.rint(values)).any()):
        return _probable(values)
    # 16 bits are sorted much faster than more.
    values = values.astype(np.uint16 if values.max() <= 65_535 else np.int64)
    found = np.unique(values[values != 0])
    return _several(values, found, sure, palette) if len(found) > 1 else _masks(values, found)


def _several(values: Array, found: Array, sure: bool, palette: bool) -> Masks:
    """Decide whether several non-zero whole numbers are labels or shades."""
    top = 255 if found[-1] <= 255 else 65_535
    areal = _are_areas(values, found[found != top]) and not _is_ramp(values, found)
    if not areal and not palette and _are_shades(values, found, top):
        half = (top + 1) // 2
        return Masks([Mask(values >= half)], [f"shades of grey, cut at {half}"])
    void = found[-1] == top and found[-2] != top - 1
    labels = found[:-1] if void else found
    if not (sure or (areal and not (void and 4 * int(labels[-1]) > top))):
        some = ", ".join(map(str, found[:3])) + (", …" if len(found) > 3 else "")
        raise InputError(f"the values {some} may be labels or shades of grey: {_CLEARER}")
    return _masks(values, labels, [f"{top} beside labels is void, and left out"] if void else [])


def masks_in_stack(stack: Array, scores: Array | None = None) -> Masks:
    """Read a stack (N, H, W): each layer is one mask, and empty ones are left out."""
    check_count(*stack.shape)
    found, notes, empty = [], dict[str, None](), 0
    for i, layer in enumerate(stack):
        masks = masks_in(layer)
        if len(masks) > 1:
            raise InputError(f"layer {i} of a stack holds several labels, expected one mask")
        score = 1.0 if scores is None else float(scores[i])
        found += [Mask(mask.pixels, score, str(i)) for mask in masks]
        notes |= dict.fromkeys(note for note in masks.notes if note != EMPTY)
        empty += not masks
    if not found:
        return Masks(notes=[EMPTY])
    if empty:
        notes[f"{empty} of {len(stack)} layers hold no object, and are left out"] = None
    return Masks(found, notes)


def masks_in_colours(pixels: Array) -> Masks:
    """Split colours (H, W, 3) uint8 into one mask each."""
    codes = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    found = np.unique(codes[codes != 0])
    labels = found[found != _VOC_VOID] if len(found) > 1 else found
    if not _are_areas(codes, labels):
        raise InputError(
            f"its {len(labels)} colours run into one another, expected areas of one colour each"
        )
    void = len(labels) < len(found)
    return _masks(codes, labels, ["VOC's void colour is left out"] if void else [])


def _masks(values: Array, labels: Array, notes: Iterable[str] = ()) -> Masks:
    """Return one mask for each label, numbered if there are several."""
    if len(labels) > MAX_LABELS:
        raise InputError(
            f"holds {len(labels)} different labels or colours, expected {MAX_LABELS} or less"
        )
    check_count(len(labels), *values.shape)
    names = [str(label) if len(labels) > 1 else None for label in labels]
    masks = [Mask(values == label, label=name) for label, name in zip(labels, names, strict=True)]
    return Masks(masks, notes if masks else [EMPTY])


def _probable(values: Array) -> Masks:
    if values.max() > 1:
        raise InputError(
            "floats must be whole numbers, or probabilities from 0 to 1, got "
            f"{values.min():g} to {values.max():g}"
        )
    found = _masks(values >= 0.5, np.array([True]) if (values >= 0.5).any() else np.array([]))
    return Masks(found, ["probabilities, cut at 0.5", *found.notes])


def _are_areas(values: Array, labels: Array) -> bool:
    """Tell whether at least half of the labels fill 3x3 pixels somewhere."""
    middle = values[1:-1, 1:-1]
    across = (values[:, :-2] == values[:, 1:-1]) & (values[:, 1:-1] == values[:, 2:])
    solid = across[:-2] & across[1:-1] & across[2:]
    solid &= (values[:-2, 1:-1] == middle) & (middle == values[2:, 1:-1])
    return 2 * int(np.isin(labels, np.unique(middle[solid])).sum()) >= len(labels)


def _is_ramp(values: Array, found: Array) -> bool:
    """Tell whether values rise and fall one by one, as in a wide blur."""
    if len(found) < _RAMP:
        return False
    signed = values.astype(np.int32)
    steps = np.concatenate([np.abs(np.diff(signed, axis=axis)).ravel() for axis in (0, 1)])
    return bool((steps == 1).sum() > 0.9 * (steps > 0).sum())


def _are_shades(values: Array, found: Array, top: int) -> bool:
    """Tell whether values that fill no areas are the soft border of one mask."""
    eighth = (top + 1) // 8
    white = values >= 7 * eighth
    between = ~white & (values >= eighth)
    above = (found >= 4 * eighth) & (found != top)
    return bool(above.any() and between.mean() <= 0.5 and _are_areas(white, np.array([True])))
