"""Reading images as 8-bit RGB, with a clear refusal of everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as PilImage

from semcom.errors import InputError
from semcom.image_files import FOLDER, Decoded, Found, check, decode, is_signed, why_no_file
from semcom.image_files import MAX_PIXELS as MAX_PIXELS
from semcom.types import Image, Region

MIN_SIDE = 16
MAX_SIDE = 65_535
"""Longest side that a frame's header can announce."""
MASK_ENDING = "_mask.png"
"""What follows an image's name in the name of its mask."""
PICTURE_FOLDERS = ("image", "images")
"""Folders of images whose masks may be in a folder of their own."""
_MASK_FOLDERS = ("mask", "masks")
_NAMES = (
    "apng avif avifs bmp bw dds dib gif icb icns ico im j2c j2k jfif jp2 jpc jpe jpeg jpf jpg jpx "
    "mpo pbm pcx pfm pgm png pnm ppm psd qoi rgb rgba sgi tga tif tiff vda vst webp"
)
SUFFIXES = frozenset(f".{name}" for name in _NAMES.split())
"""File name suffixes that count as images when a folder is listed."""
_MODES = {
    "RGB": None,
    "L": "greyscale",
    "I": "greyscale",
    "I;16": "greyscale",
    "I;16B": "greyscale",
    "1": "black and white",
    "P": "palette",
    "RGBA": "alpha",
    "LA": "greyscale with alpha",
    "PA": "palette with alpha",
    "RGBX": "padding",
    "YCbCr": "YCbCr",
    "CMYK": "CMYK",
}
_DARK = 16
"""An 8-bit picture whose values all lie below this is nearly black."""


def load_image(path: str | Path) -> tuple[Image, list[str]]:
    """Read an image file.

    Returns
    -------
    image
        (H, W, 3) uint8, RGB, upright.
    notes
        The conversions, in words: grey is repeated into three channels, alpha is blended with
        white, of more than 8 bits per channel the upper 8 are kept, CMYK becomes RGB without a
        colour profile, and of a camera's file with several pictures (MPO) the first is taken.

    Raises
    ------
    ValueError
        Missing, unreadable or corrupt file; floats or more than 16 bits per channel; a colour space
        not named above; animation; more than 50 megapixels; a side below 16 or above 65535 pixels.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "grey.png"
    ...     PilImage.new("L", (48, 32), 200).save(path)
    ...     image, notes = load_image(path)
    >>> image.shape, notes
    ((32, 48, 3), ['greyscale converted to RGB'])
    """
    return _to_rgb(_checked(Path(path), decode))


def peek(path: str | Path) -> tuple[int, int]:
    """Check an image file without decoding it, and return its height and width.

    Raises ``ValueError`` as :func:`load_image` does, except for damaged pixels. The size is that of
    the head of the file: a PNG may say only after its pixels that it is to be turned.
    """
    return _checked(Path(path), check)


def _checked(
    path: Path, do: Callable[[Path, Callable[[PilImage.Image], str | None]], Found]
) -> Found:
    """Apply a function to an image file; an unsuitable file is refused by name."""
    refusal = why_no_file(path)
    if refusal is None:
        try:
            return do(path, _refusal)
        except ValueError as error:
            refusal = str(error)
    elif refusal == FOLDER and not images_in(path):
        refusal = "no images in this folder"
    raise InputError(f"{path}: {refusal}")


def _refusal(picture: PilImage.Image) -> str | None:
    """Say why an image that Pillow has opened is not suitable, or return None."""
    width, height = picture.size
    if picture.format == "EPS":  # Pillow would run it with Ghostscript
        return "PostScript is a program, not a picture; convert it"
    if width * height > MAX_PIXELS:
        return f"{width}x{height} is more than {MAX_PIXELS // 10**6} megapixels; shrink it"
    if min(width, height) < MIN_SIDE:
        return f"{width}x{height} is smaller than {MIN_SIDE}x{MIN_SIDE}"
    if max(width, height) > MAX_SIDE:
        return f"{width}x{height} has a side over {MAX_SIDE} pixels; cut it"
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":
        return f"animated or multi-page ({frames} frames); extract one"
    wide = picture.mode == "I" and picture.format == "TIFF"
    if picture.mode == "F" or wide or is_signed(picture):
        return "floats, signed or 32-bit pixels have no white; convert it to 8 or 16 bit"
    if picture.mode not in _MODES:
        return f"colour mode {picture.mode} is not supported; convert it to RGB"
    return None


