"""``semcom demo``: one bundled photo, sent blind and by importance with the same budget."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from experiments.deliveries.compare import compare_image
from semcom.importance.region import RegionOptions, find_region
from semcom.link.config import LinkConfig

PHOTO = "rocket"
"""A photo that comes with scikit-image, by its name in ``skimage.data``."""
CBR = Fraction(1, 48)


def demo(out: Path, *, say: Callable[..., None]) -> None:
    """Compare both systems on the photo over AWGN at 10 dB; print a table, save a figure.

    Parameters
    ----------
    out
        Folder for what :func:`experiments.deliveries.compare.compare_files` writes.
    say
        What gets notes.
    """
    import skimage.data

    out.mkdir(parents=True, exist_ok=True)
    image = getattr(skimage.data, PHOTO)()
    region = find_region(image, RegionOptions())
    say(*region.notes)
    source, link = f"skimage.data.{PHOTO}", LinkConfig("awgn", snr_db=10.0)
    compare_image(
        image,
        region,
        source,
        out,
        PHOTO,
        link=link,
        codec="hevc",
        cbr=CBR,
        seed=0,
        tell=None,
        say=say,
    )
