"""SSIM and MS-SSIM, computed row by row, in a fraction of the time and memory of other packages.

The means over a window are taken down the columns first and then along the row, so that only a few
rows are held at a time. The computation is in double precision, as in scikit-image; pytorch-msssim
uses single precision. Each row has its own sum, and these are added in order, so that the result
does not depend on the number of threads, which large pictures are given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel
from semcom.large import in_threads, is_large
from semcom.scores.psnr import check_pair
from semcom.types import Image

Channel = NDArray[np.float32]
"""Shape (H, W), 0 to 255. Means over 2x2 pixels of 8-bit values remain exact for five scales."""
_RADIUS = 5
_ROWS = 32  # number of rows that a thread computes at a time
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights of the scales, Wang et al. 2003
_WINDOW = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / 1.5) ** 2)
_WINDOW /= _WINDOW.sum()
_HALF = np.append(_WINDOW[:_RADIUS], _WINDOW[_RADIUS] / 2)
"""Weights of pairs of pixels at equal distance from the middle. The middle pixel counts as a pair
with itself, at half its weight."""


def ssim(original: Image, received: Image) -> float:
    """Return the mean SSIM over the channels; see :func:`semcom.scores.ssim.ssim`."""
    return float(np.mean([_similarity(*_channel(c, original, received))[0] for c in range(3)]))


def ms_ssim(original: Image, received: Image) -> float:
    """Return the mean MS-SSIM over the channels; see :func:`semcom.scores.ssim.ms_ssim`."""
    scores = []
    for c in range(3):
        x, y = _channel(c, original, received)
        score = 1.0
        for scale, weight in enumerate(_WEIGHTS, 1):
            whole, contrast = _similarity(x, y)
            score *= max(whole if scale == len(_WEIGHTS) else contrast, 0.0) ** weight
            x, y = _halve(x), _halve(y)
        scores.append(score)
    return float(np.mean(scores))


def _channel(c: int, *images: Image) -> tuple[Channel, ...]:
    check_pair(*images)
    return tuple(image[..., c].astype(np.float32) for image in images)


def _similarity(x: Channel, y: Channel) -> tuple[float, float]:
    """Return the mean SSIM of two channels, and the mean of its contrast and structure terms."""
    rows, columns = x.shape[0] - 2 * _RADIUS, x.shape[1] - 2 * _RADIUS

    def sums(top: int) -> NDArray[np.float64]:
        strip = slice(top, top + min(_ROWS, rows - top) + 2 * _RADIUS)
        return _sums(x[strip], y[strip], _HALF)

    strips = range(0, rows, _ROWS)
    parts = in_threads(sums, strips) if is_large(*x.shape) else [sums(top) for top in strips]
    found = np.concatenate(parts)
    whole, contrast = found.sum(axis=0) / (rows * columns)
    return float(whole), float(contrast)


@kernel
def _products(x: Channel, y: Channel, row: NDArray[np.float64]) -> None:
    """Fill a row with x, y, x² + y² and xy."""
    for c in range(len(x)):
        a, b = np.float64(x[c]), np.float64(y[c])
        row[0, c], row[1, c], row[2, c], row[3, c] = a, b, a * a + b * b, a * b


@kernel
def _add_pair(
    total: NDArray[np.float64],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    weight: float,
) -> None:
    """Add the weighted sum of two rows; this is a function of its own so that it is vectorised."""
    for c in range(len(total)):
        total[c] += weight * (one[c] + other[c])


@kernel
def _sums(x: Channel, y: Channel, half: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum SSIM, and its contrast and structure terms, over each row of windows; (rows, 2)."""
    taps, width = 2 * len(half) - 1, x.shape[1]
    columns = width - taps + 1
    sums = np.zeros((x.shape[0] - taps + 1, 2))
    recent = np.empty((taps, 4, width))
    down, mean = np.empty((4, width)), np.empty((4, columns))
    for row in range(len(x)):
        _products(x[row], y[row], recent[row % taps])
        first = row - taps + 1
        if first < 0:
            continue
        down[:] = 0
        mean[:] = 0
        for k in range(len(half)):
            above, below = recent[(first + k) % taps], recent[(row - k) % taps]
            for i in range(4):
                _add_pair(down[i], above[i], below[i], half[k])
        for i in range(4):
            for k in range(len(half)):
                end = width - k
                _add_pair(mean[i], down[i, k : k + columns], down[i, end - columns : end], half[k])
        for c in range(columns):
            a, b = mean[0, c], mean[1, c]
            variances = mean[2, c] - a * a - b * b
            contrast = (2 * (mean[3, c] - a * b) + _C2) / (variances + _C2)
            sums[first, 0] += contrast * (2 * a * b + _C1) / (a * a + b * b + _C1)
            sums[first, 1] += contrast
    return sums


def _halve(x: Channel) -> Channel:
    """Average blocks of 2x2 pixels; an odd side is padded with zeros, as in pytorch-msssim."""
    odd = [(side % 2, side % 2) for side in x.shape]
    padded = np.pad(x, odd) if np.any(odd) else x
    rows, columns = (side // 2 * 2 for side in padded.shape)
    pairs = padded[:rows:2, :columns] + padded[1:rows:2, :columns]
    return np.asarray((pairs[:, ::2] + pairs[:, 1::2]) / np.float32(4))
