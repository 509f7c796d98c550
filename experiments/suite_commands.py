"""The commands around a suite: ``semcom plan``, ``run``, ``export``, ``merge``, ``repeat``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.options import say

if TYPE_CHECKING:
    from experiments.suite import Suite


def _the_suite(command: Callable[..., None]) -> click.Command:
    """Add what plan and run share."""
    for option in reversed(
        (
            click.argument("suite"),
            click.option(
                "--out",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Folder for the results.  [default: semcom-runs/NAME]",
            ),
            click.option("--quick", is_flag=True, help="A small form, to see that it works."),
            click.option(
                "--set",
                "changes",
                multiple=True,
                metavar="KEY=VALUE",
                help="Change a key of the suite; the value is YAML: cbr=[1/16,1/8].",
            ),
            click.option(
                "--jobs", type=click.IntRange(min=1), help="Processes.  [default: the cores]"
            ),
        )
    ):
        command = option(command)
    return click.command()(command)


def _read(suite: str, quick: bool, changes: tuple[str, ...]) -> tuple[Suite, str, Path]:
    """Return a suite, its name and its folder."""
    from experiments.suite_file import find_suite, read_suite

    path = find_suite(suite)
    name = path.stem + ("-quick" if quick else "")
    return read_suite(path, quick=quick, changes=changes), name, path.parent


@_the_suite
def plan(
    suite: str, out: Path | None, quick: bool, changes: tuple[str, ...], jobs: int | None
) -> None:
    """Check SUITE (a YAML file, or the name of one that comes with semcom), and say what it takes.

    Prints how many tasks there are and are done, and an estimate of time and disk.
    """
    from experiments.backends import default_jobs
    from experiments.estimate import print_plan

    read, name, base = _read(suite, quick, changes)
    folder = out or Path("semcom-runs") / name
    print_plan(read, folder, base=base, jobs=jobs or default_jobs())


@_the_suite
@click.option(
    "--backend", default="local", show_default=True, metavar="NAME", help="local, dask or ray."
)
@click.option("--address", metavar="URL", help="Of the cluster's scheduler: tcp://host:8786.")
@click.option(
    "--resume/--fresh",
    default=True,
    show_default=True,
    help="Go on with the results in --out, or put them aside and begin anew.",
)
@click.option("--retry", is_flag=True, help="Do again what failed.")
def run(
    suite: str,
    out: Path | None,
    quick: bool,
    changes: tuple[str, ...],
    jobs: int | None,
    backend: Any,
    address: str | None,
    resume: bool,
    retry: bool,
) -> None:
    """Do what is not done yet of SUITE (a YAML file, or the name of one that comes with semcom).

    Rows go to results.db in the --out folder as they are made. A run that was killed goes on where
    it was; what is done is not done again.
    """
    from experiments.backends import default_jobs
    from experiments.runner import run as run_suite

    read, name, base = _read(suite, quick, changes)
    folder = out or Path("semcom-runs") / name
    if not resume:
        from experiments.merge import put_aside

        put_aside(folder, say)
    try:
        done = run_suite(
            read,
            folder,
            name=name,
            base=base,
            jobs=jobs or default_jobs(),
            backend=backend,
            address=address,
            retry=retry,
            say=say,
        )
    except KeyboardInterrupt:
        say(f"interrupted; what was made is in {folder}, and the same command goes on")
        raise
    say(*done.lines())
    if done.failed:
        raise click.ClickException(f"{done.failed} of {done.tasks} tasks failed")
