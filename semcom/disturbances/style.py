"""The style of another picture: its colours, or its low frequencies."""

from __future__ import annotations

import warnings

import numpy as np
import skimage.data
from PIL import Image as PilImage
from scipy.fft import irfft2, rfft2
from skimage.color import lab2rgb, rgb2lab

from channels.owner import expanded
from semcom.disturbances.pin import check_pin
from semcom.errors import InputError
from semcom.hashes import digest
from semcom.images import load_image
from semcom.types import Image, Region

STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the other picture's colours, by severity."""
BETAS = (0.002, 0.005, 0.01, 0.015, 0.02)
"""Side of the square of low frequencies, as a share of all, by severity; more makes blobs of
colour, and no style."""
PHOTOS = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "immunohistochemistry", "rocket")
_LEAST = 0.05  # deviation in CIELAB, so that the rounding of flat colours is not enlarged
_KINDS = ("colour", "fourier")


class Style:
    """Statistics of a given picture.

    Parameters
    ----------
    picture
        File of the other picture, or one of scikit-image's photos by its name (:data:`PHOTOS`).
    kind
        ``colour``: mean and standard deviation in CIELAB (Reinhard et al., IEEE CG&A 2001, in
        CIELAB instead of lαβ). ``fourier``: the magnitudes of the lowest frequencies (Yang and
        Soatto, CVPR 2020, arXiv:2004.05498).
    sha256
        Beginning of the hash of its pixels; another picture is refused.
    """

    def __init__(self, *, picture: str = "coffee", kind: str = "colour", sha256: str = "") -> None:
        if kind not in _KINDS:
            raise InputError(f"style: unknown kind {kind!r}; choices: {', '.join(_KINDS)}")
        self._other = _open(picture)
        self._kind = kind
        self.identity = digest(self._other)
        check_pin(f"style: {picture}", self.identity, sha256)

    def __call__(self, image: Image, *, severity: int, seed: int, truth: Region | None) -> Image:
        """Disturb a picture; see :class:`semcom.disturbances.base.Disturbance`."""
        if self._kind == "colour":
            return _coloured(image, self._other, STRENGTHS[severity - 1])
        return _low_frequencies_of(image, self._other, BETAS[severity - 1])


def _open(picture: str) -> Image:
    if picture in PHOTOS:
        return np.asarray(getattr(skimage.data, picture)())
    file = expanded(picture)
    if not file.is_file():
        raise InputError(
            f"style: there is no file {picture!r}; give one, or a photo of scikit-image: "
            f"{', '.join(PHOTOS)}"
        )
    return load_image(file)[0]


def _coloured(image: Image, other: Image, strength: float) -> Image:
    own, theirs = (rgb2lab(picture.astype(np.float32) / 255) for picture in (image, other))
    (mean, std), (their_mean, their_std) = (
        (lab.mean(axis=(0, 1)), lab.std(axis=(0, 1)) + _LEAST) for lab in (own, theirs)
    )
    moved = (own - mean) * (their_std / std) + their_mean
    mixed = own + strength * (moved - own)
    with warnings.catch_warnings():  # that some colours do not exist, and are clipped
        warnings.simplefilter("ignore", UserWarning)
        shown = lab2rgb(mixed)
    return np.asarray(np.rint(255 * np.clip(shown, 0, 1)), np.uint8)


def _low_frequencies_of(image: Image, other: Image, beta: float) -> Image:
    height, width = image.shape[:2]
    resized = PilImage.fromarray(other).resize((width, height), PilImage.Resampling.LANCZOS)
    own, theirs = (rfft2(np.asarray(p, np.float32), axes=(0, 1)) for p in (image, resized))
    v, u = np.abs(np.fft.fftfreq(height)), np.fft.rfftfreq(width)
    low = np.ix_(v <= beta / 2, u <= beta / 2)
    own[low] = np.abs(theirs[low]) * np.exp(1j * np.angle(own[low]))
    shown = irfft2(own, s=(height, width), axes=(0, 1))
    return np.asarray(np.clip(np.rint(shown), 0, 255), np.uint8)
