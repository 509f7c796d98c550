"""The page's overview of the systems, and the section on how the results were made."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from experiments.analysis.gains import anchors
from experiments.analysis.score_names import label
from experiments.analysis.table import Table
from experiments.report.table_cells import Grid, data_url, grid
from experiments.report.viewer import TASK
from experiments.report.words import axis_name, axis_value
from experiments.shell import path_word, word
from experiments.store.database import Database, opened
from experiments.store.measured import Point, SuiteResults
from experiments.store.queries import failures_of_suite, made_by
from experiments.suites.axes import SWEPT, System
from experiments.suites.setting import AXES, Setting

_ALWAYS = ("codec", "channel", "cbr", "snr_db")
MOST_TASKS = 20_000
"""Largest number of tasks that the page lists; ``semcom export`` has no limit."""


@dataclass(frozen=True)
class Making:
    """Information on how the results were made, and how to repeat them."""

    facts: list[tuple[str, str]]
    suite: str
    """The suite as YAML that can be run again."""
    href: str
    """The suite as a data URL."""
    failures: Grid | None
    tasks: Grid | None
    """Every image with every setting, unless there are too many."""
    run: str
    """Command that repeats everything."""
    repeat: str
    """Command that repeats one delivery."""


def systems(study: SuiteResults) -> tuple[Grid, list[tuple[str, str]]]:
    """Return the table of differences between the systems, and the settings that they share."""
    by_system: dict[System, list[Point]] = {}
    for point in study.points:
        by_system.setdefault(point.key, []).append(point)
    said = {
        system: {axis: _values(axis, points) for axis in AXES}
        for system, points in by_system.items()
    }
    differ = [axis for axis in AXES if len({one[axis] for one in said.values()}) > 1]
    against = anchors(study)
    rows = tuple(
        (
            study.labels[system],
            *(one[axis] for axis in differ),
            "yes" if system in against else None,
        )
        for system, one in said.items()
    )
    heads = ("system", *(axis_name(axis) for axis in differ), "reference for gains")
    caption = (
        "All other settings are the same for all systems; those that differ from the defaults are "
        "listed below."
    )
    if study.failed:
        caption += " Failed tasks are not among them: their values may be missing here."
    first = next(iter(said.values()))
    default = Point(System(""), Setting(), (), "")
    shared = [
        (axis_name(axis), first[axis])
        for axis in AXES
        if axis not in differ and (axis in _ALWAYS or first[axis] != _values(axis, [default]))
    ]
    return grid(Table("systems", "What differs", caption, heads, rows)), shared


def making(study: SuiteResults, results: Path | Database) -> Making:
    """Describe how the results were made, and the commands that repeat them."""
    with opened(results) as database:
        path = database.path
        failures = tuple(_failures(database, study, path_word(path)))
        machine = _machine(database, study)
    rows = [row for point in study.points for row in point.tasks]
    facts = [
        ("results", path.name),
        ("suite", study.name),
        ("run", f"{study.started.replace('T', ' ').replace('+00:00', ' UTC')}, {study.run}"),
        ("images", study.about_images),
        *([("not shown", f"{study.others} images of other runs")] if study.others else []),
        ("settings", str(len(study.points))),
        ("deliveries", f"{len(rows)}, {sum(row.draws for row in rows)} draws of the channel"),
        ("git commit", (study.git or "not a checkout").replace("+", ", with changed files")),
        *([("machine", machine)] if machine else []),
        ("versions", ", ".join(f"{name} {v}" for name, v in study.versions.items())),
    ]
    suite = to_yaml(study.suite)
    heads = ("system", "image", "setting", "error", "again")
    caption = "These tasks have no row and are missing from all means, figures and tables."
    table = Table("failures", "Failed tasks", caption, heads, failures)
    return Making(
        facts,
        suite,
        data_url("application/yaml", suite.encode()),
        grid(table) if failures else None,
        grid(_tasks(study)) if len(rows) <= MOST_TASKS else None,
        f"semcom run {word(f'{study.name}.yaml')}",
        f"semcom repeat {path_word(path)} {rows[0].task[:TASK]}",
    )


def to_yaml(suite: dict[str, Any]) -> str:
    """Write a suite as YAML that ``semcom run`` reads, without empty values."""
    sink = io.StringIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.dump(_given(suite), sink)
    return sink.getvalue()


def _given(value: Any) -> Any:
    if isinstance(value, dict):
        items = ((key, _given(one)) for key, one in value.items() if one not in (None, [], ""))
        return dict(items)
    return [_given(one) for one in value] if isinstance(value, list) else value


def _values(axis: str, points: Sequence[Point]) -> str:
    """Write the values of an axis that occur: numbers ascending, others in the suite's order."""
    found = list(dict.fromkeys(getattr(point.setting, axis) for point in points))
    if axis == "cbr":
        found.sort(key=Fraction)
    elif all(type(value) in (int, float) for value in found):
        found.sort()
    return ", ".join(axis_value(axis, value) for value in found)


def _failures(database: Database, study: SuiteResults, results: str) -> Iterator[tuple[Any, ...]]:
    for one in failures_of_suite(database, study.identity):
        name = study.name_of(one.image, one.mask)
        if name is None:
            continue
        about = database.setting(one.setting)
        swept = ", ".join(
            f"{axis_name(axis)} {axis_value(axis, getattr(about, axis))}"
            for axis in SWEPT
            if len(study.axis(axis)) > 1
        )
        shown = study.labels.get(one.system, one.system.label)
        again = f"semcom repeat {results} {one.task[:TASK]}"
        yield shown, name, swept, one.error, again


def _machine(database: Database, study: SuiteResults) -> str:
    """Describe the machine of the run without its host name."""
    if (run := made_by(database).get(study.run)) is None:
        return ""
    about = run.machine
    return (
        f"{about['system']}, {about['processor']}, {about['cores']} cores, Python {about['python']}"
    )


def _tasks(study: SuiteResults) -> Table:
    """Return the table of every image with every setting."""
    axes = [axis for axis in SWEPT if len(study.axis(axis)) > 1]
    scores = [score for score in study.suite["scores"] if score != "lost"]
    heads = (
        "system",
        *(axis_name(axis) for axis in axes),
        "image",
        "draws",
        "lost",
        "exact",
        "CBR used",
        *(label(score, study) for score in scores),
        "task",
    )
    rows = tuple(
        (
            point.system,
            *(getattr(point.setting, axis) for axis in axes),
            row.name,
            row.draws,
            row.lost,
            row.exact,
            row.record["cbr"],
            *(row.mean(score) for score in scores),
            row.task[:TASK],
        )
        for point in study.points
        for row in point.tasks
    )
    caption = "Means over the draws of the channel. Lost: draws in which everything was lost."
    return Table("deliveries", "Every delivery", caption, heads, rows)
