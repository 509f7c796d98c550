"""``semcom check-codec`` and its like: check that a plugin fulfils its contract."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from experiments.cli.options import examples
from semcom.errors import InputError

if TYPE_CHECKING:
    from semcom.conformance.base import Check, CheckFailed
    from semcom.conformance.runner import AnyCandidate

_only = click.option(
    "--only", multiple=True, metavar="CHECK", help="Run only this check (repeatable)."
)

_limit = click.option(
    "--limit-s",
    default=60.0,
    show_default=True,
    help="Limit the time for each check, in seconds.",
)


@click.command("check-codec", epilog=examples("check-codec hevc", "check-codec mine:strength=2"))
@click.argument("codec", metavar="NAME[:OPTION=VALUE,…]")
@_only
@click.option(
    "--limit-s",
    default=20.0,
    show_default=True,
    help="Limit the time for decoding a small picture, in seconds; a whole check may take 15 times "
    "as long.",
)
def check_codec(codec: str, only: tuple[str, ...], limit_s: float) -> None:
    """Check that an installed codec fulfils the contract for codecs.

    Each check runs in its own process, so a codec that hangs or crashes does no harm. The command
    ends with status 1 if a check fails.
    """
    from semcom.codecs.base import CODECS

    CODECS.check(codec.partition(":")[0])  # before the imports that take seconds
    from semcom.conformance.analog.checks import ANALOG_CHECKS
    from semcom.conformance.base import Candidate
    from semcom.conformance.digital.checks import CODEC_CHECKS
    from semcom.conformance.runner import open_codec, remarks_of

    candidate = Candidate(codec, decode_limit_s=limit_s)
    checks = ANALOG_CHECKS if open_codec(candidate) else CODEC_CHECKS
    for remark in remarks_of(candidate):
        click.echo(textwrap.fill(remark, _width(), initial_indent="* ", subsequent_indent="  "))
    _check(candidate, _chosen(checks, only), "docs/tutorials/adding-a-codec.md")


@click.command("check-channel", epilog=examples("check-channel rayleigh"))
@click.argument("channel", metavar="NAME[:OPTION=VALUE,…]")
@_only
@_limit
def check_channel(channel: str, only: tuple[str, ...], limit_s: float) -> None:
    """Check that an installed channel fulfils the contract for channels.

    Each check runs in its own process, so a channel that hangs or crashes does no harm. The
    command ends with status 1 if a check fails.
    """
    from channels.catalogue import CHANNELS

    CHANNELS.check(channel.partition(":")[0])  # before the imports that take seconds
    from channels.conformance.base import Candidate
    from channels.conformance.checks import CHANNEL_CHECKS
    from semcom.conformance.runner import open_channel

    candidate = Candidate(channel, check_limit_s=limit_s)
    open_channel(candidate)
    _check(candidate, _chosen(CHANNEL_CHECKS, only), "docs/tutorials/adding-a-channel.md")


@click.command("check-disturbance", epilog=examples("check-disturbance fog"))
@click.argument("disturbance", metavar="NAME[:OPTION=VALUE,…]")
@_only
@_limit
def check_disturbance(disturbance: str, only: tuple[str, ...], limit_s: float) -> None:
    """Check that an installed disturbance fulfils the contract for disturbances.

    Each check runs in its own process, so a disturbance that hangs or crashes does no harm. The
    command ends with status 1 if a check fails.
    """
    from semcom.disturbances.base import DISTURBANCES

    DISTURBANCES.check(disturbance.partition(":")[0])
    from semcom.conformance.disturbances import DISTURBANCE_CHECKS, Candidate
    from semcom.conformance.runner import open_disturbance

    candidate = Candidate(disturbance, check_limit_s=limit_s)
    open_disturbance(candidate)
    chosen = _chosen(DISTURBANCE_CHECKS, only)
    _check(candidate, chosen, "docs/tutorials/adding-a-disturbance.md")


@click.command("check-score", epilog=examples("check-score ssim"))
@click.argument("score", metavar="NAME[:OPTION=VALUE,…]")
@_only
@_limit
def check_score(score: str, only: tuple[str, ...], limit_s: float) -> None:
    """Check that an installed score fulfils the contract for scores.

    Each check runs in its own process, so a score that hangs or crashes does no harm. The command
    ends with status 1 if a check fails.
    """
    from semcom.scores.base import SCORES

    SCORES.check(score.partition(":")[0])
    from semcom.conformance.runner import open_score
    from semcom.conformance.scores import SCORE_CHECKS, Candidate

    candidate = Candidate(score, check_limit_s=limit_s)
    open_score(candidate)
    _check(candidate, _chosen(SCORE_CHECKS, only), "docs/tutorials/adding-a-score.md")


def _chosen(checks: Sequence[Check], only: tuple[str, ...]) -> list[Check]:
    names = [check.name for check in checks]
    for name in only:
        if name not in names:
            raise InputError(f"unknown check {name!r}; choices: {', '.join(names)}")
    return [check for check in checks if not only or check.name in only]


def _check(candidate: AnyCandidate, checks: Sequence[Check], page: str) -> None:
    """Run the checks and print the outcome of each."""
    from semcom.conformance.runner import run_check, stumbled

    broken: set[str] = set()
    failed = not_made = 0
    for i, check in enumerate(checks, 1):
        click.echo(f"{i:2}/{len(checks)} {check.name:.<16} ", nl=False)
        report = run_check(check, candidate)
        if report.failure is None:
            remark = f"  {report.remark}" if report.remark else ""
            click.echo(f"ok {report.seconds:11.1f} s{remark}")
        elif stumbled(check, report.failure, broken):
            not_made += 1
            click.echo(f"not made: {report.failure.promise.split('. ')[0].rstrip('.')}, see above")
        else:
            failed += 1
            broken.add(report.failure.promise)
            click.echo(f"FAILED {report.seconds:7.1f} s")
            _explain(report.failure, page)
    if failed:
        more = f", {not_made} could not be made" if not_made else ""
        raise click.ClickException(
            f"{candidate.spec}: {failed} of {len(checks)} checks failed{more}"
        )
    click.echo(f"{candidate.spec}: all {len(checks)} checks passed")


def _width() -> int:
    return min(shutil.get_terminal_size().columns, 100)


def _explain(failure: CheckFailed, page: str) -> None:
    rows = {
        "asked to": failure.asked,
        "got": failure.got,
        "promised": f"{failure.promise} ({page})",
    }
    width = _width()
    for label, text in rows.items():
        first = f"      {label:10}"
        lines = textwrap.wrap(
            text,
            width,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
        click.echo("\n".join(lines))
