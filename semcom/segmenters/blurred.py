"""A segmenter that sees the picture blurred, so that noise does not lead it astray."""

from __future__ import annotations

import functools

import numpy as np
from scipy.ndimage import gaussian_filter

from semcom.errors import InputError
from semcom.segmenters.base import Segmenter
from semcom.segmenters.inner import build_inner, check_inner, describe
from semcom.types import Image, Mask, Prompts

_MOST = 50.0


class Blurred:
    """Another segmenter behind a Gaussian blur.

    Parameters
    ----------
    of
        The other segmenter by its name, with its default options. ``auto``: MobileSAM if its
        weights are here, and otherwise ``graph``.
    sigma
        Standard deviation of the blur in pixels, above 0 and at most 50.

    Examples
    --------
    >>> image = np.full((64, 64, 3), 60, dtype=np.uint8)
    >>> image[16:48, 16:48] = 200
    >>> noise = np.random.default_rng(0).normal(0, 40, image.shape)
    >>> noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
    >>> (mask,) = Blurred(of="graph")(noisy, Prompts(points=((32, 32),)))
    >>> abs(int(mask.pixels.sum()) - 32 * 32) < 150
    True
    """

    def __init__(self, *, of: str = "auto", sigma: float = 2.0) -> None:
        if not 0 < sigma <= _MOST:
            raise InputError(f"blurred: sigma must be above 0 and at most {_MOST:g}, got {sigma}")
        self._name, self._sigma = check_inner("blurred", of), sigma

    @functools.cached_property
    def _built(self) -> tuple[Segmenter, str]:
        return build_inner(self._name)

    @property
    def provenance(self) -> str:
        """The segmenter with all its options, and the weights of the inner one."""
        return describe("blurred", self._name, sigma=self._sigma) + self._built[1]

    @property
    def takes_text(self) -> bool:
        """Whether the other segmenter takes texts itself."""
        return bool(getattr(self._built[0], "takes_text", False))

    def __call__(self, image: Image, prompts: Prompts = Prompts()) -> list[Mask]:  # noqa: B008
        """Segment ``image`` (H, W, 3) uint8; see :class:`semcom.segmenters.base.Segmenter`."""
        smooth = gaussian_filter(image.astype(np.float32), (self._sigma, self._sigma, 0))
        return self._built[0](np.rint(smooth).astype(np.uint8), prompts)
