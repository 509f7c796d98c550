"""Scores of the received picture, each with one definition."""

from __future__ import annotations

from collections.abc import Callable

from semcom.importance.maps import Importance
from semcom.scores.psnr import background_psnr_db, psnr_db, region_psnr_db, theta_psnr_db
from semcom.scores.ssim import ms_ssim, ssim
from semcom.types import Image

Score = Callable[[Image, Image, Importance], float | None]
SCORES: dict[str, tuple[str, Score]] = {
    "psnr_db": ("PSNR, dB", lambda x, y, _: psnr_db(x, y)),
    "ssim": ("SSIM, 11x11 Gaussian window", lambda x, y, _: ssim(x, y)),
    "ms_ssim": ("MS-SSIM, five scales", lambda x, y, _: ms_ssim(x, y)),
    "region_psnr_db": (
        "PSNR over the region, dB",
        lambda x, y, what: region_psnr_db(x, y, what.region),
    ),
    "background_psnr_db": (
        "PSNR outside of it, dB",
        lambda x, y, what: background_psnr_db(x, y, what.region),
    ),
    "theta_psnr_db": (
        "θ-PSNR, dB",
        lambda x, y, what: theta_psnr_db(x, y, what.region, what.theta),
    ),
}
"""Description and function of each score, by name."""


def score(original: Image, received: Image, importance: Importance) -> dict[str, float | None]:
    """Score ``received`` against ``original``; a score that is undefined is None.

    Examples
    --------
    >>> import numpy as np
    >>> from semcom.importance.maps import importance
    >>> original = np.full((64, 64, 3), 100, dtype=np.uint8)
    >>> found = score(original, original + np.uint8(1), importance([], 64, 64))
    >>> round(found["psnr_db"], 2), found["region_psnr_db"]  # there is no region
    (48.13, None)
    """
    return {
        name: function(original, received, importance) for name, (_, function) in SCORES.items()
    }
