"""Structural similarity and its multi-scale form."""

from __future__ import annotations

import warnings

import numpy as np

from semcom.large import is_large
from semcom.scores import similarity
from semcom.types import Image

WINDOW = 11
"""Side in pixels of the window of SSIM; a smaller picture has none."""


def ssim(original: Image, received: Image) -> float:
    """Return the structural similarity of two images (H, W, 3) uint8, at most 1.

    It is scikit-image's definition with the settings of Wang et al. 2004
    (DOI 10.1109/TIP.2003.819861): an 11x11 Gaussian window of σ = 1.5, biased covariances, data
    range 255, and the mean over the RGB channels. Large images are scored in strips
    (:mod:`semcom.scores.similarity`).

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()[:64, :64].copy()
    >>> ssim(photo, photo), ssim(photo, 255 - photo) < 0.5
    (1.0, True)
    """
    if is_large(*original.shape[:2]):
        return similarity.ssim(original, received)
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(  # type: ignore[no-untyped-call, unused-ignore]
            original,
            received,
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def ms_ssim(original: Image, received: Image) -> float | None:
    """Return the multi-scale SSIM of two images (H, W, 3) uint8, in [0, 1].

    It is that of Wang et al. 2003 (DOI 10.1109/ACSSC.2003.1292216) as computed by pytorch-msssim:
    five scales, an 11x11 Gaussian window of σ = 1.5, data range 255, and the mean over the RGB
    channels. It is None if the shorter side has at most 160 pixels, because the coarsest scale
    would be smaller than the window. Large images are scored in strips, as for :func:`ssim`.

    Examples
    --------
    >>> import skimage.data
    >>> photo = skimage.data.astronaut()
    >>> round(ms_ssim(photo, photo), 6), ms_ssim(photo[:64, :64], photo[:64, :64])
    (1.0, None)
    """
    if min(original.shape[:2]) <= 160:
        return None
    if is_large(*original.shape[:2]):
        return similarity.ms_ssim(original, received)
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        from pytorch_msssim import ms_ssim as reference

    pair = [
        torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float()
        for image in (original, received)
    ]
    return float(reference(*pair, data_range=255.0))
