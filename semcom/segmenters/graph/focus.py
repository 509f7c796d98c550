"""Depth of field: how sharp the parts of a picture are.

A lens renders what it focuses on sharply, and what lies before and behind it blurred. Blur removes
fine detail and leaves coarse detail, so that their ratio tells how sharp a place is, whatever its
contrast (the idea of S. Zhuo and T. Sim, "Defocus map estimation from a single image", Pattern
Recognition 44(9), 2011, doi:10.1016/j.patcog.2011.03.009, who blur edges once more and compare).
"""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage
from scipy import ndimage

from semcom.segmenters.graph.superpixels import Floats, Superpixels, mean
from semcom.types import Image

LONG_SIDE = 800
"""Long side in pixels above which a picture is made smaller before detail is measured."""
FINE_SIGMA, COARSE_SIGMA = 1.0, 2.7
"""Scales in pixels: finer structure is fine detail; that between the two is coarse detail."""


def detail(image: Image, parts: Superpixels) -> tuple[Floats, Floats]:
    """Measure the fine and the coarse detail of every superpixel.

    Parameters
    ----------
    image
        The picture at its full size, (H, W, 3) uint8.
    parts
        Its n superpixels.

    Returns
    -------
    fine, coarse
        Mean absolute deviations of the grey level (0 to 255) in both bands, shape (n,).
    """
    grey = image.astype(np.float32).mean(axis=2)
    height, width = grey.shape
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = np.asarray(PillowImage.fromarray(grey).resize(size, PillowImage.Resampling.BOX))
    smooth = ndimage.gaussian_filter(grey, FINE_SIGMA)
    smoother = ndimage.gaussian_filter(grey, COARSE_SIGMA)
    rows, columns = parts.labels.shape
    bands = []
    for band in (np.abs(grey - smooth), np.abs(smooth - smoother)):
        there = PillowImage.fromarray(band).resize((columns, rows), PillowImage.Resampling.BOX)
        bands.append(mean(parts.labels, np.asarray(there, dtype=np.float64), parts.area))
    return bands[0], bands[1]
