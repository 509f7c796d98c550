"""Gains, and the files that hold them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUM_ROWS = 37
PERIOD_S = 1e-4


def gains(*shape: int) -> NDArray[np.complex128]:
    generator = np.random.default_rng(6)
    return generator.standard_normal(shape) + 1j * generator.standard_normal(shape)


def write_npz(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)
