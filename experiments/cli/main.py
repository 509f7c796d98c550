"""The command line. Commands import their work when they run, so that ``--help`` is quick."""

from __future__ import annotations

import errno
from typing import Any

import click

from channels.errors import InputError
from experiments import streams
from experiments.cli.cache import cache
from experiments.cli.checkpoints import weights
from experiments.cli.checks import check_channel, check_codec, check_disturbance, check_score
from experiments.cli.deliveries import compare, demo, distance, segment, send
from experiments.cli.distill import distill
from experiments.cli.link_level import ber, bler, mcs
from experiments.cli.plot import plot
from experiments.cli.report import report
from experiments.cli.suites import export, merge, plan, repeat, run
from experiments.cli.train import train
from semcom.processor import keep_freed_memory


class Commands(click.Group):
    """A group whose commands report bad input in one line; other errors are bugs and show all."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            # An option that begins alike is most likely the intended one.
            close = error.possibilities or []
            alike = [one for one in close if one.startswith(error.option_name)]
            name, context = error.option_name, error.ctx
            raise click.NoSuchOption(name, possibilities=alike or close, ctx=context) from None
        except BrokenPipeError:
            raise  # the reader has had enough: click ends quietly
        except (InputError, OSError) as error:
            raise click.ClickException(_text(error)) from error


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        return f"the output cannot be written: {error.strerror}"  # errors on files name the file
    return str(error)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="semcom")
def main() -> None:
    """Simulate semantic image communication.

    semcom sends images across noisy channels and spends the bandwidth on the regions that matter.
    Everything that is sent counts towards the bandwidth.
    """
    streams.prepare()
    keep_freed_memory()


for command in (
    demo,
    send,
    compare,
    segment,
    distance,
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
    check_disturbance,
    check_score,
    cache,
    weights,
    train,
    distill,
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
            "detectors",
            "disturbances",
            "scores",
            "suites",
        ]
    ),
)
def list_(kind: str) -> None:
    """List the available codecs, channels and other parts, and the packages that they lack."""
    from experiments.cli.listing import print_listing

    print_listing(kind)