def _to_rgb(found: Decoded) -> tuple[Image, list[str]]:
    upright, notes = found.picture, []
    if found.frames > 1:
        notes.append(f"the first of {found.frames} pictures in the file")
    if found.turned:
        notes.append("turned upright by its EXIF orientation")
    kind = _MODES[upright.mode]
    if upright.mode.startswith("I"):
        widened = upright.mode == "I" or found.format == "JPEG2000"  # by Pillow, as PNM is
        bits = 16 if widened else found.largest.bit_length()
        values, clear = np.asarray(upright), upright.info.get("transparency")
        upright = PilImage.fromarray((values >> (bits - 8)).astype(np.uint8))
        if clear is not None:
            upright.putalpha(PilImage.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    if "A" in upright.mode or "transparency" in upright.info:
        notes.append(f"{kind or 'transparency'} laid over white")
        overlay = upright.convert("RGBA")
        upright = PilImage.alpha_composite(PilImage.new("RGBA", overlay.size, "white"), overlay)
    elif kind is not None:
        notes.append(f"{kind} converted to RGB")
    image = np.array(upright.convert("RGB"))
    if found.deep:
        dark = ", which leaves it nearly black" if image.max() < _DARK else ""
        notes.append(f"more than 8 bits per channel: the upper 8 are kept{dark}")
    return image, notes


def check_pixels(image: Image) -> None:
    """Refuse anything but (H, W, 3) uint8 with sides of 16 to 65535 and at most 50 megapixels."""
    asked = "an image must be uint8 of shape (H, W, 3)"
    if not isinstance(image, np.ndarray):
        raise InputError(f"{asked}, got {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InputError(f"{asked}, got {image.dtype} of shape {image.shape}")
    height, width = image.shape[:2]
    if (
        min(height, width) < MIN_SIDE
        or max(height, width) > MAX_SIDE
        or image.size > 3 * MAX_PIXELS
    ):
        raise InputError(
            f"an image must have sides of {MIN_SIDE} to {MAX_SIDE} pixels and at most "
            f"{MAX_PIXELS // 10**6} megapixels, got {width}x{height}"
        )


def check_mask(pixels: Region, height: int, width: int) -> None:
    """Refuse anything but (H, W) bool of the size of an image.

    Examples
    --------
    >>> check_mask(np.ones((16, 24), dtype=np.uint8), 16, 24)
    Traceback (most recent call last):
    channels.errors.InputError: a mask must be bool, got uint8
    """
    if pixels.dtype != bool:
        raise InputError(f"a mask must be bool, got {pixels.dtype}")
    if pixels.shape != (height, width):
        got = "x".join(map(str, pixels.shape[::-1]))
        raise InputError(f"mask is {got}, the image is {width}x{height}")


def images_in(folder: Path) -> list[Path]:
    """List the files in a folder whose names say that they are images, sorted by name.

    Folders, hidden files (such as macOS creates beside images) and masks, ``*_mask.*``, are left
    out.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    named = filter(is_named_image, folder.iterdir())
    return sorted(entry for entry in named if why_no_file(entry) != FOLDER)


def mask_beside(image: Path) -> Path:
    """Return the file of the mask that belongs to an image, which may not exist.

    It is ``NAME_mask.png`` beside the image. For an image in a folder ``image`` or ``images``, it
    may also be ``NAME.png`` or ``NAME_mask.png`` in a folder ``mask`` or ``masks`` beside that.
    """
    beside = image.with_name(f"{image.stem}{MASK_ENDING}")
    home = image.parent.absolute()
    if home.name in PICTURE_FOLDERS and not beside.exists():
        for folder in _MASK_FOLDERS:
            for ending in (".png", MASK_ENDING):
                file = home.with_name(folder) / f"{image.stem}{ending}"
                if file.exists():
                    return file
    return beside


def is_mask(path: Path) -> bool:
    """Whether a file is, by its name, the mask of an image beside it."""
    return path.stem.endswith(MASK_ENDING.removesuffix(".png"))


def is_named_image(path: Path) -> bool:
    """Tell whether a file's name says that it is an image."""
    hidden, mask = path.name.startswith("."), is_mask(path)
    return path.suffix.lower() in SUFFIXES and not hidden and not mask


def find_images(paths: list[Path]) -> list[Path]:
    """Replace folders by the image files in them (:func:`images_in`); keep all other paths.

    A folder without images is also kept, so that reading it reports the problem.
    """
    found: list[Path] = []
    for path in paths:
        inside: list[Path] = []
        if why_no_file(path) == FOLDER:
            with contextlib.suppress(OSError):
                inside = images_in(path)
        found.extend(inside or [path])
    return found
