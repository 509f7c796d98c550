"""``semcom demo``: one bundled photo, sent blind and by importance with the same budget."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from experiments.batch import write_delivery
from experiments.figures import save_comparison
from experiments.tables import print_records
from semcom.agreement import Link
from semcom.attention import Wishes, attend
from semcom.session import send_attended

PHOTO = "rocket"
"""A photo that comes with scikit-image, by its name in ``skimage.data``."""


def demo(out: Path, *, say: Callable[..., None]) -> None:
    """Send the photo over AWGN at 10 dB within CBR 1/16, twice; print a table, save a figure.

    Parameters
    ----------
    out
        Folder for ``demo.png``, and for each system its received picture and record.
    say
        What gets notes.
    """
    import skimage.data

    out.mkdir(parents=True, exist_ok=True)
    image = getattr(skimage.data, PHOTO)()
    link = Link("awgn", snr_db=10.0)
    seen = attend(image, Wishes())
    say(*seen.notes)
    blind, steered = (
        send_attended(
            image,
            seen,
            f"skimage.data.{PHOTO}",
            codec="hevc",
            cbr=Fraction(1, 16),
            link=link,
            blind=is_blind,
            seed=0,
        )
        for is_blind in (True, False)
    )
    write_delivery(blind, out, "blind")
    write_delivery(steered, out, "by-importance")
    save_comparison(blind, steered, seen, out / "demo.png")
    title = f"skimage.data.{PHOTO}, {image.shape[1]}x{image.shape[0]}, budget CBR 1/16"
    print_records({"blind": blind.record, "by importance": steered.record}, title=title)
    say(f"figure: {out / 'demo.png'}")
