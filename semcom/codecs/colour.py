"""A colour space of nearly orthogonal axes for 4:4:4 at 10 bit.

``Y = (R+G+B)/3, Cg = -R/4 + G/2 - B/4, Co = (R-B)/2``, scaled to 0 to 1023, chroma around 512.
Equal errors in its planes are nearly equal errors in RGB, so a codec that spends bits by the
error of its planes spends them by PSNR.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semcom.types import Image

_PEAK, _MIDDLE = 1023, 512
_SCALE = np.float32(_PEAK / 255)

Planes = NDArray[np.uint16]
"""Y, Cg and Co: (3, H, W), 0 to 1023."""


def to_planes(image: Image) -> Planes:
    """Convert RGB (H, W, 3) uint8."""
    red, green, blue = np.moveaxis(image.astype(np.float32), -1, 0)
    luma = (red + green + blue) / 3 * _SCALE
    chroma_green = (green / 2 - (red + blue) / 4) * _SCALE + _MIDDLE
    chroma_orange = (red - blue) / 2 * _SCALE + _MIDDLE
    values = np.rint(np.stack([luma, chroma_green, chroma_orange]))
    planes: Planes = np.clip(values, 0, _PEAK).astype(np.uint16)
    return planes


def from_planes(planes: Planes) -> Image:
    """Convert back to RGB (H, W, 3) uint8."""
    luma, chroma_green, chroma_orange = planes.astype(np.float32)
    luma, chroma_green = luma / _SCALE, (chroma_green - _MIDDLE) / _SCALE
    chroma_orange = (chroma_orange - _MIDDLE) / _SCALE
    green = luma + chroma_green * np.float32(4 / 3)
    half = (3 * luma - green) / 2
    rgb = np.stack([half + chroma_orange, green, half - chroma_orange], axis=-1)
    pixels: Image = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return pixels
