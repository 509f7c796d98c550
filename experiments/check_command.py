"""``semcom check-codec``: whether a codec keeps what a codec promises."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from semcom.conformance.base import Check, CheckFailed

_PAGE = "docs/adding-a-codec.md"


@click.command("check-codec")
@click.argument("codec", metavar="NAME[:OPTION=VALUE,…]")
@click.option("--only", multiple=True, metavar="CHECK", help="Make this check only (repeatable).")
@click.option(
    "--limit-s",
    default=20.0,
    show_default=True,
    help="What decoding a small picture may take; a whole check may take 15 times as long.",
)
def check_codec(codec: str, only: tuple[str, ...], limit_s: float) -> None:
    """Check that an installed codec keeps what a codec promises.

    Each check runs in a process of its own, so that a codec may hang or crash. Ends with status 1
    if one fails.
    """
    from semcom.conformance.base import Candidate
    from semcom.conformance.runner import open_codec, run_check, stumbled

    candidate = Candidate(codec, decode_limit_s=limit_s)
    checks = _chosen(only, analog=open_codec(candidate))
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
            _explain(report.failure)
    if failed:
        more = f", {not_made} could not be made" if not_made else ""
        raise click.ClickException(f"{codec}: {failed} of {len(checks)} checks failed{more}")
    click.echo(f"{codec}: all {len(checks)} checks passed")


def _chosen(only: tuple[str, ...], *, analog: bool) -> list[Check]:
    from semcom.conformance.analog import ANALOG_CHECKS
    from semcom.conformance.codecs import CODEC_CHECKS

    checks = ANALOG_CHECKS if analog else CODEC_CHECKS
    names = [check.name for check in checks]
    for name in only:
        if name not in names:
            raise ValueError(f"unknown check {name!r}; choices: {', '.join(names)}")
    return [check for check in checks if not only or check.name in only]


def _explain(failure: CheckFailed) -> None:
    rows = {
        "asked to": failure.asked,
        "got": failure.got,
        "promised": f"{failure.promise} ({_PAGE})",
    }
    width = min(shutil.get_terminal_size().columns, 100)
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
