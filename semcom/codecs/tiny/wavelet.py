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
_FIRST, _LAST = slice(None, 1), slice(-1, None)
_FRONT, _BACK = slice(None, -1), slice(1, None)

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
        left, right = _split(low, -1)
        (low, rows), (columns, both) = _split(left, -2), _split(right, -2)
        details.append(np.stack([rows, columns, both], axis=1))
    return Wavelet(low, details[::-1])


def synthesise(wavelet: Wavelet) -> Planes:
    """Undo :func:`analyse`."""
    low = wavelet.coarsest
    for details in wavelet.details:
        rows, columns, both = details.swapaxes(0, 1)
        low = _join(_join(low, rows, -2), _join(columns, both, -2), -1)
    return low


def _split(values: Planes, axis: int) -> tuple[Planes, Planes]:
    """Split along an axis into a coarser picture and details."""
    even, odd = (_along(axis, values, slice(first, None, 2)).copy() for first in (0, 1))
    for i in (0, 2):
        _add_to_odd(odd, even, _STEPS[i], axis)
        _add_to_even(even, odd, _STEPS[i + 1], axis)
    even *= _GAIN
    odd /= _GAIN
    return even, odd


def _join(low: Planes, high: Planes, axis: int) -> Planes:
    even, odd = low / _GAIN, high * _GAIN
    for i in (2, 0):
        _add_to_even(even, odd, -_STEPS[i + 1], axis)
        _add_to_odd(odd, even, -_STEPS[i], axis)
    shape = list(low.shape)
    shape[axis] *= 2
    joined = np.empty(shape, np.float32)
    _along(axis, joined, slice(0, None, 2))[:] = even
    _along(axis, joined, slice(1, None, 2))[:] = odd
    return joined


def _add_to_odd(odd: Planes, even: Planes, factor: np.float32, axis: int) -> None:
    """Add to each odd value its even neighbours, mirrored at the end."""
    added = factor * even
    odd += added
    _along(axis, odd, _FRONT)[:] += _along(axis, added, _BACK)
    _along(axis, odd, _LAST)[:] += _along(axis, added, _LAST)


def _add_to_even(even: Planes, odd: Planes, factor: np.float32, axis: int) -> None:
    added = factor * odd
    even += added
    _along(axis, even, _BACK)[:] += _along(axis, added, _FRONT)
    _along(axis, even, _FIRST)[:] += _along(axis, added, _FIRST)


def _along(axis: int, values: Planes, part: slice) -> Planes:
    """Return a part of the last axis or of the one before it."""
    return values[..., part] if axis == -1 else values[..., part, :]
