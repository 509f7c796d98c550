"""PSNR-HVS: the PSNR of luminance with an error weighted by the eye's contrast sensitivity.

The luminance (BT.601, 0 to 255) is cut into blocks of 8x8 without overlap, and each coefficient of
a block's orthonormal DCT has its error weighted: ``10·log10(255² / mean((c_ij · (X - Y)_ij)²))``.
The weights c follow from the quantisation table of JPEG. Rows and columns that fill no block are
left out, as in the authors' code.

Reference: Egiazarian, Astola, Ponomarenko, Lukin, Battisti and Carli, "New full-reference quality
metrics based on HVS", VPQM 2006. Masking, by which PSNR-HVS-M goes further, is not in it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from semcom.scores.perceptual import FullReference
from semcom.types import Image

_BLOCK = 8
_LUMA = (0.299, 0.587, 0.114)
WEIGHTS = np.array(
    [
        [1.608443, 2.339554, 2.573509, 1.608443, 1.072295, 0.643377, 0.504610, 0.421887],
        [2.144591, 2.144591, 1.838221, 1.354478, 0.989811, 0.443708, 0.428918, 0.467911],
        [1.838221, 1.979622, 1.608443, 1.072295, 0.643377, 0.451493, 0.372972, 0.459555],
        [1.838221, 1.513829, 1.169777, 0.887417, 0.504610, 0.295806, 0.321689, 0.415082],
        [1.429727, 1.169777, 0.695543, 0.459555, 0.378457, 0.236102, 0.249855, 0.334222],
        [1.072295, 0.735288, 0.467911, 0.402111, 0.317717, 0.247453, 0.227744, 0.279729],
        [0.525206, 0.402111, 0.329937, 0.295806, 0.249855, 0.212687, 0.214459, 0.254803],
        [0.357432, 0.279729, 0.270896, 0.262603, 0.229778, 0.257351, 0.249855, 0.259950],
    ]
)
"""Contrast sensitivity of each coefficient, (8, 8), as in the authors' ``psnrhvsm.m``."""


class PsnrHvs(FullReference):
    """PSNR-HVS in dB; infinite for equal luminance."""

    label, unit, range, least_side = "PSNR-HVS", "dB", (-math.inf, math.inf), _BLOCK

    def compare(self, original: Image, received: Image) -> float:
        """Compare two pictures (H, W, 3) uint8."""
        error = _blocks(original) - _blocks(received)
        weighted = WEIGHTS * dctn(error, axes=(2, 3), norm="ortho")
        mse = float(np.mean(np.square(weighted)))
        return math.inf if mse == 0 else 10 * math.log10(255**2 / mse)


def _blocks(image: Image) -> NDArray[np.float64]:
    """Return the blocks of the luminance, (rows, columns, 8, 8)."""
    height, width = (side // _BLOCK * _BLOCK for side in image.shape[:2])
    luma = image[:height, :width] @ np.array(_LUMA)
    blocks = luma.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    return np.asarray(blocks.transpose(0, 2, 1, 3))
