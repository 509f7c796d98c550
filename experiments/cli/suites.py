"""The commands around a suite: ``semcom plan``, ``run``, ``export``, ``merge``, ``repeat``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.cli.options import of_results, say
from experiments.cli.parameter_types import names_of

if TYPE_CHECKING:
    from experiments.suites.suite import Suite


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
    from experiments.suites.shipped import find_suite

    path = find_suite(suite)
    from experiments.suites.suite_file import read_suite

    name = path.stem + ("-quick" if quick else "")
    read = read_suite(path, quick=quick, changes=changes)
    say(*read.idle(), *read.about_draws())
    return read, name, path.parent


@_the_suite
def plan(
    suite: str, out: Path | None, quick: bool, changes: tuple[str, ...], jobs: int | None
) -> None:
    """Check a suite, and say what it takes.

    SUITE is a YAML file, or the name of one that comes with semcom (semcom list suites). Prints how
    many tasks there are and are done, and an estimate of time and disk.
    """
    read, name, base = _read(suite, quick, changes)  # a mistake shows before imports take seconds
    from experiments.running.backends import default_jobs
    from experiments.running.cost_estimate import print_plan

    folder = out or Path("semcom-runs") / name
    print_plan(read, folder, base=base, jobs=jobs or default_jobs(), say=say)


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
    """Run a suite, or what is left of it.

    SUITE is a YAML file, or the name of one that comes with semcom (semcom list suites). Rows go to
    results.db in the --out folder as they are made. A run that was killed goes on where it was;
    what is done is not done again.
    """
    read, name, base = _read(suite, quick, changes)
    from experiments.running.backends import default_jobs
    from experiments.running.runner import run as run_suite
    from experiments.store.database import RESULTS

    folder = out or Path("semcom-runs") / name
    if not resume:
        from experiments.store.merge import put_aside

        put_aside(folder / RESULTS, say)
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


@click.command()
@of_results
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the files.  [default: export/ beside the results]",
)
@click.option(
    "--formats", default="csv,json", show_default=True, metavar="NAMES", help="parquet, csv, json."
)
def export(
    results: Path, out: Path | None, formats: str, suite: str, run: str, all_images: bool
) -> None:
    """Write results for other tools.

    RESULTS is results.db, or its folder. Parquet and CSV have a line per image and setting; JSON
    has the means, a file per system in the layout of CompressAI's results.
    """
    kinds = names_of(formats, ("parquet", "csv", "json"), "format")  # before what takes its time
    from experiments.analysis.export import export as export_study
    from experiments.store.study import read_results

    study = read_results(results, suite=suite, run=run, all_images=all_images)
    say(*study.about)
    folder = out or (results if results.is_dir() else results.parent) / "export"
    for file in export_study(study, folder, kinds):
        click.echo(file)


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--salvage", is_flag=True, help="Take what can be read of damaged sources.")
def merge(target: Path, sources: tuple[Path, ...], salvage: bool) -> None:
    """Add up the results of several machines.

    The rows of SOURCES, results files, go to TARGET, which is made if it is not there. What both
    have is kept as it is in TARGET, and told where it is not the same.
    """
    from experiments.store.merge import merge as merge_files

    merge_files(target, sources, salvage=salvage, say=say)


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.argument("task", required=False)
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The image, where it has moved.",
)
def repeat(record: Path, task: str | None, image: Path | None) -> None:
    """Make a row again and compare it: pictures and packets exactly, scores to 1e-9.

    RECORD is a results file and TASK the id of one of its tasks, or the beginning of it; or RECORD
    is the JSON file that semcom send wrote.
    """
    from experiments.running.repeat import repeat as repeat_row
    from experiments.running.repeat import repeat_record

    if task is None and record.suffix == ".json":
        same = repeat_record(record, image=image, say=click.echo)
    elif task is None:
        raise click.UsageError("a results file takes the id of a TASK, too")
    else:
        same = repeat_row(record, task, image=image, say=click.echo)
    if not same:
        raise click.ClickException("what came out is not what is on record")
