"""The page: a single file that opens from disk and loads nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from experiments.analysis.all_tables import tables
from experiments.analysis.points import prepare
from experiments.analysis.table import Table, Tell, spared
from experiments.figures.all_figures import draw
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import COLUMN, PAGE
from experiments.report.figure_images import Picture, picture
from experiments.report.overview import MOST_TASKS, making, systems
from experiments.report.pictures import GAIN
from experiments.report.table_cells import MOST_ROWS, grid
from experiments.report.viewer import LIMIT, build_viewer
from experiments.saving import save
from experiments.store.database import Database, opened
from experiments.store.schema import results_file
from experiments.store.study import SuiteResults, read_results


def report(
    results: Path,
    out: Path | None = None,
    *,
    suite: str = "",
    run: str = "",
    all_images: bool = False,
    say: Callable[..., None] = lambda *_: None,
    tell: Tell | None = None,
) -> Path:
    """Write the results of a run as a page; return its path.

    Parameters
    ----------
    results
        Results file, or the folder that holds it.
    out
        File of the page; by default ``report.html`` beside the results.
    suite, run, all_images
        See :func:`experiments.store.study.read_results`.
    say
        Function that receives notes.
    tell
        Function that receives the errors of figures and tables that fail; by default ``say``.

    Raises
    ------
    ValueError
        As for :func:`experiments.store.study.read_results`.
    """
    failed: list[str] = []
    with opened(results) as database, plain_text():
        study = read_results(database, suite=suite, run=run, all_images=all_images)
        points = prepare(study)  # once, for figures and tables
        wide, narrow = (draw(points, width=width, tell=failed.append) for width in (PAGE, COLUMN))
        made = tables(points, tell=failed.append)
        page = build(study, database, wide, made, narrow=narrow, say=say, failed=failed)
    for line in dict.fromkeys(failed):
        (tell or say)(line)
    out = out or results_file(results).parent / "report.html"
    save(out, page)
    return out


def build(
    study: SuiteResults,
    results: Path | Database,
    drawings: Sequence[Drawing],
    tables: Sequence[Table],
    *,
    narrow: Sequence[Drawing] = (),
    limit: int = LIMIT,
    say: Callable[..., None] = lambda *_: None,
    failed: list[str] | None = None,
) -> str:
    """Build the page.

    Parameters
    ----------
    study
        The results.
    results
        The file of the results, for the pictures and the run.
    drawings, tables
        Figures and tables to show.
    narrow
        The figures for small screens.
    limit
        Largest number of characters of all pictures of the viewer.
    say
        Function that receives notes.
    failed
        Errors of figures and tables, a line each, which the page lists; errors of figures that fail
        here are added. If None, they are raised.
    """
    tell = None if failed is None else failed.append
    figures = list(_pictures(drawings, narrow, tell))
    viewer = build_viewer(study, results, limit=limit)
    if viewer and viewer.damaged:
        path = results.path if isinstance(results, Database) else results
        say(f"{path} holds damaged pictures, which are left out: {'; '.join(viewer.damaged)}")
    style, script = _text("page.css"), _text("page.js")
    table, shared = systems(study)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            study=study,
            style=Markup(style),  # noqa: S704 - ours
            script=Markup(script),  # noqa: S704 - ours
            policy=policy(style, script),
            systems=table,
            shared=shared,
            figures=figures,
            failed=list(dict.fromkeys(failed or ())),
            tables=[grid(one) for one in tables],
            viewer=viewer,
            making=making(study, results),
            most_rows=MOST_ROWS,
            most_tasks=MOST_TASKS,
            gain=GAIN,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("experiments.report", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    return environment


def _pictures(
    drawings: Sequence[Drawing], narrow: Sequence[Drawing], tell: Tell | None
) -> Iterator[Picture]:
    small = {drawing.data.name: drawing for drawing in narrow}
    for drawing in drawings:
        with spared(drawing.data.name, tell):
            yield picture(drawing, small.get(drawing.data.name))


def policy(style: str, script: str) -> str:
    """Return a content security policy that allows this script and style, and loads nothing."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _text(name: str) -> str:
    return (files("experiments.report") / name).read_text(encoding="utf-8")
