"""The commands that send many images many times: ``semcom curve``, ``tradeoff``, ``protection``."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from experiments.options import Numbers, Ratio, out_option, say, the_link, what_matters

if TYPE_CHECKING:
    from semcom.agreement import Link
    from semcom.attention import Wishes


def sweep(command: Callable[..., None]) -> click.Command:
    """Make a command of images, of what matters in them, and of a link."""
    images = click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
    return click.command()(images(what_matters(the_link(command))))


def _complain(failed: int, what: str) -> None:
    if failed:
        raise click.ClickException(f"{failed} of the {what} were left out")


@sweep
@click.option(
    "--cbrs",
    default="1/48,1/24,1/16,1/12,1/8",
    show_default=True,
    type=Ratio(several=True),
    help="Bandwidths of the rate–distortion curve, at --snr-db.",
)
@click.option(
    "--snrs",
    default="1,4,7,10,13",
    show_default=True,
    type=Numbers("SNRS", None),
    metavar="DB,DB,…",
    help="SNRs of the quality–SNR curve, at --cbr.",
)
@click.option(
    "--bound",
    is_flag=True,
    help="Add the codec at the channel's capacity: bits that no link can send.",
)
@click.option(
    "--beside",
    default="",
    metavar="NAMES",
    help="Published curves to show beside: all, or some of those in experiments/results "
    "(witt,ntscc++,bpg-ldpc,…).",
)
@out_option("semcom-curve")
def curve(
    images: tuple[Path, ...],
    wishes: Wishes,
    link: Link,
    codec: str,
    cbr: Fraction,
    seed: int,
    cbrs: tuple[Fraction, ...],
    snrs: tuple[float, ...],
    bound: bool,
    beside: str,
    out: Path,
) -> None:
    """Measure quality against bandwidth and against SNR, blind and by importance.

    IMAGES are files or folders. Writes rows (JSON, CSV) and plots (PNG, PDF) into the --out
    folder; a run that was killed goes on where it was.
    """
    from experiments.curve import Grid
    from experiments.curve import curve as run

    failed = run(
        images,
        out,
        wishes=wishes,
        link=link,
        codec=codec,
        grid=Grid(cbrs, link.snr_db, snrs, cbr),
        seed=seed,
        say=say,
        bound=bound,
        beside=beside,
    )
    _complain(failed, "images and points")


@sweep
@click.option(
    "--thetas",
    default="0.3,0.5,0.65,0.8,0.9,0.97",
    show_default=True,
    type=Numbers("THETAS", None),
    metavar="θ,θ,…",
    help="Shares of the weight that the region gets, a point each.",
)
@click.option(
    "--codecs",
    metavar="NAME,NAME,…",
    help="Codecs to compare, a line each.  [default: that of --codec]",
)
@out_option("semcom-tradeoff")
def tradeoff(
    images: tuple[Path, ...],
    wishes: Wishes,
    link: Link,
    codec: str,
    cbr: Fraction,
    seed: int,
    thetas: tuple[float, ...],
    codecs: str | None,
    out: Path,
) -> None:
    """Measure what the background pays for the region, at one bandwidth.

    IMAGES are files or folders. Region PSNR stands against background PSNR, for each codec over
    --thetas, and blind; the table's θ-PSNR is taken at --theta for all. Writes rows (JSON, CSV)
    and a plot (PNG, PDF) into the --out folder; a run that was killed goes on where it was.
    """
    from experiments.tradeoff import parse_codecs
    from experiments.tradeoff import tradeoff as run

    failed = run(
        images,
        out,
        wishes=wishes,
        link=link,
        codecs=parse_codecs(codecs or codec),
        cbr=cbr,
        thetas=thetas,
        seed=seed,
        say=say,
    )
    _complain(failed, "images and points")


@sweep
@click.option(
    "--equal-codecs",
    default="jpeg2000:layers=1,hevc",
    show_default=True,
    metavar="NAME,NAME,…",
    help="Codecs of equal protection.",
)
@click.option("--draws", default=50, show_default=True, help="Of the channel, per image.")
@click.option(
    "--mismatch",
    default="4,10,12",
    show_default=True,
    type=Numbers("LOW,PLANNED,HIGH", 3),
    metavar="DB,DB,DB",
    help="Lowest, planned and highest SNR of the second experiment, over awgn.",
)
@click.option(
    "--std-db",
    default=3.0,
    show_default=True,
    help="How unsure of the planned SNR the sender is there: standard deviation.",
)
@out_option("semcom-protection")
def protection(
    images: tuple[Path, ...],
    wishes: Wishes,
    link: Link,
    codec: str,
    cbr: Fraction,
    seed: int,
    equal_codecs: str,
    draws: int,
    mismatch: tuple[float, float, float],
    std_db: float,
    out: Path,
) -> None:
    """Compare equal and unequal protection where the sender does not know the channel.

    IMAGES are files or folders; --codec should make several packets (scalable:layers=4), and
    --channel fade or --losses lose some. A second experiment plans for one SNR and gets another.
    Writes rows and a figure into the --out folder; a run that was killed goes on where it was.
    """
    from experiments.protection import protection as run
    from experiments.tradeoff import parse_codecs

    failed = run(
        images,
        out,
        wishes=wishes,
        link=link,
        codec=codec,
        equal_codecs=parse_codecs(equal_codecs),
        cbr=cbr,
        draws=draws,
        mismatch_db=mismatch,
        std_db=std_db,
        seed=seed,
        say=say,
    )
    _complain(failed, "images and systems")
