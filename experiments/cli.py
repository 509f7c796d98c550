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
from experiments.check_command import check_channel, check_codec
from experiments.link_commands import ber, bler, mcs
from experiments.options import out_option, say, the_link, what_matters
from experiments.plot_command import plot
from experiments.report_command import report
from experiments.suite_commands import export, merge, plan, repeat, run

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


for command in (
    plan,
    run,
    export,
    merge,
    repeat,
    plot,
    report,
    ber,
    bler,
    mcs,
    check_codec,
    check_channel,
    cache,
):
    main.add_command(command)


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
            "suites",
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
