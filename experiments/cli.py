"""The command line. Work is imported inside the commands, so that ``--help`` answers at once."""

from __future__ import annotations

import io
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.cache_command import cache
from experiments.check_command import check_codec
from experiments.link_commands import ber, bler, mcs
from experiments.options import Numbers, Ratio, out_option, the_link, what_matters

if TYPE_CHECKING:
    from semcom.agreement import Link
    from semcom.attention import Wishes


class Commands(click.Group):
    """A group whose commands report bad input in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader has had enough: click ends quietly
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="semcom")
def main() -> None:
    """Semantic image communication, simulated honestly.

    Send images across noisy channels, spending the bandwidth on what matters.
    """
    # A pipe may lack θ, and file names may lack an encoding: escape what cannot be written.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(*notes: str) -> None:
    """Tell the user something on the error stream, which keeps the output clean."""
    for note in notes:
        click.echo(note, err=True)


@main.command()
@out_option("semcom-demo")
def demo(out: Path) -> None:
    """Send a bundled photo twice, blind and by importance, and draw what arrives."""
    from experiments.demo import demo as run

    run(out, say=say)


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@what_matters
@click.option("--blind", is_flag=True, help="Send with w = 1; the regions are still scored.")
@the_link
@out_option("semcom-out")
@click.option("--json", "as_json", is_flag=True, help="Print the records, one line of JSON each.")
def send(
    images: tuple[Path, ...],
    wishes: Wishes,
    blind: bool,
    link: Link,
    codec: str,
    cbr: Fraction,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Send IMAGES (files or folders) across a channel and score what arrives.

    Writes for each image the received picture, a figure and a JSON record into the --out folder.
    """
    from experiments.batch import send_files

    failed = send_files(
        images,
        out,
        wishes=wishes,
        link=link,
        codec=codec,
        cbr=cbr,
        blind=blind,
        seed=seed,
        tell=(lambda record: click.echo(json.dumps(record))) if as_json else None,
        say=say,
    )
    if failed:
        raise click.ClickException(f"{failed} of the images could not be sent")


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@what_matters
@the_link
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
    if failed:
        raise click.ClickException(f"{failed} of the images and points were left out")


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@what_matters
@the_link
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
    if failed:
        raise click.ClickException(f"{failed} of the images and points were left out")


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@what_matters
@the_link
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
    if failed:
        raise click.ClickException(f"{failed} of the images and systems were left out")


for link_command in (ber, bler, mcs):
    main.add_command(link_command)
main.add_command(check_codec)
main.add_command(cache)


@main.command("list")
@click.argument(
    "kind",
    default="all",
    type=click.Choice(
        [
            "all",
            "codecs",
            "channels",
            "bit-channels",
            "packet-channels",
            "decoders",
            "segmenters",
            "scores",
        ]
    ),
)
def list_(kind: str) -> None:
    """Show what is registered, from where, and which extra is missing."""
    from experiments.listing import print_listing

    print_listing(kind)


@main.group()
def weights() -> None:
    """MobileSAM's checkpoint."""


@weights.command()
def fetch() -> None:
    """Download the checkpoint into the cache and check it."""
    from semcom import weights as checkpoint

    click.echo(checkpoint.fetch())


@weights.command()
def path() -> None:
    """Print where the checkpoint is, or would be."""
    from semcom import weights as checkpoint

    click.echo(checkpoint.path())


@weights.command()
def check() -> None:
    """Check the checkpoint's size and hash."""
    from semcom import weights as checkpoint

    checkpoint.check()
    click.echo(f"{checkpoint.path()}: the official MobileSAM checkpoint")
