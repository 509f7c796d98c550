"""The commands around a suite: ``semcom plan``, ``run``, ``export``, ``merge``, ``repeat``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.cli.options import examples, of_results, say
from experiments.cli.parameter_types import names_of

if TYPE_CHECKING:
    from experiments.suites.suite import Suite


def _the_suite(command: Callable[..., None]) -> click.Command:
    """Add the argument and the options that plan and run share."""
    for option in reversed(
        (
            click.argument("suite"),
            click.option(
                "--out",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="Folder for the results.  [default: semcom-runs/NAME]",
            ),
            click.option(
                "--quick",
                is_flag=True,
                help="Run a small form of the suite, to see that it works.",
            ),
            click.option(
                "--set",
                "changes",
                multiple=True,
                metavar="KEY=VALUE",
                help="Change a key of the suite to a value in YAML, such as cbr=[1/16,1/8] "
                "(repeatable).",
            ),
            click.option(
                "--jobs",
                type=click.IntRange(min=1),
                help="Number of worker processes.  [default: one per core]",
            ),
        )
    ):
        command = option(command)
    name = command.__name__
    ends = examples(f"{name} my-images --set images=photos/", f"{name} davis-masks --quick")
    return click.command(epilog=ends)(command)


def _read(suite: str, quick: bool, changes: tuple[str, ...]) -> tuple[Suite, str, Path]:
    """Read a suite; return it with its name and its folder."""
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
    """Check a suite and estimate the time and disk space that it takes.

    SUITE is a YAML file, or the name of a suite that comes with semcom (see "semcom list suites").
    The command prints how many tasks the suite has and how many of them are done.
    """
    read, name, base = _read(suite, quick, changes)  # before the imports that take seconds
    from experiments.running.backends import default_jobs
    from experiments.running.cost_estimate import print_plan

    folder = out or Path("semcom-runs") / name
    print_plan(read, folder, base=base, jobs=jobs or default_jobs(), say=say)


@_the_suite
@click.option(
    "--backend",
    default="local",
    show_default=True,
    metavar="NAME",
    help="Backend that runs the tasks: local, dask or ray.",
)
@click.option(
    "--address",
    metavar="URL",
    help="Address of the cluster's scheduler, such as tcp://host:8786.",
)
@click.option(
    "--resume/--fresh",
    default=True,
    show_default=True,
    help="Resume from the results in --out, or put them aside and start afresh.",
)
@click.option("--retry", is_flag=True, help="Run failed tasks again.")
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
    """Run a suite, or the tasks of it that are not done yet.

    SUITE is a YAML file, or the name of a suite that comes with semcom (see "semcom list suites").
    Each result goes into results.db in the --out folder at once. If a run was killed, the same
    command resumes it and does not repeat finished tasks.
    """
    read, name, base = _read(suite, quick, changes)
    from experiments.running.backends import default_jobs
    from experiments.running.runner import run as run_suite
    from experiments.store.schema import RESULTS

    folder = out or Path("semcom-runs") / name
    if not resume:
        from experiments.running.backends import check_backend
        from experiments.running.tasks import suite_items, without_missing
        from experiments.store.merge import put_aside

        check_backend(backend, address)  # before the results are put aside
        suite_items(without_missing(read, lambda *_: None), base, lambda *_: None)
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
        say(f"interrupted; the results so far are in {folder}, and the same command resumes")
        raise
    say(*done.lines())
    if done.failed:
        raise click.ClickException(f"{done.failed} of {done.tasks} tasks failed")


@click.command(epilog=examples("export semcom-runs/davis-masks --formats csv,json"))
@of_results
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the files.  [default: export/ beside the results]",
)
@click.option(
    "--formats",
    default="csv,json",
    show_default=True,
    metavar="NAME,...",
    help="File formats: parquet, csv, json.",
)
def export(
    results: Path, out: Path | None, formats: str, suite: str, run: str, all_images: bool
) -> None:
    """Export results for other tools.

    RESULTS is the file results.db or its folder. Parquet and CSV files have one row per image and
    setting. JSON files hold the means, one file per system in the layout of CompressAI's results.
    """
    kinds = names_of(formats, ("parquet", "csv", "json"), "format")  # before the slow imports
    from experiments.analysis.export import export as export_study
    from experiments.store.study import read_results

    study = read_results(results, suite=suite, run=run, all_images=all_images)
    say(*study.about)
    folder = out or (results if results.is_dir() else results.parent) / "export"
    for file in export_study(study, folder, kinds):
        click.echo(file)


@click.command(
    epilog=examples(
        "merge all.db first/results.db second/results.db", "merge --salvage saved.db damaged.db"
    )
)
@click.argument("target", type=click.Path(path_type=Path))
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--salvage", is_flag=True, help="Take the readable rows from damaged sources.")
def merge(target: Path, sources: tuple[Path, ...], salvage: bool) -> None:
    """Merge the results of several machines.

    The command copies the rows of SOURCES (results files) into TARGET, which it creates if needed.
    Where both have a row, the one in TARGET stays, and a note says so if the two differ.
    """
    from experiments.store.merge import merge as merge_files

    merge_files(target, sources, salvage=salvage, say=say)


@click.command(
    epilog=examples("repeat semcom-out/photo.json", "repeat semcom-runs/davis-masks TASK")
)
@click.argument("record", type=click.Path(path_type=Path))
@click.argument("task", required=False)
@click.option(
    "--image",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File of the image, if it has moved.",
)
def repeat(record: Path, task: str | None, image: Path | None) -> None:
    """Repeat a delivery and compare: pictures and packets exactly, scores to 1e-9.

    RECORD is a results file, and TASK is the id of one of its tasks or the start of that id.
    Alternatively, RECORD is a JSON file that semcom send wrote.
    """
    from experiments.running.repeat import repeat as repeat_row
    from experiments.running.repeat import repeat_record

    if task is None and record.suffix == ".json":
        same = repeat_record(record, image=image, say=click.echo)
    elif task is None:
        raise click.UsageError("a results file needs the id of a TASK as well")
    else:
        same = repeat_row(record, task, image=image, say=click.echo)
    if not same:
        raise click.ClickException("the repeated result differs from the recorded one")
