"""Reading images: 8-bit RGB or a clear refusal."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
from PIL import Image as PilImage
from PIL import ImageOps, UnidentifiedImageError

from semcom.types import Image

MAX_PIXELS = 50_000_000
MIN_SIDE = 16
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".webp", ".tif", ".tiff", ".gif", ".avif"}
)
"""File names that a folder's listing takes for images."""
_MODES = {
    "RGB": None,
    "L": "greyscale",
    "1": "black and white",
    "P": "palette",
    "RGBA": "alpha",
    "LA": "greyscale with alpha",
    "PA": "palette with alpha",
    "RGBX": "padding",
    "YCbCr": "YCbCr",
}


def load_image(path: str | Path) -> tuple[Image, list[str]]:
    """Read an image file.

    Returns
    -------
    image
        (H, W, 3) uint8, RGB, upright.
    notes
        What was converted, in words: grey is repeated into three channels, alpha is laid over
        white.

    Raises
    ------
    ValueError
        Missing, unreadable or corrupt file; more than 8 bits per channel, CMYK or another colour
        space; animation; more than 50 megapixels; a side shorter than 16 pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; we refuse them below
            with PilImage.open(path) as picture:
                _check(path, picture)
                picture.load()
                return _to_rgb(picture)
    except PilImage.DecompressionBombError:
        raise ValueError(f"{path}: more than {MAX_PIXELS // 10**6} megapixels") from None
    except UnidentifiedImageError:
        raise ValueError(f"{path}: not an image that Pillow can read") from None
    except (OSError, SyntaxError, EOFError, IndexError, TypeError, OverflowError) as error:
        # What Pillow's plugins raise on damaged files.
        raise ValueError(f"{path}: corrupt image ({error})") from None


def _check(path: Path, picture: PilImage.Image) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"{path}: {width}x{height} is more than {MAX_PIXELS // 10**6} megapixels; shrink it"
        )
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{path}: {width}x{height} is smaller than {MIN_SIDE}x{MIN_SIDE}")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        raise ValueError(f"{path}: animated or multi-page ({frames} frames); extract one")
    if picture.mode.startswith(("I", "F")) or _has_16_bits(picture):
        raise ValueError(f"{path}: more than 8 bits per channel; convert it to 8 bit")
    if picture.mode not in _MODES:
        raise ValueError(f"{path}: colour mode {picture.mode} is not supported; convert it to RGB")


def _has_16_bits(picture: PilImage.Image) -> bool:
    """Whether Pillow would silently cut 16-bit channels down to 8."""
    raw_modes = [tile[3] for tile in getattr(picture, "tile", [])]
    if picture.format == "PPM":  # (mode, largest value)
        return any(isinstance(x, int) and x > 255 for args in raw_modes for x in args)
    return any(";16" in str(args) for args in raw_modes)


def _to_rgb(picture: PilImage.Image) -> tuple[Image, list[str]]:
    upright = ImageOps.exif_transpose(picture)
    notes = [] if upright.size == picture.size else ["turned upright by its EXIF orientation"]
    kind = _MODES[upright.mode]
    if "A" in upright.mode or "transparency" in upright.info:
        notes.append(f"{kind or 'transparency'} laid over white")
        overlay = upright.convert("RGBA")
        upright = PilImage.alpha_composite(PilImage.new("RGBA", overlay.size, "white"), overlay)
    elif kind is not None:
        notes.append(f"{kind} converted to RGB")
    return np.array(upright.convert("RGB")), notes


def find_images(paths: list[Path]) -> list[Path]:
    """Expand folders into the image files in them, sorted by name; files stay as they are.

    Files called ``*_mask.*`` are masks, not images, and are left out of folders.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(
            entry
            for entry in path.iterdir()
            if entry.suffix.lower() in SUFFIXES and not entry.stem.endswith("_mask")
        )
        if not inside:
            raise ValueError(f"{path}: no images in this folder")
        found.extend(inside)
    return found


def digest(image: Image) -> str:
    """SHA-256 of an image's shape and pixels: its identity, whatever the file's format."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
