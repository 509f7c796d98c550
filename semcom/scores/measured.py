"""The six scores that are always computed, as plug-ins; the formulas have files of their own."""

from __future__ import annotations

import math
from typing import Literal

from semcom.scores.base import Scored
from semcom.scores.psnr import background_psnr_db, psnr_db, region_psnr_db, theta_psnr_db
from semcom.scores.ssim import WINDOW, ms_ssim, ssim
from semcom.types import Image


class _Decibels:
    unit = "dB"
    better: Literal["higher"] = "higher"
    range = (0.0, math.inf)


class _Similarity:
    unit = ""
    better: Literal["higher"] = "higher"
    range = (-1.0, 1.0)


class Psnr(_Decibels):
    """PSNR over the whole picture: :func:`semcom.scores.psnr.psnr_db`."""

    label = "PSNR"

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the PSNR in dB."""
        return psnr_db(original, received)


class Ssim(_Similarity):
    """SSIM over the whole picture: :func:`semcom.scores.ssim.ssim`."""

    label = "SSIM"

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the SSIM; None for a picture that is smaller than its window."""
        return ssim(original, received) if min(original.shape[:2]) >= WINDOW else None


class MsSsim(_Similarity):
    """MS-SSIM over the whole picture: :func:`semcom.scores.ssim.ms_ssim`."""

    label = "MS-SSIM"

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the MS-SSIM; None for a picture that is too small for five scales."""
        return ms_ssim(original, received)


class RegionPsnr(_Decibels):
    """PSNR over the region: :func:`semcom.scores.psnr.region_psnr_db`."""

    label = "region"

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the PSNR in dB; None without a region."""
        return region_psnr_db(original, received, scored.region)


class BackgroundPsnr(_Decibels):
    """PSNR outside of the region: :func:`semcom.scores.psnr.background_psnr_db`."""

    label = "rest"

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the PSNR in dB; None if the region is everything."""
        return background_psnr_db(original, received, scored.region)


class ThetaPsnr(_Decibels):
    """PSNR of an error that is weighted by region: :func:`semcom.scores.psnr.theta_psnr_db`."""

    label = "θ-PSNR"

    def __call__(self, original: Image, received: Image, scored: Scored) -> float | None:
        """Return the θ-PSNR in dB."""
        return theta_psnr_db(original, received, scored.region, scored.importance.theta)
