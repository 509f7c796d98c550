"""Where and at which frequencies MS-SSIM sees an error: weights of blocks and quantiser steps.

MS-SSIM (Wang, Simoncelli, Bovik: "Multiscale structural similarity for image quality assessment",
2003, doi:10.1109/ACSSC.2003.1292216) averages 2x2 pixels from scale to scale, and multiplies the
mean similarities ``cs_j`` of five scales, raised to ``β_j``. If the variance ``e²`` of an error is
small against the variance ``σ²`` of the picture in a window, then ``1 - cs ≈ e²/(2σ² + C2)`` (Yeo,
Tan, Tan: "On rate distortion optimization using SSIM", 2013, doi:10.1109/TCSVT.2013.2240918), hence

    -ln(MS-SSIM) ≈ Σ_j β_j · mean(e_j² / (2σ_j² + C2)).

This is a weighted squared error, which a codec minimises as it does for the importance map.

*In space*: white noise of variance D leaves ``e_j² = D/4^j`` at scale j, so that the weight of a
pixel is ``Σ_j β_j · 4^-j / (2σ_j² + C2)``. Within a block, most of the error is where the variance
is large, so that the mean of the weights would be too large: their geometric mean is taken. Its
power of 0.75 costs half as much PSNR as the whole of it, for nearly the same MS-SSIM.

*In frequency*: averaging ``j`` times leaves the share ``Π_{i<j} cos²(2^i·f/2)`` of an error of
frequency ``f``, in each direction. If ``σ_j²`` is about the same at all scales, as in photographs
(whose octaves have equal energy), an error of frequency f weighs ``Σ_j β_j`` times these shares.
The finest octave is seen at the first scale alone, for which β is 0.0448. The quantiser step is
proportional to ``weight^-1/4``, half the exponent that the weights alone would ask for: an encoder
decides about each coefficient by its squared error, which finer steps at the coarse frequencies
serve. More of it costs PSNR, and SSIM at the first scale, and gains nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from semcom.errors import InputError
from semcom.types import Image, Map

Tune = Literal["psnr", "ssim"]
"""What a codec is tuned for: PSNR, or MS-SSIM."""

STEPS_FILE = Path(__file__).with_name("ms_ssim_steps.txt")
"""The quantiser steps in the format of x265 and HM; :func:`steps_text` makes its content."""
_BETAS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of the scales
_C2 = (0.03 * 255) ** 2
_WINDOW = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)  # that of MS-SSIM
_WINDOW /= _WINDOW.sum()
_IN_SPACE, _IN_FREQUENCY = 0.75, 0.5  # powers of the weights
FLAT = 16
"""HEVC's quantiser step without a list (ITU-T H.265, 7.4.5)."""


def check_tune(codec: str, tune: str) -> None:
    """Raise :class:`semcom.errors.InputError` unless ``tune`` is one of :data:`Tune`."""
    if tune not in (choices := get_args(Tune)):
        raise InputError(f"{codec}: unknown tune {tune!r}; choices: {', '.join(choices)}")


def ms_ssim_weights(image: Image, block: int) -> Map:
    """Return the weight of the squared error of every pixel, the same within each block.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    block
        Side in pixels of a block: a power of two, at least 16.

    Returns
    -------
    Map
        (H, W) float32 above 0; the geometric mean of all blocks is 1.

    Examples
    --------
    >>> image = np.full((32, 64, 3), 128, dtype=np.uint8)
    >>> image[:, 32::2] = 255  # stripes hide an error
    >>> w = ms_ssim_weights(image, 32)
    >>> bool(w[0, 0] > 1.4 * w[0, 63])
    True
    """
    height, width = image.shape[:2]
    margin = ((0, -height % block), (0, -width % block), (0, 0))
    scaled = np.pad(image, margin, mode="edge").astype(np.float32)
    total: NDArray[np.float64] | float = 0.0
    for j, beta in enumerate(_BETAS):
        seen = -np.log(2 * _variance(scaled) + _C2).mean(axis=2)
        total = total + beta * 0.25**j * np.exp(_block_means(seen, block >> j))
        scaled = _halve(scaled)
    logs = _IN_SPACE * np.log(total)
    blocks = np.exp(logs - logs.mean()).astype(np.float32)
    every: Map = blocks.repeat(block, axis=0).repeat(block, axis=1)[:height, :width]
    return every


def steps(side: int) -> NDArray[np.int64]:
    """Return the quantiser steps of the frequencies of a transform, in sixteenths.

    Examples
    --------
    >>> steps(4)[0].tolist()
    [16, 20, 24, 28]
    """
    frequencies = np.pi * (np.arange(side) + 0.25) / side
    weights = frequency_weights(frequencies, frequencies)
    found: NDArray[np.int64] = np.rint(FLAT * weights ** (-_IN_FREQUENCY / 2)).astype(np.int64)
    return found


def frequency_weights(
    down: NDArray[np.float64], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weight of an error's square at each pair of frequencies, 1 where it is largest.

    Parameters
    ----------
    down, across
        The vertical and the horizontal frequencies in radians per pixel, ascending, 0 to π.

    Returns
    -------
    NDArray
        One row for each vertical frequency; never higher at a higher frequency.

    Examples
    --------
    >>> frequency_weights(np.array([0.0]), np.array([0, 0.5, 1]) * np.pi).round(2).tolist()
    [[1.0, 0.19, 0.04]]
    """
    weights, share = np.zeros((len(down), len(across))), np.ones((len(down), len(across)))
    for j, beta in enumerate(_BETAS):
        weights += beta * share
        share *= np.outer(np.cos(2**j * down / 2) ** 2, np.cos(2**j * across / 2) ** 2)
    falling = np.minimum.accumulate(np.minimum.accumulate(weights, axis=0), axis=1)
    relative: NDArray[np.float64] = falling / falling.max()
    return relative


def steps_text() -> str:
    """Return the steps of all transforms of HEVC; lists of the two largest are of 8x8 steps."""
    parts = []
    for size in (4, 8, 16, 32):
        rows = "".join(",".join(map(str, row)) + ",\n" for row in steps(min(size, 8)))
        for mode in ("INTRA", "INTER"):
            for plane in ("LUMA",) if size == 32 else ("LUMA", "CHROMAU", "CHROMAV"):
                name = f"{mode}{size}X{size}_{plane}"
                parts.append(f"{name} =\n{rows}")
                if size > 8:
                    parts.append(f"{name}_DC =\n{FLAT}\n")
    return "\n".join(parts)


def _variance(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the variance in the window around each pixel, (H, W, 3)."""
    mean = _in_window(pixels)
    return np.maximum(_in_window(pixels**2) - mean**2, 0)


def _in_window(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    columns = correlate1d(pixels, _WINDOW, axis=0)
    found: NDArray[np.float32] = correlate1d(columns, _WINDOW, axis=1)
    return found


def _halve(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width, _ = pixels.shape
    halves: NDArray[np.float32] = pixels.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    return halves


def _block_means(values: NDArray[np.float32], side: int) -> NDArray[np.float64]:
    rows, columns = (length // side for length in values.shape)
    means: NDArray[np.float64] = values.reshape(rows, side, columns, side).mean(
        axis=(1, 3), dtype=np.float64
    )
    return means
