"""Colour spaces with orthonormal axes for 4:4:4 at 10 bits.

``Y = (R+G+B)/√3, Cg = (2G-R-B)/√6, Co = (R-B)/√2``, scaled to 0 to 1023, with chroma around 512.
Equal errors in the planes are equal errors in RGB, so a codec that distributes bits by the error of
its planes distributes them by PSNR.

A *turn* rotates these axes to the position where a picture costs the fewest bits: a picture of few
hues then has nearly everything in one plane. The estimate of the bits is ``½·Σ log2(1 + c²/Δ²)``
over the coefficients ``c`` of the planes' DCT, the result of reverse water-filling (Cover, Thomas:
Elements of Information Theory, 10.3.3) if every coefficient were a separate Gaussian source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from semcom.large import each_strip
from semcom.types import Image, Map

_PEAK = 1023
_SCALE = _PEAK / (255 * np.sqrt(3))  # maps Y of white to the peak
_CENTRE = 511.75  # centre of the planes, plus a little, so that rounding never meets a tie
_AXES = np.array([[1, 1, 1], [-1, 2, -1], [1, 0, -1]]) / np.sqrt([[3], [6], [2]])
_BLOCK = 8  # side of a DCT
_STEP = 20  # Δ where w is 1, in grey levels
_MAX_COEFFICIENTS = 20_000  # more do not change the turn

Planes = NDArray[np.uint16]
"""Y, Cg and Co, or the planes after a turn: (3, H, W), 0 to 1023."""
TURN_BYTES = 3
NO_TURN = bytes([128, 128, 128])
"""A turn: one byte for each component of the rotation vector, in 127ths of π around 128."""


def best_turn(image: Image, w: Map) -> bytes:
    """Find the turn with which a picture costs the fewest bits.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    w
        (H, W), the weight of each pixel's squared error: Δ falls as ``w^-1/2``.
    """
    coefficients = _coefficients(image, w)

    def cost(vector: NDArray[np.float64]) -> float:
        axes = Rotation.from_rotvec(vector).as_matrix()
        return float(np.log1p((coefficients @ axes.T) ** 2).sum())

    simplex = np.vstack([np.zeros(3), 0.3 * np.eye(3)])
    options = {"initial_simplex": simplex, "xatol": 0.01, "fatol": np.inf, "maxfev": 60}
    found = minimize(cost, simplex[0], method="Nelder-Mead", options=options).x
    return bytes(np.clip(np.rint(128 + found * (127 / np.pi)), 0, 255).astype(np.uint8))


def _coefficients(image: Image, w: Map) -> NDArray[np.float64]:
    """Return coefficients (N, 3) of Y, Cg, Co in units of Δ, without means and zeros."""
    height, width = w.shape
    margin = (0, -height % _BLOCK), (0, -width % _BLOCK)
    planes = np.pad(image, (*margin, (0, 0)), mode="edge") @ _AXES.T
    rows, columns, _ = planes.shape
    grid = rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK
    weights = np.pad(w, margin, mode="edge").reshape(grid).mean(axis=(1, 3), keepdims=True)
    values = dctn(planes.reshape(*grid, 3), axes=(1, 3), norm="ortho")
    values *= np.sqrt(weights)[..., None] / _STEP
    values[:, 0, :, 0] = 0
    seen = values[np.einsum("...i,...i", values, values) > 1 / 16]
    some: NDArray[np.float64] = seen[:: len(seen) // _MAX_COEFFICIENTS + 1]
    return some


def to_planes(image: Image, turn: bytes = NO_TURN) -> Planes:
    """Convert RGB (H, W, 3) uint8."""
    matrix, offset = _matrix(turn)
    height, width = image.shape[:2]
    planes = np.empty((3, height, width), dtype=np.uint16)

    def fill(rows: slice) -> None:
        values = np.rint(image[rows].astype(np.float32) @ matrix.T + offset)
        planes[:, rows] = np.moveaxis(np.clip(values, 0, _PEAK), -1, 0)

    each_strip(fill, height, width)
    return planes


def round_planes(values: NDArray[np.floating[Any]]) -> Planes:
    """Return the nearest values that planes can have."""
    planes: Planes = np.clip(np.rint(values), 0, _PEAK).astype(np.uint16)
    return planes


def from_planes(planes: Planes, turn: bytes = NO_TURN) -> Image:
    """Convert back to RGB (H, W, 3) uint8."""
    matrix, offset = _matrix(turn)
    _, height, width = planes.shape
    pixels = np.empty((height, width, 3), dtype=np.uint8)

    def fill(rows: slice) -> None:
        values = (np.moveaxis(planes[:, rows], 0, -1) - offset) @ (matrix / np.float32(_SCALE**2))
        pixels[rows] = np.clip(np.rint(values), 0, 255)

    each_strip(fill, height, width)
    return pixels


def _matrix(turn: bytes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the scaled axes (3, 3) and offsets that centre the RGB cube in the planes."""
    vector = (np.frombuffer(turn, np.uint8) - 128.0) * (np.pi / 127)
    matrix = _SCALE * Rotation.from_rotvec(vector).as_matrix() @ _AXES
    offset = np.rint(_CENTRE - 255 / 2 * matrix.sum(axis=1))
    return matrix.astype(np.float32), offset.astype(np.float32)
