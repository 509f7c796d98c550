"""Restoring the pictures of several codecs at the receiver.

One small network (:mod:`semcom.codecs.refiner.network`) serves these codecs. It is told which one
decoded the picture and how large its error is. For a digital codec, that follows from a quality
that the packet says; of analog symbols, the receiver knows it for each part of the picture.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from semcom.codecs.linear.code import Estimate
from semcom.codecs.linear.side_information import Side
from semcom.codecs.parts.colour import Planes, from_planes, round_planes, to_planes
from semcom.codecs.refiner.knowledge import CELL, MAPS, OCTAVES, Knowledge, knowledge_of
from semcom.codecs.refiner.network import Refiner
from semcom.codecs.refiner.strips import refined
from semcom.codecs.restorer.restorable import QUALITIES, RESTORABLE, Restorable
from semcom.codecs.weights.file import (
    content_of,
    freeze,
    locate,
    read_tensors,
    shapes_of,
    write_tensors,
)
from semcom.types import Image

ALL_MAPS = MAPS + len(RESTORABLE)
"""Maps that the network sees: the knowledge of an error, and one for each codec."""
ARCHITECTURE = "semcom restorer 2"
PACKAGED = Path(__file__).with_name("weights.safetensors")
SHA256 = "493bab423627e20ec16c7c6d52474e499d9308f377dff546bebb355f30976be0"
_CHANNELS = (32, 48, 72)


def restore(codec: Restorable, image: Image, quality: float) -> Image:
    """Restore a picture of a digital codec, (H, W, 3) uint8.

    Parameters
    ----------
    codec
        ``jpeg``, ``hevc`` or ``jpeg2000``.
    image
        The decoded picture.
    quality
        Quality of ``jpeg``, 1 to 100; base QP of ``hevc``, 0 to 51; PSNR of ``jpeg2000`` in dB.
        Outside of :data:`semcom.codecs.restorer.restorable.QUALITIES`, the picture stays as it is.
    """
    decoded, better = before_and_after(codec, image, quality)
    return image if better is decoded else from_planes(round_planes(better))


def before_and_after(
    codec: Restorable, image: Image, quality: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the planes of a decoded picture, and what the network makes of them, not rounded.

    Arguments are as for :func:`restore`. Both are the same array outside of its range.
    """
    least, most = QUALITIES[codec]
    decoded = to_planes(image).astype(np.float32)
    if not least <= quality <= most:
        return decoded, decoded
    known = uniform_knowledge(codec, quality, *image.shape[:2])
    return decoded, refined(load(), decoded, known)


def restore_planes(planes: NDArray[np.floating[Any]] | Planes, known: Knowledge) -> Planes:
    """Restore planes (3, H, W) with values from 0 to 1023, and round them."""
    return round_planes(refined(load(), planes.astype(np.float32), known))


def uniform_knowledge(codec: Restorable, quality: float, height: int, width: int) -> Knowledge:
    """Return what the quality of a digital codec says of the error, in cells.

    The root mean squared errors are those that photographs typically have, fitted by eye to a few
    images of the training set; the network only needs their size.
    """
    if codec == "jpeg":
        step = (50 / quality) if quality < 50 else max(2 - quality / 50, 0.02)
        rms = math.sqrt(step) * np.array([21.0, 7.0, 9.0])
    elif codec == "jpeg2000":
        rms = np.array([3.6, 2.0, 2.0]) * (255 * 10 ** (-quality / 20)) ** np.array([1.0, 0.5, 0.7])
    else:
        rms = np.array([3.8, 2.3, 2.3]) * 2 ** ((quality - 20) / np.array([7.0, 11.0, 11.0]))
    maps = np.zeros(MAPS)
    maps[: 3 * OCTAVES] = np.repeat(np.log(rms**2 + 0.1) / 4, OCTAVES)  # the error in each octave
    grid = -(-height // 8) * 8 // CELL, -(-width // 8) * 8 // CELL
    known = Knowledge(*(_spread(values, grid) for values in (maps, rms)))
    return _of_codec(codec, known)


def softcast_knowledge(side: Side, found: Estimate) -> Knowledge | None:
    """Return what the receiver of ``softcast`` knows of its error, in cells; None for nothing."""
    worth = 2 * side.levels.astype(np.int64) + side.weights[:, None]
    sent = (side.levels > 0) & (side.weights[:, None] > 0)
    return linear_knowledge("softcast", side, int(worth[sent].min()), found) if sent.any() else None


def linear_knowledge(codec: Restorable, side: Side, least: int, found: Estimate) -> Knowledge:
    """Return what the receiver of amplitudes knows of its error, in cells.

    The arguments are those of :func:`~semcom.codecs.refiner.knowledge.knowledge_of`, and the codec.
    """
    known = knowledge_of(side, least, found)
    _, height, width = found.planes.shape
    return _of_codec(codec, known.cells(height, width, found.chunks.tile))


def _of_codec(codec: Restorable, known: Knowledge) -> Knowledge:
    """Add the maps that say which codec it is."""
    which = torch.zeros(len(RESTORABLE), *known.maps.shape[1:])
    which[RESTORABLE.index(codec)] = 1
    return known._replace(maps=torch.cat([known.maps, which]))


def _spread(values: NDArray[np.float64], grid: tuple[int, int]) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[:, None, None].expand(-1, *grid)


def new_network() -> Refiner:
    """Return a network with random weights."""
    return Refiner(ALL_MAPS, _CHANNELS)


def load(path: str = "") -> Refiner:
    """Read a file of weights, or those of the package.

    Raises
    ------
    ValueError
        The file is missing or damaged, is of another architecture, or holds numbers that no
        training writes; or the packaged file is not the published one.
    """
    return _opened(path, content_of(path))


@functools.lru_cache(2)
def _opened(path: str, content: str) -> Refiner:  # noqa: ARG001 - a key
    file, network = locate("restorer", path, PACKAGED, SHA256), new_network()
    network.load_state_dict(read_tensors("restorer", file, ARCHITECTURE, shapes_of(network)))
    freeze(network, "cpu")
    return network


def to_bytes(network: Refiner, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file of weights, with metadata beside the architecture."""
    return write_tensors(network.state_dict(), ARCHITECTURE, metadata)
