"""PSNR on 8-bit RGB, over the whole image, over a region, and weighted.

All are ``10·log10(255² / MSE)`` in dB, with the mean squared error (MSE) over the three channels.
An exact copy scores infinity. Scores are per image; a mean over images is the mean of the dB
values.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semcom.errors import InputError
from semcom.images import check_mask
from semcom.large import each_strip
from semcom.types import Image, Map, Region


def psnr_db(original: Image, received: Image) -> float:
    """Return the PSNR of two images (H, W, 3) uint8 in dB.

    Examples
    --------
    >>> original = np.full((8, 8, 3), 100, dtype=np.uint8)
    >>> round(psnr_db(original, original + np.uint8(1)), 2)
    48.13
    """
    return _to_db(float(_squared_error(original, received).mean()))


def region_psnr_db(original: Image, received: Image, region: Region) -> float | None:
    """Return the PSNR over the pixels of ``region`` (H, W) bool; None if it is empty.

    Examples
    --------
    >>> original = np.full((8, 8, 3), 100, dtype=np.uint8)
    >>> received, region = original + np.uint8(2), np.zeros((8, 8), dtype=bool)
    >>> region[:4] = True
    >>> received[region] -= 1  # the error is 1 in the region, 2 outside
    >>> round(region_psnr_db(original, received, region), 2)
    48.13
    """
    error = _squared_error(original, received)
    check_mask(region, *error.shape)
    return _to_db(float(error[region].mean())) if region.any() else None


def background_psnr_db(original: Image, received: Image, region: Region) -> float | None:
    """Return the PSNR over the pixels outside ``region``; None if there are none.

    Examples
    --------
    >>> original = np.full((8, 8, 3), 100, dtype=np.uint8)
    >>> background_psnr_db(original, original, np.ones((8, 8), dtype=bool)) is None
    True
    """
    return region_psnr_db(original, received, ~region)


def theta_psnr_db(original: Image, received: Image, region: Region, theta: float) -> float | None:
    """Return the θ-PSNR: ``10·log10(255² / (θ·MSE_region + (1-θ)·MSE_background))``.

    It weighs the mean squared error of the region by θ and that of the background by 1-θ (Wu et
    al., Digital Communications and Networks, 2023). It is None if the region is empty or the whole
    image.

    Examples
    --------
    >>> original = np.full((8, 8, 3), 100, dtype=np.uint8)
    >>> received, region = original + np.uint8(2), np.zeros((8, 8), dtype=bool)
    >>> region[:4] = True
    >>> received[region] -= 1  # the squared error is 1 in the region, 4 outside
    >>> round(theta_psnr_db(original, received, region, theta=0.9), 2)  # error 0.9 + 0.4
    46.99
    """
    error = _squared_error(original, received)
    check_mask(region, *error.shape)
    if region.all() or not region.any():
        return None
    return _to_db(float(theta * error[region].mean() + (1 - theta) * error[~region].mean()))


def combined_psnr_db(region_db: float, background_db: float, *, theta: float) -> float:
    """Return the θ-PSNR from the PSNRs of region and background, which may be infinite.

    Examples
    --------
    >>> round(combined_psnr_db(40.0, 30.0, theta=0.5), 2)
    32.6
    """
    error = theta * 10 ** (-region_db / 10) + (1 - theta) * 10 ** (-background_db / 10)
    return -10 * math.log10(error) if error else math.inf


def weighted_psnr_db(original: Image, received: Image, w: Map) -> float:
    """Return the PSNR with the squared error of each pixel weighted by ``w`` (H, W) of mean 1.

    Examples
    --------
    >>> original = np.full((8, 8, 3), 100, dtype=np.uint8)
    >>> w = np.ones((8, 8), dtype=np.float32)
    >>> round(weighted_psnr_db(original, original + np.uint8(1), w), 2)
    48.13
    """
    return _to_db(float((w * _squared_error(original, received)).mean()))


def check_pair(original: Image, received: Image) -> None:
    """Refuse two images that cannot be compared: not (H, W, 3) uint8, or of unlike shapes."""
    shape, kinds = original.shape, {original.dtype, received.dtype}
    colour = len(shape) == 3 and shape[2] == 3 and original.size
    if not colour or received.shape != shape or kinds != {np.dtype(np.uint8)}:
        raise InputError(
            f"images must be (H, W, 3) uint8 of one shape, got {original.dtype} {original.shape} "
            f"and {received.dtype} {received.shape}"
        )


def _squared_error(original: Image, received: Image) -> NDArray[np.float64]:
    """Return the squared error of each pixel, averaged over the channels, (H, W)."""
    check_pair(original, received)
    error = np.empty(original.shape[:2])

    def fill(rows: slice) -> None:
        squares = (original[rows].astype(np.int32) - received[rows]) ** 2
        # Four times as fast as a sum over an axis of three.
        error[rows] = (squares[..., 0] + squares[..., 1] + squares[..., 2]) / 3

    each_strip(fill, *original.shape[:2])
    return error


def _to_db(mse: float) -> float:
    return math.inf if mse == 0 else 10 * math.log10(255**2 / mse)
