"""Chunks: the coefficients of one frequency band in one tile of one plane.

An image is cut into tiles of equal size, each with its own (orthonormal) DCT. The coefficients are
sorted by distance from frequency 0 into bands whose edges grow by a constant factor. Edge pixels
are repeated if the image is not a multiple of the tile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

from semcom.codecs.linear.power_allocation import Array
from semcom.types import Map


@dataclass(frozen=True, eq=False)
class Chunks:
    """The division of an image into tiles and bands."""

    height: int
    width: int
    rows: int
    columns: int
    """Number of tiles in each direction."""
    order: NDArray[np.int64]
    """Coefficients of a tile, in raster order, by band and then by frequency."""
    counts: NDArray[np.int64]
    """Number of coefficients in each band, (bands,); may be 0."""

    @classmethod
    def of(cls, height: int, width: int, side: int, bands: int) -> Chunks:
        """Divide an image of this size into tiles of at most ``side`` pixels each way."""
        rows, columns = -(-height // side), -(-width // side)
        tile = -(-height // rows), -(-width // columns)
        v, u = (np.arange(n) / n for n in tile)
        distance = np.hypot(v[:, None], u[None, :]).ravel()
        edges = np.geomspace(1.5 / max(tile), 1.0, bands - 1)
        band = np.searchsorted(edges, distance, side="right")
        order = np.lexsort((distance, band))
        return cls(height, width, rows, columns, order, np.bincount(band, minlength=bands))

    @property
    def num_tiles(self) -> int:
        """Number of tiles of a plane."""
        return self.rows * self.columns

    @property
    def tile(self) -> tuple[int, int]:
        """Height and width of a tile."""
        return -(-self.height // self.rows), -(-self.width // self.columns)

    def cut(self, planes: Array) -> Array:
        """Cut (planes, height, width) into tiles: (planes, tiles, tile height, tile width)."""
        height, width = self.tile
        below, right = height * self.rows - self.height, width * self.columns - self.width
        if below or right:
            planes = np.pad(planes, ((0, 0), (0, below), (0, right)), mode="edge")
        cut = planes.reshape(-1, self.rows, height, self.columns, width).swapaxes(2, 3)
        return cut.reshape(len(planes), self.num_tiles, height, width)

    def weights(self, w: Map) -> Array:
        """Return the weight of a squared error in each tile, (tiles,); repeated edges have 0."""
        height, width = self.tile
        below, right = height * self.rows - self.height, width * self.columns - self.width
        tiles = np.pad(w, ((0, below), (0, right))).reshape(self.rows, height, self.columns, width)
        return np.asarray(tiles.mean(axis=(1, 3), dtype=np.float64).ravel())

    def join(self, tiles: Array) -> Array:
        """Join tiles, (planes, tiles, tile height, tile width), to (planes, height, width)."""
        height, width = self.tile
        cut = tiles.reshape(-1, self.rows, self.columns, height, width).swapaxes(2, 3)
        joined = cut.reshape(-1, self.rows * height, self.columns * width)
        return joined[:, : self.height, : self.width]

    def analyse(self, tiles: Array) -> Array:
        """Transform tiles to coefficients by band, (planes, tiles, coefficients)."""
        spectrum = dctn(tiles, axes=(2, 3), norm="ortho")
        return np.take(spectrum.reshape(*tiles.shape[:2], -1), self.order, axis=-1)

    def synthesise(self, coefficients: Array) -> Array:
        """Transform coefficients back to tiles."""
        spectrum = np.take(coefficients, np.argsort(self.order), axis=-1)
        tiles = spectrum.reshape(*coefficients.shape[:2], *self.tile)
        return np.asarray(idctn(tiles, axes=(2, 3), norm="ortho", overwrite_x=True))

    def variances(self, coefficients: Array) -> Array:
        """Return the mean square of each chunk's coefficients, (planes, tiles, bands)."""
        return np.asarray(self.sums(np.square(coefficients)) / np.maximum(self.counts, 1))

    def sums(self, values: Array) -> Array:
        """Add the values of each chunk's coefficients: (…, coefficients) to (…, bands)."""
        some = self.counts > 0
        total = np.zeros((*values.shape[:-1], len(self.counts)), values.dtype)
        starts = np.cumsum(self.counts) - self.counts
        total[..., some] = np.add.reduceat(values, starts[some], axis=-1)
        return total

    def first(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the first coefficients of every chunk, as many as ``numbers`` (…, bands) says.

        They are indices (n,) into the raveled coefficients (…, coefficients), in ascending order.
        """
        rows = np.arange(numbers[..., 0].size).reshape(*numbers.shape[:-1], 1) * len(self.order)
        starts = (rows + np.cumsum(self.counts) - self.counts).ravel()
        flat = numbers.ravel()
        ends = np.cumsum(flat)
        return np.asarray(np.arange(ends[-1]) + np.repeat(starts - (ends - flat), flat))
