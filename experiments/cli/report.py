"""``semcom report``: writes the results of a suite as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from experiments.cli.options import examples, of_results, say


@click.command(epilog=examples("report semcom-runs/davis-masks"))
@of_results
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="File for the page.  [default: report.html beside the results]",
)
def report(results: Path, out: Path | None, suite: str, run: str, all_images: bool) -> None:
    """Write the results of a suite as one HTML page that opens from disk.

    RESULTS is the file results.db or its folder. The page holds the question, the systems, the
    figures and tables with their numbers, and a viewer of the received pictures that shows two
    systems with a slider between them.
    """
    from experiments.report.page import report as write

    failed: list[str] = []
    page = write(
        results, out, suite=suite, run=run, all_images=all_images, say=say, tell=failed.append
    )
    say(*(f"failed: {line}" for line in failed), f"{page}, {page.stat().st_size / 1e6:.1f} MB")
    if failed:
        raise click.ClickException(
            f"{len(failed)} figures or tables failed; the others were written"
        )
