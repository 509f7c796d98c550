"""The CDF 9/7 wavelet by lifting, five levels deep.

Reference: Daubechies and Sweldens, "Factoring wavelet transforms into lifting steps", Journal of
Fourier Analysis and Applications 4 (1998), section 7.3, with factors for which the transform is
nearly orthonormal: equal errors of coefficients are nearly equal errors of pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVELS = 5
PLANES = 3
ORIENTATIONS = 3
"""Details along the columns, along the rows, and along both."""
_STEPS = tuple(
    np.float32(step)
    for step in (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
)
_GAIN = np.float32(1.149604398860241)

Planes = NDArray[np.float32]


class Wavelet(NamedTuple):
    """The coefficients of a picture."""

    coarsest: Planes
    """The picture at 1/32 of the size, (PLANES, h, w); values are 32 times those of the planes."""
    details: list[Planes]
    """From the coarsest level, (PLANES, ORIENTATIONS, ·, ·) each."""


def analyse(planes: Planes) -> Wavelet:
    """Return the coefficients of planes (PLANES, H, W), with sides that are multiples of 32."""
    low, details = planes, []
    for _ in range(LEVELS):
        left, right = _split(low)
        (low, rows), (columns, both) = (
            tuple(part.swapaxes(-1, -2) for part in _split(half.swapaxes(-1, -2)))
            for half in (left, right)
        )
        details.append(np.stack([rows, columns, both], axis=1))
    return Wavelet(np.ascontiguousarray(low), details[::-1])


def synthesise(wavelet: Wavelet) -> Planes:
    """Undo :func:`analyse`."""
    low = wavelet.coarsest
    for details in wavelet.details:
        rows, columns, both = details.swapaxes(0, 1)
        left, right = (
            _join(first.swapaxes(-1, -2), second.swapaxes(-1, -2)).swapaxes(-1, -2)
            for first, second in ((low, rows), (columns, both))
        )
        low = _join(left, right)
    return np.ascontiguousarray(low)


def _split(values: Planes) -> tuple[Planes, Planes]:
    """Split along the last axis into a coarser picture and details."""
    even, odd = values[..., 0::2].copy(), values[..., 1::2].copy()
    for i in (0, 2):
        _add_to_odd(odd, even, _STEPS[i])
        _add_to_even(even, odd, _STEPS[i + 1])
    even *= _GAIN
    odd /= _GAIN
    return even, odd


def _join(low: Planes, high: Planes) -> Planes:
    even, odd = low / _GAIN, high * _GAIN
    for i in (2, 0):
        _add_to_even(even, odd, -_STEPS[i + 1])
        _add_to_odd(odd, even, -_STEPS[i])
    joined: Planes = np.stack([even, odd], axis=-1).reshape(*low.shape[:-1], -1)
    return joined


def _add_to_odd(odd: Planes, even: Planes, factor: np.float32) -> None:
    """Add to each odd value its even neighbours, mirrored at the end."""
    odd += factor * even
    odd[..., :-1] += factor * even[..., 1:]
    odd[..., -1] += factor * even[..., -1]


def _add_to_even(even: Planes, odd: Planes, factor: np.float32) -> None:
    even += factor * odd
    even[..., 1:] += factor * odd[..., :-1]
    even[..., 0] += factor * odd[..., 0]
