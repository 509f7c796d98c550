"""Hashes of files and pictures, and seeds derived from names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from semcom.types import Image


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of ``file`` in lower-case hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest(image: Image) -> str:
    """Return the SHA-256 of an image's shape and pixels: an identity for any file format."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def derive_seed(*parts: object) -> int:
    """Derive a seed from its purpose: 63 bits of the SHA-256 of the parts' text.

    A task then draws the same random numbers alone as in a sweep.

    Examples
    --------
    >>> derive_seed("fading", 3) == derive_seed("fading", 3) != derive_seed("fading", 4)
    True
    """
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
