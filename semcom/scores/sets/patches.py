"""Square patches of a picture on two grids, so that a few pictures make many samples.

The second grid is shifted by half a side in both directions. A patch must lie within the picture.

Reference: Mentzer et al., "High-Fidelity Generative Image Compression", NeurIPS 2020,
arXiv:2006.09965, appendix, whose patches have a side of 256 pixels. A Kodak picture has eight.
"""

from __future__ import annotations

import numpy as np

from semcom.errors import InputError
from semcom.types import Image

SIDE = 256
LEAST_SIDE = 16


def corners(height: int, width: int, side: int) -> list[tuple[int, int]]:
    """Return the upper left corners of all patches, (y, x) in pixels; none if none fits.

    Examples
    --------
    >>> corners(512, 640, 256)
    [(0, 0), (0, 256), (256, 0), (256, 256), (128, 128), (128, 384)]
    """
    return [
        (top, left)
        for first in (0, side // 2)
        for top in range(first, height - side + 1, side)
        for left in range(first, width - side + 1, side)
    ]


def patches(picture: Image, side: int) -> Image:
    """Cut a picture into patches.

    Parameters
    ----------
    picture
        (H, W, 3) uint8.
    side
        Side of a patch in pixels, at least 16; 0 for the whole picture as the only patch.

    Returns
    -------
    Image
        (N, side, side, 3) uint8, or (1, H, W, 3).

    Raises
    ------
    ValueError
        The side is not allowed, no patch fits into the picture, or it is not an RGB picture.

    Examples
    --------
    >>> patches(np.zeros((512, 768, 3), np.uint8), 256).shape
    (8, 256, 256, 3)
    """
    check_side(side)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise InputError(
            f"pictures must have shape (H, W, 3) and dtype uint8, got {picture.shape} and "
            f"{picture.dtype}"
        )
    if side == 0:
        return picture[None]
    height, width = picture.shape[:2]
    found = corners(height, width, side)
    if not found:
        raise InputError(
            f"{width}x{height} pixels are smaller than a patch of {side}x{side}: choose smaller "
            "patches, or 0 for whole pictures"
        )
    return np.stack([picture[y : y + side, x : x + side] for y, x in found])


def check_side(side: int) -> None:
    """Raise ``ValueError`` unless the side of patches is 0 or at least 16 pixels."""
    if side and side < LEAST_SIDE:
        raise InputError(
            f"patches must have a side of at least {LEAST_SIDE} pixels, or 0 for whole pictures, "
            f"got {side}"
        )
