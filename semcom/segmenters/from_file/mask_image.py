"""Masks from image files, turned upright like the images that they belong to.

Greys of up to 16 bits or 32-bit floats, and palettes of greys, follow the rule of
:mod:`semcom.segmenters.from_file.labels`; so do the indices of a palette of colours, and colours.
An alpha channel that varies is the mask. Lossy formats smear labels: a lossy grey picture is cut at
128 if only borders lie between black and white, and any other is refused.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image as PilImage

from semcom.errors import InputError
from semcom.image_files import Decoded, decode, zero_is_white
from semcom.segmenters.base import Masks
from semcom.segmenters.from_file.labels import (
    EMPTY,
    Array,
    check_size,
    masks_in,
    masks_in_colours,
    wrong_size,
)
from semcom.types import Mask

_BORDER = 7
"""Width in pixels that a sharp border does not reach in a lossy format."""
_TINT = 16
"""Largest difference that lossy formats make between the channels of a grey."""


def masks_in_image(path: Path, height: int, width: int) -> Masks:
    """Read the masks of an image file.

    Raises
    ------
    ValueError
        Of another size, with several pictures, ambiguous, or unreadable.
    """
    found = decode(path, functools.partial(_refusal, height=height, width=width))
    check_size((found.picture.height, found.picture.width), height, width)
    masks = _masks(found, np.array(found.picture))
    if found.turned:
        masks.notes += ("turned upright by its EXIF orientation",)
    if found.frames > 1:
        masks.notes += (f"the first of {found.frames} pictures in the file",)
    return masks


def _refusal(picture: PilImage.Image, *, height: int, width: int) -> str | None:
    if sorted(picture.size) != sorted((height, width)):  # it may have to be turned upright
        return wrong_size((picture.height, picture.width), height, width)
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":
        return f"animated or multi-page ({frames} frames); save a stack as NPY"
    if zero_is_white(picture):
        return (
            "0 is white in this TIFF (MinIsWhite), which programs read as object or not; invert it"
        )
    return None


def _masks(found: Decoded, pixels: Array) -> Masks:
    mode = found.picture.mode
    if mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16", "I;16B", "F"):
        raise InputError(f"masks must be grey, palette, RGB or RGBA, got mode {mode}")
    if mode == "P":
        return _in_palette(found.picture, pixels)
    if mode in ("LA", "RGBA"):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
        if alpha.min() != alpha.max():
            opaque = alpha >= 128
            empty = f"{EMPTY}, or less than half opaque"
            return Masks([Mask(opaque)]) if opaque.any() else Masks(notes=[empty])
    if pixels.ndim == 3:
        if found.deep:
            raise InputError("masks of more than 8 bits must be grey, without colours or alpha")
        if np.ptp(pixels, axis=2).max() > (_TINT if found.lossy else 0):
            if found.lossy:
                raise InputError(f"{found.format} is lossy and mixes colours of labels: save PNG")
            return masks_in_colours(pixels)
        pixels = pixels[..., 0]
    if found.lossy:
        return _smeared(found.format, pixels >> 8 if mode.startswith("I") else pixels)
    return masks_in(_as_stored(found, pixels))


def _in_palette(picture: PilImage.Image, indices: Array) -> Masks:
    """Read labels from indices, or from the greys if every colour in use is a grey."""
    used = np.unique(indices)
    palette = np.zeros((256, 3), dtype=np.uint8)
    colours = np.array(picture.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    palette[: len(colours)] = colours
    shown = palette[used]
    greys = np.unique(shown[:, 0])
    if not np.ptp(shown, axis=1).any() and len(greys) == len(used):
        return masks_in(palette[indices, 0])
    black = used[~shown.any(axis=1)]
    if len(black) == 1 and black[0] != 0 and palette[0].any():
        raise InputError(
            f"colour {black[0]} of its palette is black, but colour 0 is not: either may mean "
            "that there is no object; make colour 0 black"
        )
    return masks_in(indices, palette=True)


def _as_stored(found: Decoded, pixels: Array) -> Array:
    """Undo Pillow's scaling of 2 and 4 bits in PNG and TIFF, and of PNM, to the full range."""
    shown = 255
    if found.picture.mode == "I" and found.format != "TIFF":
        shown = 65_535
    elif found.picture.mode not in ("L", "RGB"):
        return pixels
    stored: Array = np.rint(pixels * (found.largest / shown)).astype(np.uint16)
    return stored


def _smeared(kind: str, grey: Array) -> Masks:
    """Cut a lossy mask that was black and white before compression.

    In such a mask values in between are no wider than a border, and flat areas have one shade near
    black or white.
    """
    from scipy import ndimage  # slow to import

    if not grey.any():
        return Masks(notes=[f"{EMPTY}; {kind} is lossy, and faint labels would be lost in it"])
    between = ndimage.minimum_filter((grey >= 32) & (grey < 224), _BORDER, mode="constant")
    low, high = (f(grey, _BORDER) for f in (ndimage.minimum_filter, ndimage.maximum_filter))
    noise = 0 if kind in ("JPEG", "MPO") else 2  # in areas that were flat
    flat = np.unique(low[high - low <= noise // 2])
    spread = [int(np.ptp(part)) for part in (flat[flat < 128], flat[flat >= 128]) if part.size]
    if between.any() or max(spread, default=0) > noise or grey.max() < 128:
        raise InputError(
            f"{kind} is lossy and smears labels and shades of grey: save them as PNG or NPY"
        )
    return Masks([Mask(grey >= 128)], [f"{kind} smears borders: cut at 128"])
