"""Folders of pictures that semcom makes itself, with identical files on every machine.

The ids of tasks depend on the files. Since versions of zlib compress differently, PNG is written
without compression here.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.saving import named

_MOST_STORED = 0xFFFF  # bytes of one block of DEFLATE


def made_folder(name: str, files: Callable[[], Iterable[tuple[str, bytes]]]) -> Path:
    """Return a folder in the user's cache, which is created with these files if it does not exist.

    The folder appears as a whole, so that several processes may call this function at once.

    Raises
    ------
    OSError
        If the user's cache folder is not writable.
    """
    import pooch  # slow to import

    folder = Path(pooch.os_cache("semcom")) / name
    if folder.is_dir():
        return folder
    with named(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder.parent))
    try:
        with named(folder):
            for file, content in files():
                (made / file).write_bytes(content)
            made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def png(picture: NDArray[np.uint8]) -> bytes:
    """Write (H, W) or (H, W, 3) as a PNG with uncompressed data (RFC 1950, 1951)."""
    height, width = picture.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    parts = [rows[i : i + _MOST_STORED] for i in range(0, len(rows), _MOST_STORED)]
    blocks = b"".join(
        struct.pack("<BHH", i == len(parts), len(part), len(part) ^ 0xFFFF) + part
        for i, part in enumerate(parts, 1)
    )
    about = struct.pack(">IIBBBBB", width, height, 8, 2 if picture.ndim == 3 else 0, 0, 0, 0)
    data = b"\x78\x01" + blocks + struct.pack(">I", zlib.adler32(rows))
    chunks = (b"IHDR" + about, b"IDAT" + data, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks
    )
