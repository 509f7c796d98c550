"""Label maps, written by several programs in several kinds of file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as PilImage

Array = NDArray[np.generic]
H, W = 48, 64


def label_map(*labels: int, dtype: str = "int64") -> Array:
    """Areas of each label, one of which only touches the frame's edge, on a ground of 0."""
    values = np.zeros((H, W), dtype=dtype)
    for i, label in enumerate(labels):
        y, x = divmod(i, 4)
        values[4 + 14 * y : 16 + 14 * y, 15 * x : 15 * x + 9] = label
    return values


def write_palette(path: Path, values: Array) -> None:
    """Write indices with PASCAL VOC's colours: bits of the index, spread over the channels."""
    index = np.arange(256)
    bits = (index[:, None] >> np.arange(8)) & 1
    colours = np.stack(
        [(bits[:, c::3] << (7 - np.arange(len(range(c, 8, 3))))).sum(1) for c in range(3)], 1
    )
    picture = PilImage.fromarray(values.astype(np.uint8), "L")
    picture.putpalette(colours.astype(np.uint8).ravel().tolist())
    picture.save(path)


def pillow(dtype: str, **options: object) -> Callable[[Path, Array], None]:
    def write(path: Path, values: Array) -> None:
        PilImage.fromarray(values.astype(dtype)).save(path, **options)

    return write


def tiff(dtype: str, **options: object) -> Callable[[Path, Array], None]:
    return lambda path, values: tifffile.imwrite(path, values.astype(dtype), **options)


def numpy_file(dtype: str) -> Callable[[Path, Array], None]:
    return lambda path, values: np.save(path, values.astype(dtype))


FILES: dict[str, Callable[[Path, Array], object]] = {
    "grey8.png": pillow("uint8"),
    "grey16.png": pillow("uint16"),
    "grey.bmp": pillow("uint8"),
    "grey.gif": pillow("uint8"),
    "grey.pgm": pillow("uint8"),
    "grey16.pgm": lambda path, values: path.write_bytes(
        f"P5 {values.shape[1]} {values.shape[0]} 65535\n".encode() + values.astype(">u2").tobytes()
    ),
    "lossless.webp": pillow("uint8", lossless=True),
    "palette.png": write_palette,
    "grey8.tif": tiff("uint8"),
    "grey16.tif": tiff("uint16"),
    "grey16be.tif": tiff("uint16", byteorder=">"),
    "deflate.tif": tiff("uint16", compression="zlib"),
    "int32.tif": tiff("int32"),
    "float.tif": tiff("float32"),
    "uint8.npy": numpy_file("uint8"),
    "uint16.npy": numpy_file("uint16"),
    "int16.npy": numpy_file("int16"),
    "int64.npy": numpy_file("int64"),
    "float.npy": numpy_file("float64"),
    "m.npz": lambda path, values: np.savez_compressed(path, values),
}


def write_map(folder: Path, name: str, values: Array) -> Path:
    FILES[name](folder / name, values)
    return folder / name
