"""How good is what arrived: one definition of each score."""

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
"""Name to description and function."""


def score(original: Image, received: Image, importance: Importance) -> dict[str, float | None]:
    """Score ``received`` against ``original``; None where a score has no meaning."""
    return {
        name: function(original, received, importance) for name, (_, function) in SCORES.items()
    }
