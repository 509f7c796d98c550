"""Image files, of pictures and masks alike: checked, decoded and turned upright.

Pillow is given an open file and never its name. Given a name, it maps some TIFFs (uncompressed,
grey) into memory and assumes that their rows are as long as those of the upright picture, which
garbles every picture that lies on its side (orientations 5 to 8).
"""

from __future__ import annotations

import errno
import os
import re
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import ExifTags, ImageOps, UnidentifiedImageError
from PIL import Image as PilImage

from semcom.errors import InputError

Found = TypeVar("Found")
MAX_PIXELS = 50_000_000
_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 258, 262, 284, 339  # of TIFF 6.0
_SIGNED = 2  # of _SAMPLE_FORMAT
FOLDER = "is a folder"
"""Answer of :func:`why_no_file` for a folder."""
_HEAD = 1 << 16  # bytes at the start of a file that are searched for what Pillow does not report
_KINDS = {
    stat.S_IFDIR: FOLDER,
    stat.S_IFIFO: "is a FIFO, not a file",
    stat.S_IFSOCK: "is a socket, not a file",
    stat.S_IFCHR: "is a device, not a file",
    stat.S_IFBLK: "is a device, not a file",
}
_ERRORS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.ELOOP: "is a link that leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EACCES: "may not be read",
}


def why_no_file(path: Path) -> str | None:
    """Say why ``path`` is not a file, or return None. Reading a device could take forever."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError as error:
        if error.errno == errno.ENOENT and os.path.islink(path):  # noqa: PTH114 - never raises
            return "is a broken link"
        return _ERRORS.get(error.errno or 0, str(error.strerror))
    except ValueError:  # a zero byte in the name
        return "no such file"
    if kind != stat.S_IFREG:
        return _KINDS.get(kind, "is no ordinary file")
    return None if os.access(path, os.R_OK) else _ERRORS[errno.EACCES]


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded picture, turned upright."""

    picture: PilImage.Image
    """The picture in Pillow's mode."""
    format: str
    """Pillow's name of the file format."""
    frames: int
    """Number of pictures in the file; this is the first."""
    turned: bool
    """Whether the file's orientation (EXIF 2.32, 4.6.4) required turning it."""
    deep: bool
    """Whether channels have more than 8 bits in the file; Pillow reduces colours to 8."""
    largest: int
    """The largest value that the file can represent, if its values are integers."""
    lossy: bool
    """Whether the format changes pixel values."""


def decode(path: Path, refuse: Callable[[PilImage.Image], str | None]) -> Decoded:
    """Decode an image file.

    Parameters
    ----------
    path
        An ordinary file (:func:`why_no_file`).
    refuse
        Function of the opened but undecoded picture that returns a reason to refuse it, or None.

    Raises
    ------
    ValueError
        A refused picture, no image, a corrupt file, or a kind that Pillow would garble. The message
        is one line and does not name the file.
    """
    return _open(path, refuse, _decode)


def check(path: Path, refuse: Callable[[PilImage.Image], str | None]) -> tuple[int, int]:
    """Check an image file as :func:`decode` does, but without decoding its pixels.

    Return the height and width of the upright picture, as the head of the file tells them.
    """
    return _open(path, refuse, lambda picture, _: _upright_size(picture))


def _open(
    path: Path,
    refuse: Callable[[PilImage.Image], str | None],
    use: Callable[[PilImage.Image, BinaryIO], Found],
) -> Found:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; our callers refuse them
            with path.open("rb") as file, PilImage.open(file) as picture:
                refusal = refuse(picture) or _garbled(picture)
                if refusal is None:
                    return use(picture, file)
    except PilImage.DecompressionBombError:
        refusal = f"more than {MAX_PIXELS // 10**6} megapixels; shrink it"
    except UnidentifiedImageError:
        refusal = "not an image that Pillow can read"
    except Exception as error:  # Pillow's plugins may raise anything on damaged files
        refusal = f"corrupt or unreadable image ({' '.join(str(error).split()) or repr(error)})"
    raise InputError(refusal)


def _upright_size(picture: PilImage.Image) -> tuple[int, int]:
    width, height = picture.size
    orientation = PilImage.Image.getexif(picture).get(ExifTags.Base.Orientation, 1)  # PNG's decodes
    turned = picture.format != "TIFF" and 5 <= orientation <= 8  # the size of a TIFF is upright
    return (width, height) if turned else (height, width)


def _decode(picture: PilImage.Image, file: BinaryIO) -> Decoded:
    where = file.tell()
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(where)
    kind = picture.format or ""
    largest = _largest(picture, head)
    frames = getattr(picture, "n_frames", 1)
    if kind != "TIFF":
        picture.load()  # PNG may store its orientation after the pixels; TIFF loses it in turning
    turned = 2 <= picture.getexif().get(ExifTags.Base.Orientation, 1) <= 8
    lossy = kind in ("JPEG", "MPO", "JPEG2000", "AVIF") or (kind == "WEBP" and b"VP8L" not in head)
    upright = ImageOps.exif_transpose(picture)
    return Decoded(upright, kind, frames, turned, largest > 255, largest, lossy)


def _garbled(picture: PilImage.Image) -> str | None:
    """Refuse pictures that Pillow 13 decodes to other pixels than those of the file."""
    if picture.format != "TIFF":
        return None
    tags = picture.getexif()
    if int(np.max(tags.get(_BITS_PER_SAMPLE, 1))) <= 8:
        return None
    if tags.get(_PLANAR, 1) == 2 and picture.mode not in ("F", "I", "I;16", "I;16B"):
        return "more than 8 bits per channel in separate planes are not supported; interleave them"
    if zero_is_white(picture):
        return "more than 8 bits in which 0 is white (MinIsWhite) are not supported; invert it"
    return None


def zero_is_white(picture: PilImage.Image) -> bool:
    """Tell whether the smallest value of a TIFF is white; Pillow inverts up to 8 bits."""
    return picture.format == "TIFF" and picture.getexif().get(_PHOTOMETRIC, 1) == 0


def is_signed(picture: PilImage.Image) -> bool:
    """Tell whether a TIFF says that its values may be negative; Pillow reads them as they come."""
    is_tiff = picture.format == "TIFF"
    return is_tiff and int(np.max(picture.getexif().get(_SAMPLE_FORMAT, 1))) == _SIGNED


def _largest(picture: PilImage.Image, head: bytes) -> int:
    """Find the largest value that the file can represent, before the picture is decoded."""
    tiles = [(tile[0], tile[3]) for tile in getattr(picture, "tile", [])]
    if picture.format == "PPM":
        values = [args[1] for _, args in tiles if isinstance(args, tuple) and len(args) == 2]
        return values[0] if values else 65535 if picture.mode == "I" else 255
    if picture.format == "TIFF":
        bits = int(np.max(picture.getexif().get(_BITS_PER_SAMPLE, 1)))
    elif picture.format == "AVIF":  # high_bitdepth of the AV1 codec configuration box
        at = head.find(b"av1C")
        bits = 10 if at >= 0 and head[at + 6] & 0x40 else 8
    elif picture.format == "JPEG2000":  # ISO/IEC 15444-1 A.5.1: Ssiz is the depth less 1
        at = head.find(b"\xff\x4f\xff\x51")
        bits = (head[at + 42] & 0x7F) + 1 if at >= 0 else 8
    elif picture.mode.startswith("I") or any(";16" in str(a) or n == "SGI16" for n, a in tiles):
        bits = 16
    else:
        found = [re.search(r"L;([24])", str(args)) for _, args in tiles]
        bits = int(found[0][1]) if found and found[0] else 8
    return int(2**bits - 1)
