"""The fifteen corruptions of ImageNet-C, by the package ``imagecorruptions-imaug``.

Blurs and elastic deformation are defined in pixels, so they are weaker on larger pictures; noise is
not. ``glass_blur``, ``zoom_blur`` and ``elastic_transform`` move pixels, while a true mask stays
where it is. ``fog_c`` and ``snow_c`` are ImageNet-C's; ``fog`` and ``snow`` are semcom's.

References
----------
D. Hendrycks, T. Dietterich, "Benchmarking neural network robustness to common corruptions and
perturbations", ICLR 2019, arXiv:1903.12261. C. Michaelis et al., "Benchmarking robustness in object
detection: autonomous driving when winter is coming", 2019, arXiv:1907.07484.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image as PilImage

from semcom.types import Image, Region

CORRUPTIONS = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)


class Corruption:
    """One of the corruptions, at its published severities."""

    slow = True  # keep the result on disk: frosted glass takes seconds

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Corrupt a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        corruptions = importlib.import_module("imagecorruptions.corruptions")
        corrupt = getattr(corruptions, self._name)
        # Most of them draw from NumPy's global generator, and two from one of their own.
        own = {"seed": seed % 2**32} if "seed" in inspect.signature(corrupt).parameters else {}
        with _global_seed(seed % 2**32):
            seen = corrupt(PilImage.fromarray(image), severity, **own)
        return np.asarray(seen).astype(np.uint8)  # as the package itself converts it


@contextlib.contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator, and restore its state afterwards."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def __getattr__(name: str) -> Callable[[], Corruption]:
    """Return the factory of a corruption, by which the registry finds it."""
    if name not in CORRUPTIONS:
        raise AttributeError(name)
    return lambda: Corruption(name)
