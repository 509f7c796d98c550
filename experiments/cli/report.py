"""``semcom report``."""

from __future__ import annotations

from pathlib import Path

import click

from experiments.cli.options import of_results, say


@click.command()
@of_results
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="The page.  [default: report.html beside the results]",
)
def report(results: Path, out: Path | None, suite: str, run: str, all_images: bool) -> None:
    """Write one HTML page that opens from disk.

    RESULTS is results.db, or its folder. The page holds the question, the systems, figures and
    tables with their numbers, and a viewer of what arrived: two systems' pictures with a slider
    between them.
    """
    from experiments.report.page import report as write

    failed: list[str] = []
    page = write(
        results, out, suite=suite, run=run, all_images=all_images, say=say, tell=failed.append
    )
    say(*(f"failed: {line}" for line in failed), f"{page}, {page.stat().st_size / 1e6:.1f} MB")
    if failed:
        raise click.ClickException(f"{len(failed)} figures or tables failed; the rest is there")
