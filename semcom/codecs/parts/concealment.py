"""Filling what was lost from what arrived: push-pull interpolation.

Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.6 (DOI 10.1145/237170.237200). Averages
of the known pixels are pulled up a pyramid and pushed down into the holes, so that a hole takes
the smooth continuation of its surroundings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semcom.types import Image, Region


def conceal(image: Image, received: Region) -> Image:
    """Fill the pixels of ``image`` (H, W, 3) uint8 where ``received`` (H, W) is False.

    Received pixels stay unchanged. If none was received, the result is mid-grey.

    Examples
    --------
    >>> image = np.full((4, 4, 3), 200, dtype=np.uint8)
    >>> received = np.ones((4, 4), dtype=bool)
    >>> received[1:3, 1:3] = False
    >>> image[~received] = 0
    >>> int(conceal(image, received).min())
    200
    """
    if received.all():
        return image
    if not received.any():
        return np.full_like(image, 128)
    smooth = _fill(image.astype(np.float64), received.astype(np.float64))
    filled = np.clip(np.rint(smooth), 0, 255).astype(np.uint8)
    return np.where(received[..., None], image, filled)


def _fill(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace values of weight 0 by those of the next coarser level."""
    if weight.all():
        return values
    height, width = weight.shape
    coarse_values, coarse_weight = _halve(values * weight[..., None]), _halve(weight[..., None])
    mean = coarse_values / np.maximum(coarse_weight, 1e-12)
    coarse = _fill(mean, (coarse_weight[..., 0] > 0).astype(np.float64))
    fine = _double(coarse)[:height, :width]
    return np.where(weight[..., None] > 0, values, fine)


def _halve(values: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = values.shape[:2]
    padded = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    blocks = padded.reshape((height + 1) // 2, 2, (width + 1) // 2, 2, -1)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _double(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upsample by 2 with the bilinear (1/4, 3/4) kernel."""
    for axis in (0, 1):
        edge = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = np.pad(values, edge, mode="edge")
        centre = np.take(padded, range(1, padded.shape[axis] - 1), axis=axis)
        before = np.take(padded, range(padded.shape[axis] - 2), axis=axis)
        after = np.take(padded, range(2, padded.shape[axis]), axis=axis)
        pair = np.stack([0.75 * centre + 0.25 * before, 0.75 * centre + 0.25 * after], axis + 1)
        shape = list(values.shape)
        shape[axis] *= 2
        values = pair.reshape(shape)
    return values
