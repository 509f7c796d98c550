"""``semcom tradeoff``: what the rest of an image pays for the region, at a fixed bandwidth.

Each codec follows the importance map at several θ, the share of all weight that the region gets;
each θ is a point (background PSNR, region PSNR), and the blind system is one more. Rows are those
of :mod:`experiments.sweep`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

from experiments.means import count_images, points
from experiments.store import write_csv, write_results
from experiments.sweep import Say, Task, sweep
from experiments.tables import print_tradeoff
from experiments.tradeoff_plot import plot_tradeoff
from semcom.agreement import Link
from semcom.attention import Wishes
from semcom.codecs.base import CODECS
from semcom.importance import check_theta


def tradeoff(
    images: tuple[Path, ...],
    out: Path,
    *,
    wishes: Wishes,
    link: Link,
    codecs: Sequence[str],
    cbr: Fraction,
    thetas: Sequence[float],
    seed: int,
    say: Say,
) -> int:
    """Measure region against background over θ and write rows and the plot into ``out``.

    Parameters
    ----------
    images
        Files and folders; the mean is over the images. An image that cannot be read or sent is
        reported and left out.
    out
        Folder for ``rows.jsonl`` (the store), ``results.json``, ``tradeoff.csv`` and the plot
        ``tradeoff`` as PNG and PDF.
    wishes
        What matters; its θ is the one at which the table scores every point.
    link, cbr, seed
        What is measured at.
    codecs
        Codecs by name, with options. One that cannot follow the importance map is measured blind.
    thetas
        Shares of the weight that the region gets, in (0, 1).
    say
        What gets notes and errors.

    Returns
    -------
    int
        How many images and points were left out.

    Raises
    ------
    ValueError
        θ outside (0, 1), an unknown codec, no row at all, or no image with a region to prefer.
    """
    for theta in thetas:
        check_theta(theta)
    tasks = []
    for codec in dict.fromkeys(codecs):
        tasks.append(Task(cbr, link, codec, True, seed))
        if not CODECS.create(codec).steerable:
            say(f"codec {codec} cannot follow the importance map: it gives its blind point only")
            continue
        steered = (Task(cbr, link, codec, False, seed, theta=t) for t in sorted(set(thetas)))
        tasks += steered
    rows, failed = sweep(images, out, wishes=wishes, tasks=tasks, say=say)
    means = sorted(points(rows), key=lambda point: list(codecs).index(point.codec))
    if not any(point.values("background_psnr_db") for point in means):
        raise ValueError("no image has a region and a rest: there is nothing to trade")
    write_csv(out / "tradeoff.csv", rows)
    write_results(
        out / "results.json",
        means,
        name=f"trade-off over {link.channel}",
        description=f"semcom tradeoff: CBR {cbr}, mean over {count_images(rows)} images",
        settings={
            "wishes": asdict(wishes),
            "link": asdict(link),
            "codecs": list(codecs),
            "cbr": str(cbr),
            "thetas": list(thetas),
            "seed": seed,
        },
    )
    plot_tradeoff(means, out / "tradeoff", kind=wishes.kind)
    print_tradeoff(means, wishes.theta)
    say(f"{len(rows)} rows and the plot are in {out}")
    return failed


def parse_codecs(text: str) -> tuple[str, ...]:
    """Split codecs at commas, but for those between the options of one.

    Raises
    ------
    ValueError
        An unknown codec or option.

    Examples
    --------
    >>> parse_codecs("hevc,learned:model=mbt2018-mean,metric=mse")
    ('hevc', 'learned:model=mbt2018-mean,metric=mse')
    """
    codecs: list[str] = []
    for part in text.split(","):
        key, equals, _ = part.partition("=")
        if equals and ":" not in key and codecs:  # one more option of the codec before
            codecs[-1] += f",{part}"
        else:
            codecs.append(part.strip())
    for codec in codecs:
        CODECS.parse(codec)
    return tuple(dict.fromkeys(codecs))
