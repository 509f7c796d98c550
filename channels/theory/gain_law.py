"""Quadratures over the distribution of a gain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from channels.units import db_to_linear, linear_to_db

Array = NDArray[np.float64]


def _linear(snr_db: ArrayLike) -> Array:
    return db_to_linear(np.asarray(snr_db, dtype=np.float64))


def _gains(gain_quantile: Callable[[float], float]) -> tuple[Array, Array, Array]:
    """Return t, p and the gain in dB at quantiles from far in one tail to far in the other."""
    t = np.arange(-45.0, 30.1, 0.25)
    p = 1 / (1 + np.exp(-t))
    gains = np.array([gain_quantile(float(value)) for value in p])
    return t, p, np.asarray(linear_to_db(gains))
