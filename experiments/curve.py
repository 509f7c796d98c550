"""``semcom curve``: quality against bandwidth and against SNR, blind and by importance.

Every point is a mean over images, every image a row of :mod:`experiments.sweep`. A bound
(:mod:`experiments.bound`) and published curves (:mod:`experiments.literature`) may stand beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from experiments import literature
from experiments.bound import capacity
from experiments.gain import print_gain
from experiments.means import Point, count_images, points
from experiments.plots import plot_curves
from experiments.store import Row, write_csv, write_results
from experiments.sweep import Say, Task, sweep
from experiments.tables import print_differences, print_means
from semcom.agreement import Link
from semcom.attention import Wishes
from semcom.codecs.base import CODECS


@dataclass(frozen=True)
class Grid:
    """The points of both curves."""

    cbrs: tuple[Fraction, ...]
    """Bandwidths of the rate–distortion curve,"""
    snr_db: float
    """which is measured at this SNR."""
    snrs: tuple[float, ...]
    """SNRs of the quality–SNR curve,"""
    cbr: Fraction
    """which is measured at this bandwidth."""

    def points(self) -> Iterator[tuple[Fraction, float]]:
        """Every (CBR, SNR in dB) once."""
        rate = [(cbr, self.snr_db) for cbr in self.cbrs]
        yield from dict.fromkeys([*rate, *((self.cbr, snr) for snr in self.snrs)])


def curve(
    images: tuple[Path, ...],
    out: Path,
    *,
    wishes: Wishes,
    link: Link,
    codec: str,
    grid: Grid,
    seed: int,
    say: Say,
    bound: bool = False,
    beside: str = "",
) -> int:
    """Measure both curves over images and write rows and plots into ``out``.

    Parameters
    ----------
    images
        Files and folders; the mean is over the images. An image that cannot be read or sent is
        reported and left out.
    out
        Folder for ``rows.jsonl`` (the store), ``results.json``, ``curve.csv`` and the plots
        ``rate_distortion`` and ``snr`` as PNG and PDF.
    wishes, link, codec, grid, seed
        What to measure; the link's SNR is replaced by the grid's.
    say
        What gets notes and errors.
    bound
        Add what the codec does with as many bits as the channel's capacity carries.
    beside
        Published curves to show, see :func:`experiments.literature.choose`.

    Returns
    -------
    int
        How many images and points were left out.

    Raises
    ------
    ValueError
        If not a single row could be made; no bound for this channel, an unknown published curve.
    """
    published, notes = literature.choose(beside, link.channel)
    if bound:
        capacity(link.channel, link.snr_db)  # refused before any work
    say(*notes)
    if not CODECS.create(codec).steerable:
        say(f"codec {codec} cannot follow the importance map: both systems are the same")
    tasks = [
        Task(cbr, replace(link, snr_db=snr), codec, blind, seed, bound=at_capacity)
        for cbr, snr in grid.points()
        for at_capacity in ((False, True) if bound else (False,))
        for blind in (True, False)
    ]
    rows, failed = sweep(images, out, wishes=wishes, tasks=tasks, say=say)
    means = points(rows)
    settings = {
        "wishes": asdict(wishes),
        "link": asdict(link),
        "codec": codec,
        "cbrs": [str(cbr) for cbr in grid.cbrs],
        "snr_db": grid.snr_db,
        "snrs": grid.snrs,
        "cbr": str(grid.cbr),
        "seed": seed,
        "bound": bound,
    }
    _write(means, rows, out, f"{codec} over {link.channel}", settings)
    plot_curves(means, out, snr_db=grid.snr_db, cbr=float(grid.cbr), published=published)
    print_means(means)
    print_gain(means, grid.snr_db)
    if published:
        print_differences(means, published)
        if not literature.is_kodak(row["sha256"] for row in rows):
            say("the published curves are means over Kodak's 24 images; these are other images")
    say(f"{len(rows)} rows and the plots are in {out}")
    return failed


def _write(
    means: list[Point], rows: list[Row], out: Path, what: str, settings: dict[str, Any]
) -> None:
    """Write both files of numbers."""
    write_csv(out / "curve.csv", rows)
    # System by system with the payload rising, so that a plain plot over it is one line each.
    systems = list(dict.fromkeys(point.system for point in means))
    means = sorted(means, key=lambda p: (systems.index(p.system), p.bits_per_pixel))
    description = f"semcom curve: {what}, mean over {count_images(rows)} images"
    path = out / "results.json"
    write_results(path, means, name=what, description=description, settings=settings)
