"""Pairs for a network that refines: what a receiver decoded and knew, and the picture sent.

A pair is made by a codec's own sender and receiver, over a random channel or at a random quality.
It is a function of the seed and its number only, so that work that was interrupted goes on where it
ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.training.images import window
from experiments.training.kept import fill_kept, open_kept
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner.knowledge import CELL, Knowledge
from semcom.types import Image, Map

MORE_MAPS = 4
"""Maps of cells beside those of the network: expected error of three planes, and importance."""


class Pair(NamedTuple):
    """One picture, sent and received."""

    estimate: NDArray[np.float16]
    """Decoded planes, (3, S, S)."""
    image: Image
    """(S, S, 3) uint8."""
    cells: NDArray[np.float16]
    """Maps, (N, S/4, S/4)."""
    error: float
    """Weighted mean squared error of the estimate, in planes."""


Make = Callable[[Image, int, np.random.Generator], Pair]
"""Makes the pair of an image and a number: of the condition, if each image has several."""


def pair_of(image: Image, w: Map, planes: NDArray[Any], known: Knowledge) -> Pair:
    """Put together what was sent with importance ``w``, and what was decoded and known of it."""
    height, width = w.shape
    importance = w.reshape(height // CELL, CELL, width // CELL, CELL).mean(axis=(1, 3))
    cells = np.concatenate([known.maps.numpy(), known.rms.numpy(), importance[None]])
    error = w * np.square(planes - to_planes(image).astype(np.float64))
    values = planes.astype(np.float16)
    return Pair(values, image, cells.astype(np.float16), float(error.mean()))


def bytes_of_pair(side: int, maps: int) -> int:
    """Return the size of a pair on the disk."""
    return side * side * (3 * 2 + 3) + (maps + MORE_MAPS) * 2 * (side // CELL) ** 2


class Pairs:
    """A folder of pairs, memory-mapped.

    Parameters
    ----------
    folder
        Where the pairs are kept.
    count
        Number of pairs.
    side
        Side of the pictures in pixels, a multiple of 8.
    maps
        Number of maps that the network sees.
    """

    def __init__(self, folder: Path, count: int, side: int, maps: int) -> None:
        self.folder, self.count, self.side = folder, count, side
        folder.mkdir(parents=True, exist_ok=True)
        cells = side // CELL
        self.estimates = self._open("estimates", np.float16, (count, 3, side, side))
        self.images = self._open("images", np.uint8, (count, side, side, 3))
        self.cells = self._open("cells", np.float16, (count, maps + MORE_MAPS, cells, cells))
        self.errors = self._open("errors", np.float32, (count,))

    def _open(self, name: str, dtype: type, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
        return open_kept(self.folder / f"{name}.npy", dtype, shape)

    def fill(
        self,
        paths: Sequence[Path],
        make: Make,
        seed: int,
        tell: Callable[[int, int], None],
        conditions: int = 0,
    ) -> None:
        """Make the pairs that are missing, of the images in turn.

        ``conditions`` is the number of pairs of each image, one after the other and of the same
        square; with 0, the images take turns, and each pair is of a random square.
        """

        def make_one(i: int) -> Pair:
            rng = np.random.default_rng((seed, i))
            image = i // conditions if conditions else i
            cut = np.random.default_rng((seed, image)) if conditions else rng
            picture = window(paths[image % len(paths)], self.side, cut)
            return make(picture, i % conditions if conditions else i, rng)

        fill_kept((self.estimates, self.images, self.cells, self.errors), make_one, tell)

    def crop(
        self, i: int, side: int, rng: np.random.Generator, *, turn: bool = True
    ) -> tuple[torch.Tensor, ...]:
        """Return a random square of a pair: estimate, planes, cells and error.

        It is turned and mirrored at random, or with ``turn=False`` transposed in half of the cases.
        """
        rows, columns = (8 * int(rng.integers(0, (self.side - side) // 8 + 1)) for _ in range(2))
        at = slice(rows, rows + side), slice(columns, columns + side)
        cells = tuple(slice(one.start // CELL, one.stop // CELL) for one in at)
        found = self.estimates[i][:, *at].astype(np.float32)
        planes = to_planes(np.ascontiguousarray(self.images[i][at])).astype(np.float32)
        maps = self.cells[i][:, *cells].astype(np.float32)
        turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        parts = []
        for values in (found, planes, maps):
            turned = np.rot90(values, turns, axes=(1, 2)) if turn else values
            if mirrored:
                turned = turned[..., ::-1] if turn else turned.swapaxes(1, 2)
            parts.append(torch.from_numpy(np.ascontiguousarray(turned)))
        return *parts, torch.tensor(float(self.errors[i]))
