"""The command line. Work is imported inside the commands, so that ``--help`` answers at once."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments import streams
from experiments.cache_command import cache
from experiments.check_command import check_channel, check_codec
from experiments.link_commands import ber, bler, mcs
from experiments.options import (
    as_json_option,
    examples,
    out_option,
    say,
    some_images,
    the_link,
    what_matters,
)
from experiments.plot_command import plot
from experiments.report_command import report
from experiments.suite_commands import export, merge, plan, repeat, run

if TYPE_CHECKING:
    from semcom.importance.region import Wishes
    from semcom.link.config import Link


class Commands(click.Group):
    """A group whose commands report bad input in one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            # What begins alike was most likely meant.
            close = error.possibilities or []
            alike = [one for one in close if one.startswith(error.option_name)]
            name, context = error.option_name, error.ctx
            raise click.NoSuchOption(name, possibilities=alike or close, ctx=context) from None
        except BrokenPipeError:
            raise  # the reader has had enough: click ends quietly
        except (ValueError, OSError) as error:
            raise click.ClickException(_text(error)) from error


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        return f"the output cannot be written: {error.strerror}"  # files name themselves
    return str(error)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="semcom")
def main() -> None:
    """Semantic image communication, simulated honestly.

    Send images across noisy channels, spending the bandwidth on what matters.
    """
    streams.prepare()


@main.command()
@out_option("semcom-demo")
def demo(out: Path) -> None:
    """Send a bundled photo twice, blind and by importance, and draw what arrives."""
    from experiments.demo import demo as run

    run(out, say=say)


_max_side = click.option(
    "--max-side",
    type=click.IntRange(min=16),
    metavar="N",
    help="Shrink images whose longer side has more than N pixels to that, before anything else.",
)


@main.command(epilog=examples("send photo.jpg", "send photos/ --snr-db 4 --cbr 1/24 --blind"))
@some_images
@_max_side
@what_matters
@click.option("--blind", is_flag=True, help="Send with w = 1; the regions are still scored.")
@the_link
@out_option("semcom-out")
@as_json_option
def send(
    images: tuple[Path, ...],
    max_side: int | None,
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
    semcom list shows the codecs, channels and segmenters that there are.
    """
    from experiments.batch import send_files

    failed = send_files(
        images,
        out,
        max_side=max_side,
        wishes=wishes,
        link=link,
        codec=codec,
        cbr=cbr,
        blind=blind,
        seed=seed,
        tell=_tell(as_json),
        say=say,
    )
    _end(failed, "sent")


@main.command(epilog=examples("compare photo.jpg", "compare photos/ --mask beside --cbr 1/24"))
@some_images
@_max_side
@what_matters
@the_link
@out_option("semcom-out")
@as_json_option
def compare(
    images: tuple[Path, ...],
    max_side: int | None,
    wishes: Wishes,
    link: Link,
    codec: str,
    cbr: Fraction,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Send IMAGES blind and by importance within the same bandwidth, and show the gain.

    Writes for each image what arrives of both, their records and a figure into the --out folder.
    """
    from experiments.compare import compare_files

    failed = compare_files(
        images,
        out,
        max_side=max_side,
        wishes=wishes,
        link=link,
        codec=codec,
        cbr=cbr,
        seed=seed,
        tell=_tell(as_json),
        say=say,
    )
    _end(failed, "sent")


@main.command(epilog=examples("segment photo.jpg", "segment photo.jpg --point 320,200"))
@some_images
@_max_side
@what_matters
@out_option("semcom-out")
@as_json_option
def segment(
    images: tuple[Path, ...],
    max_side: int | None,
    wishes: Wishes,
    out: Path,
    as_json: bool,
) -> None:
    """Show what would be found in IMAGES, before anything is sent.

    Writes for each image the region that matters (as --mask takes it), every mask that was found,
    and a figure into the --out folder.
    """
    from experiments.segment import segment_files

    failed = segment_files(
        images, out, max_side=max_side, wishes=wishes, tell=_tell(as_json), say=say
    )
    _end(failed, "segmented")


def _tell(as_json: bool) -> Callable[[dict[str, Any]], None] | None:
    return (lambda record: click.echo(json.dumps(record))) if as_json else None


def _end(failed: int, done: str) -> None:
    """End with status 1 where an image failed; its error has been said."""
    if failed:
        raise click.ClickException(f"{failed} image{'s' * (failed > 1)} could not be {done}")


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
    from semcom.checkpoints import mobile_sam as checkpoint

    click.echo(checkpoint.fetch())


@weights.command()
def path() -> None:
    """Print where the checkpoint is, or would be."""
    from semcom.checkpoints import mobile_sam as checkpoint

    click.echo(checkpoint.path())


@weights.command()
def check() -> None:
    """Check the checkpoint's size and hash."""
    from semcom.checkpoints import mobile_sam as checkpoint

    checkpoint.check()
    click.echo(f"{checkpoint.path()}: the official MobileSAM checkpoint")
