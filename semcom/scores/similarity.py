"""SSIM and MS-SSIM of large pictures, strip by strip: the same definitions in less time and memory.

Every window lies in one strip, as strips overlap by what the window is longer than a pixel. Sums are
of single strips in double precision, added in the order of the strips: the number of threads
changes nothing. Within 1e-6 of scikit-image and pytorch-msssim on the whole picture, which work in
double and in single precision.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semcom.large import in_threads
from semcom.types import Image

_Array = NDArray[np.float32]
_RADIUS = 5
_ROWS = 8  # of a strip, so that what is done to it stays in a core's cache
_C1, _C2 = np.float32((0.01 * 255) ** 2), np.float32((0.03 * 255) ** 2)
_CENTRE = np.float32(128)  # taken off, so that variances are differences of small numbers
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, Wang et al. 2003, table 1


def _window() -> _Array:
    """Return the Gaussian of σ 1.5 in steps of 2^-24, which sum to 1 without rounding."""
    taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / 1.5) ** 2)
    steps = np.rint(2**24 * taps / taps.sum())
    steps[_RADIUS] += 2**24 - steps.sum()
    return (steps / 2**24).astype(np.float32)


_TAPS = _window()


def ssim(original: Image, received: Image) -> float:
    """Mean over the channels; as :func:`semcom.scores.ssim.ssim`."""
    pairs = [(original[..., c], received[..., c]) for c in range(3)]
    return float(np.mean([_similarity(x, y)[0] for x, y in pairs]))


def ms_ssim(original: Image, received: Image) -> float:
    """Mean over the channels; as :func:`semcom.scores.ssim.ms_ssim`."""
    scores = []
    for c in range(3):
        x, y = original[..., c], received[..., c]
        score = 1.0
        for scale, weight in enumerate(_WEIGHTS, 1):
            whole, contrast = _similarity(x, y)
            score *= max(whole if scale == len(_WEIGHTS) else contrast, 0.0) ** weight
            x, y = _halve(x), _halve(y)
        scores.append(score)
    return float(np.mean(scores))


def _similarity(x: NDArray[np.generic], y: NDArray[np.generic]) -> tuple[float, float]:
    """Mean SSIM of two channels (H, W), 0 to 255, and that of its contrast and structure alone."""
    rows, columns = x.shape[0] - 2 * _RADIUS, x.shape[1] - 2 * _RADIUS

    def sums(top: int) -> tuple[float, float]:
        strip = slice(top, top + _ROWS + 2 * _RADIUS)
        return _sums(x[strip].astype(np.float32), y[strip].astype(np.float32))

    whole, contrast = np.sum(in_threads(sums, range(0, rows, _ROWS)), axis=0)
    return float(whole / (rows * columns)), float(contrast / (rows * columns))


def _sums(x: _Array, y: _Array) -> tuple[float, float]:
    x -= _CENTRE
    y -= _CENTRE
    mean_x, mean_y, squares, product = _blur(np.stack([x, y, x * x + y * y, x * y]))
    covariance = product - mean_x * mean_y
    variances = squares - (mean_x * mean_x + mean_y * mean_y)
    contrast = (2 * covariance + _C2) / (variances + _C2)
    mean_x += _CENTRE
    mean_y += _CENTRE
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    whole = float((luminance * contrast).sum(dtype=np.float64))
    return whole, float(contrast.sum(dtype=np.float64))


def _blur(x: _Array) -> _Array:
    """Weigh by the window where it lies inside, (…, H, W) to (…, H - 10, W - 10)."""
    rows, columns = x.shape[-2] - 2 * _RADIUS, x.shape[-1] - 2 * _RADIUS
    x = _weigh(lambda k: x[..., k : k + rows, :])
    return _weigh(lambda k: x[..., k : k + columns])


def _weigh(shifted: Callable[[int], _Array]) -> _Array:
    total = shifted(_RADIUS) * _TAPS[_RADIUS]
    pair = np.empty_like(total)
    for k in range(_RADIUS):  # the window is symmetric
        np.add(shifted(k), shifted(2 * _RADIUS - k), out=pair)
        pair *= _TAPS[k]
        total += pair
    return total


def _halve(x: NDArray[np.generic]) -> _Array:
    """Mean of every 2x2 pixels; an odd side gets a zero at either end, as in pytorch-msssim."""
    padded = np.pad(x, [(side % 2, side % 2) for side in x.shape])
    rows, columns = (side // 2 * 2 for side in padded.shape)
    a, b = padded[:rows:2, :columns], padded[1:rows:2, :columns]
    pairs = np.add(a, b, dtype=np.float32)
    return (pairs[:, ::2] + pairs[:, 1::2]) / np.float32(4)
