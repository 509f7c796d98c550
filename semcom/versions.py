"""The version of semcom, and those of the libraries that results depend on."""

from __future__ import annotations

import contextlib
import importlib.metadata

__version__ = importlib.metadata.version("semcom")
"""As pyproject.toml has it."""


def versions() -> dict[str, str]:
    """Return the versions of the libraries behind a result; the last three only if installed."""
    names = ("semcom", "av", "numba", "numpy", "pillow", "scikit-image", "scipy", "torch")
    found = {name: importlib.metadata.version(name) for name in names}
    for name in ("compressai", "imageio-ffmpeg", "transformers"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
