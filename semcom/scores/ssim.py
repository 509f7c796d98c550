"""Structural similarity and its multi-scale form."""

from __future__ import annotations

from semcom.errors import InputError
from semcom.scores import similarity
from semcom.types import Image

WINDOW = 11
"""Side in pixels of the window of SSIM; a smaller picture has none."""


def ssim(original: Image, received: Image) -> float:
    """Return the structural similarity of two images (H, W, 3) uint8, at most 1.

    It is scikit-image's definition with the settings of Wang et al. 2004
    (DOI 10.1109/TIP.2003.819861): an 11x11 Gaussian window of σ = 1.5, biased covariances, data
    range 255, and the mean over the RGB channels.

    Raises
    ------
    ValueError
        A side below 11 pixels, or two images that cannot be compared.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()[:64, :64].copy()
    >>> ssim(photo, photo), ssim(photo, 255 - photo) < 0.5
    (1.0, True)
    """
    if min(original.shape[:2]) < WINDOW:
        raise InputError(f"SSIM needs sides of at least {WINDOW} pixels, got {original.shape[:2]}")
    return similarity.ssim(original, received)


def ms_ssim(original: Image, received: Image) -> float | None:
    """Return the multi-scale SSIM of two images (H, W, 3) uint8, in [0, 1].

    It is that of Wang et al. 2003 (DOI 10.1109/ACSSC.2003.1292216) as pytorch-msssim has it, in
    double precision: five scales, an 11x11 Gaussian window of σ = 1.5, data range 255, and the mean
    over the RGB channels. It is None if the shorter side has at most 160 pixels, because the
    coarsest scale would be smaller than the window.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()
    >>> round(ms_ssim(photo, photo), 6), ms_ssim(photo[:64, :64], photo[:64, :64])
    (1.0, None)
    """
    if min(original.shape[:2]) <= 160:
        return None
    return similarity.ms_ssim(original, received)
