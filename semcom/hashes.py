"""Hashes of files and pictures, and seeds derived from names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from channels.owner import expanded
from semcom.types import Image


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of ``file`` in lower-case hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def changes(options: Mapping[str, object]) -> tuple[int, ...]:
    """Return the times in ns at which the files that a plug-in's options name were last changed.

    A folder changes with anything in it or in its folders. An option that names none has time 0.

    Examples
    --------
    >>> changes({"weights": "no-such-file.pt", "sigma": 2.0})
    (0,)
    """
    return tuple(_changed(expanded(text)) for text in options.values() if isinstance(text, str))


def _changed(path: Path) -> int:
    try:
        inside = [*path.glob("*"), *path.glob("*/*")] if path.is_dir() else []
        return max((one.stat().st_mtime_ns for one in (path, *inside) if one.exists()), default=0)
    except (OSError, ValueError):  # a text that cannot be a path, or a folder that is closed to us
        return 0


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
