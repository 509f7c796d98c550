"""Reading images: 8-bit RGB or a clear refusal."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, ImageOps, UnidentifiedImageError
from PIL import Image as PilImage

from semcom.types import Image

MAX_PIXELS = 50_000_000
MIN_SIDE = 16
MAX_SIDE = 65_535
"""What a frame's header can say."""
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
        space; animation; more than 50 megapixels; a side below 16 or above 65535 pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; we refuse them below
            with PilImage.open(path) as picture:
                refusal = _refusal(path, picture)
                if refusal is None:
                    return _to_rgb(picture)
    except PilImage.DecompressionBombError:
        refusal = f"more than {MAX_PIXELS // 10**6} megapixels; shrink it"
    except UnidentifiedImageError:
        refusal = "not an image that Pillow can read"
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged files
        refusal = f"corrupt or unreadable image ({' '.join(str(error).split()) or repr(error)})"
    raise ValueError(f"{path}: {refusal}")


def _refusal(path: Path, picture: PilImage.Image) -> str | None:
    """Say why an image that Pillow has opened is none for us; None if it is one."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        return f"{width}x{height} is more than {MAX_PIXELS // 10**6} megapixels; shrink it"
    if min(width, height) < MIN_SIDE:
        return f"{width}x{height} is smaller than {MIN_SIDE}x{MIN_SIDE}"
    if max(width, height) > MAX_SIDE:
        return f"{width}x{height} has a side over {MAX_SIDE} pixels; cut it"
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        return f"animated or multi-page ({frames} frames); extract one"
    if picture.mode.startswith(("I", "F")) or _is_cut_to_8_bits(path, picture):
        return "more than 8 bits per channel; convert it to 8 bit"
    if picture.mode not in _MODES:
        return f"colour mode {picture.mode} is not supported; convert it to RGB"
    return None


def _is_cut_to_8_bits(path: Path, picture: PilImage.Image) -> bool:
    """Whether the file has deeper channels, which Pillow would silently cut down to 8 bits."""
    tiles = getattr(picture, "tile", [])
    if picture.format == "PPM":  # (mode, largest value)
        return any(isinstance(x, int) and x > 255 for tile in tiles for x in tile[3])
    if picture.format == "TIFF":
        bits_per_sample = picture.getexif().get(258, 1)
        return bool(np.max(bits_per_sample) > 8)
    if picture.format in ("JPEG2000", "AVIF"):  # Pillow does not tell the depth of these
        with path.open("rb") as file:
            head = file.read(1 << 16)
        if picture.format == "AVIF":  # high_bitdepth of the AV1 codec configuration box
            return b"av1C" in head and bool(head[head.index(b"av1C") + 6] & 0x40)
        siz = head.find(b"\xff\x4f\xff\x51")  # ISO/IEC 15444-1 A.5.1: Ssiz is the depth less 1
        return siz >= 0 and head[siz + 42] & 0x7F > 7
    return any(";16" in str(tile[3]) or tile[0] == "SGI16" for tile in tiles)


def _to_rgb(picture: PilImage.Image) -> tuple[Image, list[str]]:
    turned = 2 <= picture.getexif().get(ExifTags.Base.Orientation, 1) <= 8
    upright = ImageOps.exif_transpose(picture)
    notes = ["turned upright by its EXIF orientation"] if turned else []
    kind = _MODES[upright.mode]
    if "A" in upright.mode or "transparency" in upright.info:
        notes.append(f"{kind or 'transparency'} laid over white")
        overlay = upright.convert("RGBA")
        upright = PilImage.alpha_composite(PilImage.new("RGBA", overlay.size, "white"), overlay)
    elif kind is not None:
        notes.append(f"{kind} converted to RGB")
    return np.array(upright.convert("RGB")), notes


def check_pixels(image: Image) -> None:
    """Refuse an array that is no image: (H, W, 3) uint8, sides of 16 to 65535, at most 50 MP."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"an image must be uint8 of shape (H, W, 3), got {image.dtype} of shape {image.shape}"
        )
    height, width = image.shape[:2]
    if (
        min(height, width) < MIN_SIDE
        or max(height, width) > MAX_SIDE
        or image.size > 3 * MAX_PIXELS
    ):
        raise ValueError(
            f"an image must have sides of {MIN_SIDE} to {MAX_SIDE} pixels and at most "
            f"{MAX_PIXELS // 10**6} megapixels, got {width}x{height}"
        )


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
