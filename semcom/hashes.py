"""Hashes: of files, of pictures, and seeds made from names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
from semcom.image_files import MAX_PIXELS as MAX_PIXELS
from semcom.types import Image


def sha256_of(file: Path) -> str:
    """SHA-256 of ``file`` in lower-case hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(image: Image) -> str:
    """SHA-256 of an image's shape and pixels: its identity, whatever the file's format."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def derive_seed(*parts: object) -> int:
    """Derive a seed from what it is for: 63 bits of the SHA-256 of the parts' text.

    A task then draws the same numbers alone as in a sweep.
    """
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
