"""The command line. Work is imported inside the commands, so that ``--help`` answers at once."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import click


class Numbers(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Numbers separated by commas, a fixed count of them or any."""

    def __init__(self, name: str, count: int | None) -> None:
        self.name = name
        self.count = count

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn text into a tuple of floats."""
        if not isinstance(value, str):
            return value
        try:
            numbers = tuple(float(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        if not numbers or (self.count is not None and len(numbers) != self.count):
            self.fail(f"expected {self.name}, got {value!r}", param, ctx)
        return numbers


class Ratio(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """One channel bandwidth ratio, or several separated by commas."""

    name = "cbr"

    def __init__(self, *, several: bool = False) -> None:
        self.several = several

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn text such as ``1/16`` into fractions."""
        from channels.units import parse_cbr

        if not isinstance(value, str):
            return value
        try:
            ratios = tuple(parse_cbr(part) for part in value.split(","))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if self.several:
            return ratios
        if len(ratios) > 1:
            self.fail(f"expected one ratio, got {value!r}", param, ctx)
        return ratios[0]


class Commands(click.Group):
    """A group whose commands report bad input in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error


def options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Bundle click options for several commands."""

    def apply(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


what_matters = options(
    click.option(
        "--segmenter",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Who finds the segments; auto: MobileSAM where its weights are, else graph.",
    ),
    click.option(
        "--point",
        "points",
        multiple=True,
        type=Numbers("X,Y", 2),
        metavar="X,Y",
        help="What is at this pixel matters (repeatable).",
    ),
    click.option(
        "--box",
        "boxes",
        multiple=True,
        type=Numbers("X0,Y0,X1,Y1", 4),
        metavar="X0,Y0,X1,Y1",
        help="What is in this box matters (repeatable).",
    ),
    click.option(
        "--mask",
        type=click.Path(),
        metavar="FILE",
        help="Masks from a file instead: PNG, NPY, or COCO JSON (RLE or polygons); "
        "'beside' takes NAME_mask.png beside each image.",
    ),
    click.option(
        "--theta",
        default=0.65,
        show_default=True,
        help="Share of the weight that the region gets, in (0, 1).",
    ),
    click.option(
        "--importance",
        default="region",
        show_default=True,
        metavar="KIND",
        help="region: all masks alike; graded: by rank.",
    ),
)

the_link = options(
    click.option("--codec", default="hevc", show_default=True, metavar="NAME"),
    click.option("--channel", default="awgn", show_default=True, metavar="NAME"),
    click.option("--snr-db", default=10.0, show_default=True, help="Mean Es/N0 in dB."),
    click.option(
        "--cbr",
        default="1/16",
        show_default=True,
        type=Ratio(),
        help="Channel uses allowed per source sample: 0.0625 or 1/16.",
    ),
    click.option(
        "--csi",
        default="perfect",
        show_default=True,
        metavar="KIND",
        help="perfect: the receiver knows the fading; pilots: it estimates it.",
    ),
    click.option(
        "--pilots", default=8, show_default=True, help="Pilots per block, for --csi pilots."
    ),
    click.option("--seed", default=0, show_default=True, help="Of fading and noise."),
)


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
@click.option("--out", type=click.Path(path_type=Path), default=Path("semcom-demo"))
def demo(out: Path) -> None:
    """Send a bundled photo twice, blind and by importance, and draw what arrives."""
    from experiments.demo import demo as run

    run(out, say=say)


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@what_matters
@click.option("--blind", is_flag=True, help="Send with w = 1; the regions are still scored.")
@the_link
@click.option("--out", type=click.Path(path_type=Path), default=Path("semcom-out"))
@click.option("--json", "as_json", is_flag=True, help="Print the records, one line of JSON each.")
def send(
    images: tuple[Path, ...],
    segmenter: str,
    points: tuple[tuple[float, float], ...],
    boxes: tuple[tuple[float, float, float, float], ...],
    mask: str | None,
    theta: float,
    importance: str,
    blind: bool,
    codec: str,
    channel: str,
    snr_db: float,
    cbr: Fraction,
    csi: Any,
    pilots: int,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Send IMAGES (files or folders) across a channel and score what arrives.

    Writes for each image the received picture, a figure and a JSON record into the --out folder.
    """
    from experiments.batch import send_files
    from semcom.attention import Wishes
    from semcom.transmitter import Link, check_codec
    from semcom.types import Prompts

    check_codec(codec)
    failed = send_files(
        images,
        out,
        wishes=Wishes(segmenter, Prompts(points, boxes), mask, theta, importance),
        link=Link(channel, snr_db, csi, pilots),
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
@click.option("--out", type=click.Path(path_type=Path), default=Path("semcom-curve"))
def curve(
    images: tuple[Path, ...],
    segmenter: str,
    points: tuple[tuple[float, float], ...],
    boxes: tuple[tuple[float, float, float, float], ...],
    mask: str | None,
    theta: float,
    importance: str,
    codec: str,
    channel: str,
    snr_db: float,
    cbr: Fraction,
    csi: Any,
    pilots: int,
    seed: int,
    cbrs: tuple[Fraction, ...],
    snrs: tuple[float, ...],
    out: Path,
) -> None:
    """Measure quality against bandwidth and against SNR, blind and by importance.

    IMAGES are files or folders. Writes rows (JSON, CSV) and plots (PNG, PDF) into the --out
    folder; a run that was killed goes on where it was.
    """
    from experiments.curve import Grid
    from experiments.curve import curve as run
    from semcom.attention import Wishes
    from semcom.transmitter import Link, check_codec
    from semcom.types import Prompts

    check_codec(codec)
    failed = run(
        images,
        out,
        wishes=Wishes(segmenter, Prompts(points, boxes), mask, theta, importance),
        link=Link(channel, snr_db, csi, pilots),
        codec=codec,
        grid=Grid(cbrs, snr_db, snrs, cbr),
        seed=seed,
        say=say,
    )
    if failed:
        raise click.ClickException(f"{failed} of the images and points were left out")


@main.command("list")
@click.argument(
    "kind",
    default="all",
    type=click.Choice(["all", "codecs", "channels", "segmenters", "scores"]),
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
