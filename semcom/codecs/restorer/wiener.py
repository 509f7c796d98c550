"""A Wiener filter behind the restorer, whose coefficients the sender computes and sends.

The network has learned from many pictures. The sender knows the one that it sends, and computes the
filter with which the weighted squared error of what the network returns is least, as the adaptive
loop filter of video coding does. For a plane with decoded values P and restored values N, and with
``D = N - P``, the filtered value of a pixel is

    N + a·D + Σ_k b_k·(mean of N over pair k - N) + Σ_k c_k·(mean of D over pair k - D)

where a pair is two pixels on opposite sides of it. Smoothing or sharpening keeps a flat area as it
is. A coefficient takes one byte, in steps of 1/128.

Reference: C.-Y. Tsai et al., "Adaptive loop filtering for video coding", IEEE J. Sel. Topics Signal
Process. 7(6), 2013, DOI 10.1109/JSTSP.2013.2271974.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semcom.large import strips
from semcom.types import Map

_PAIRS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))
"""Rows and columns from a pixel to one of the pair."""
_PAIRS_OF_CHANGE = 4  # pairs of D; the first ones
_REACH = 2
_TERMS = 1 + len(_PAIRS) + _PAIRS_OF_CHANGE
_STEPS = 128  # of a coefficient
FILTER_BYTES = 3 * _TERMS

Values = NDArray[np.floating[Any]]


def filter_for(original: Values, decoded: Values, restored: Values, w: Map) -> bytes:
    """Compute the coefficients with which the weighted squared error is least.

    Parameters
    ----------
    original, decoded, restored
        Planes (3, H, W).
    w
        (H, W), the weight of each pixel's squared error, at least 0.
    """
    coefficients = np.empty((3, _TERMS))
    for plane in range(3):
        gram, moments = np.zeros((_TERMS, _TERMS)), np.zeros(_TERMS)
        for rows, terms in _terms(decoded[plane], restored[plane]):
            missing = (original[plane, rows] - restored[plane, rows]).ravel()
            weighted = terms * w[rows].ravel()
            gram += weighted @ terms.T
            moments += weighted @ missing
        least = 1e-6 * np.trace(gram) / _TERMS + 1e-9  # some terms may be zero everywhere
        coefficients[plane] = np.linalg.solve(gram + least * np.eye(_TERMS), moments)
    whole: NDArray[np.int8] = np.clip(np.rint(_STEPS * coefficients), -128, 127).astype(np.int8)
    return whole.tobytes()


def filtered(decoded: Values, restored: Values, coefficients: bytes) -> NDArray[np.float32]:
    """Apply a filter of :data:`FILTER_BYTES` bytes to planes (3, H, W).

    Examples
    --------
    >>> decoded, restored = np.zeros((3, 4, 4)), np.ones((3, 4, 4))
    >>> halfway_back = bytes(np.int8([-64, *[0] * 10] * 3))
    >>> filtered(decoded, restored, halfway_back)[0, 0].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    numbers = np.frombuffer(coefficients, np.int8).reshape(3, _TERMS) / np.float32(_STEPS)
    better = restored.astype(np.float32)
    for plane in range(3):
        for rows, terms in _terms(decoded[plane], restored[plane]):
            better[plane, rows] += (numbers[plane] @ terms).reshape(better[plane, rows].shape)
    return better


def _terms(decoded: Values, restored: Values) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield, strip by strip, its rows and the values that the coefficients multiply, (terms, N)."""
    change = restored - decoded
    padded, changes = (
        np.pad(values, _REACH, mode="edge").astype(np.float32) for values in (restored, change)
    )
    for rows in strips(*decoded.shape):
        terms = [
            _shifted(changes, rows, 0, 0),
            *(_around(padded, rows, *pair) for pair in _PAIRS),
            *(_around(changes, rows, *pair) for pair in _PAIRS[:_PAIRS_OF_CHANGE]),
        ]
        yield rows, np.stack([values.ravel() for values in terms])


def _around(padded: Values, rows: slice, down: int, right: int) -> Values:
    both = _shifted(padded, rows, down, right) + _shifted(padded, rows, -down, -right)
    return both / 2 - _shifted(padded, rows, 0, 0)


def _shifted(padded: Values, rows: slice, down: int, right: int) -> Values:
    left = _REACH + right
    width = padded.shape[1] - 2 * _REACH
    return padded[rows.start + _REACH + down : rows.stop + _REACH + down, left : left + width]
