"""``semcom demo``: sends a bundled photo blind and by importance within the same bandwidth."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from experiments.deliveries.compare import compare_one
from semcom.api import order_of

PHOTO = "rocket"
"""A photo that comes with scikit-image, by its name in ``skimage.data``."""
CBR = Fraction(1, 48)


def demo(out: Path, *, say: Callable[..., None]) -> None:
    """Compare both systems on the photo over AWGN at 10 dB; print a table and save a figure.

    Parameters
    ----------
    out
        Folder for the files that :func:`experiments.deliveries.compare.compare_files` writes.
    say
        Function that receives notes.
    """
    import skimage.data

    out.mkdir(parents=True, exist_ok=True)
    order = order_of({"cbr": CBR, "snr_db": 10.0})
    photo = getattr(skimage.data, PHOTO)()
    scene = order.scene(photo, source=f"skimage.data.{PHOTO}")
    say(*scene.notes)
    compare_one(scene, out, PHOTO, order, tell=None, say=say)
