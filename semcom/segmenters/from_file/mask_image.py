"""Masks from image files, upright as the images that they belong to.

Grey, of up to 16 bits or 32-bit floats, and palettes of greys, are read by the rule of ``_labels``;
so are the indices of a palette of colours, and colours. An alpha channel that varies is the mask.
What a lossy format has smeared holds no labels: a grey picture is cut at 128 where nothing but its
borders lies in between, and any other is refused.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image as PilImage

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
"""Pixels: what a lossy format makes of a sharp border is narrower."""
_TINT = 16
"""Lossy formats make channels of a grey differ by at most so much."""


def masks_in_image(path: Path, height: int, width: int) -> Masks:
    """Read an image file's masks.

    Raises
    ------
    ValueError
        Of another size, several pictures, not to be told what they mean, or unreadable.
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
    if sorted(picture.size) != sorted((height, width)):  # it may have to be turned
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
        raise ValueError(f"masks must be grey, palette, RGB or RGBA, got mode {mode}")
    if mode == "P":
        return _in_palette(found.picture, pixels)
    if mode in ("LA", "RGBA"):
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
        if alpha.min() != alpha.max():
            return Masks([Mask(alpha >= 128)])
    if pixels.ndim == 3:
        if found.deep:
            raise ValueError("masks of more than 8 bits must be grey, without colours or alpha")
        if np.ptp(pixels, axis=2).max() > (_TINT if found.lossy else 0):
            if found.lossy:
                raise ValueError(f"{found.format} is lossy and mixes colours of labels: save PNG")
            return masks_in_colours(pixels)
        pixels = pixels[..., 0]
    if found.lossy:
        return _smeared(found.format, pixels >> 8 if mode.startswith("I") else pixels)
    return masks_in(_as_stored(found, pixels))


def _in_palette(picture: PilImage.Image, indices: Array) -> Masks:
    """Read labels from indices; where every colour in use is a grey, from the greys."""
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
        raise ValueError(
            f"colour {black[0]} of its palette is black, but colour 0 is not: either may stand for "
            "no object; make colour 0 black"
        )
    return masks_in(indices, palette=True)


def _as_stored(found: Decoded, pixels: Array) -> Array:
    """Undo that Pillow stretches PNG's and TIFF's 2 and 4 bits, and what PNM says, to the full."""
    shown = 255
    if found.picture.mode == "I" and found.format != "TIFF":
        shown = 65_535
    elif found.picture.mode not in ("L", "RGB"):
        return pixels
    stored: Array = np.rint(pixels * (found.largest / shown)).astype(np.uint16)
    return stored


def _smeared(kind: str, grey: Array) -> Masks:
    """Cut a mask that was compressed with losses, where it was black and white before.

    Then nothing in between is wider than a border, and what is flat is near one black or one white.
    """
    from scipy import ndimage  # slow to import

    if not grey.any():
        return Masks(notes=[f"{EMPTY}; {kind} is lossy, and faint labels would be lost in it"])
    between = ndimage.minimum_filter((grey >= 32) & (grey < 224), _BORDER, mode="constant")
    low, high = (f(grey, _BORDER) for f in (ndimage.minimum_filter, ndimage.maximum_filter))
    noise = 0 if kind in ("JPEG", "MPO") else 2  # of areas that were flat
    flat = np.unique(low[high - low <= noise // 2])
    spread = [int(np.ptp(part)) for part in (flat[flat < 128], flat[flat >= 128]) if part.size]
    if between.any() or max(spread, default=0) > noise or grey.max() < 128:
        raise ValueError(
            f"{kind} is lossy and smears labels and shades of grey: save them as PNG or NPY"
        )
    return Masks([Mask(grey >= 128)], [f"{kind} smears borders: cut at 128"])
