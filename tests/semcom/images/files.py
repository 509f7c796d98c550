"""Images written to files, and what is said where one is refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

from semcom.images import load_image

Pixels = NDArray[np.uint8]


def save_as(folder: Path, name: str, pixels: Pixels, mode: str = "RGB", **options: object) -> Path:
    path = folder / name
    PilImage.fromarray(pixels).convert(mode).save(path, **options)  # type: ignore[arg-type]
    return path


def write_png(path: Path, width: int, height: int, depth: int, colour: int, rows: bytes) -> Path:
    """Write a PNG by hand: Pillow writes no 16-bit colour, nor headers without pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def refusal(path: Path) -> str:
    """Return why a file is refused, without its name."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at here
        load_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def deep_png(path: Path, pixels: Pixels, colour: int, channels: int) -> Path:
    deep = pixels.astype(">u2")[..., [0, 1, 2, 0][:channels]] * np.uint16(257)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    return write_png(path, pixels.shape[1], pixels.shape[0], 16, colour, rows)
