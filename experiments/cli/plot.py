"""``semcom plot``: draws the figures and prints the tables of a suite's results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from experiments.cli.options import examples, of_results, say
from experiments.cli.parameter_types import names_of

if TYPE_CHECKING:
    from experiments.figures.drawing import Drawing


@click.command(
    epilog=examples("plot semcom-runs/davis-masks", "plot semcom-runs/davis-masks --width page")
)
@of_results
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the figures.  [default: figures/ beside the results]",
)
@click.option(
    "--width",
    type=click.Choice(["column", "page"]),
    default="column",
    show_default=True,
    help="Width of the figures: 3.5 inches (column) or 7.16 inches (page), as IEEE prints.",
)
@click.option(
    "--figures",
    default="",
    metavar="NAME,...",
    help="Draw only these figures, by name or by the start of their names.  [default: all]",
)
@click.option(
    "--formats",
    default="png,pdf,svg",
    show_default=True,
    metavar="NAME,...",
    help="File formats of the figures.",
)
@click.option("--latex", is_flag=True, help="Write the tables for LaTeX (booktabs) as well.")
def plot(
    results: Path,
    out: Path | None,
    width: str,
    figures: str,
    formats: str,
    latex: bool,
    suite: str,
    run: str,
    all_images: bool,
) -> None:
    """Draw the figures and print the tables of a suite's results.

    RESULTS is the file results.db or its folder; nothing else is read. The command writes each
    figure with its numbers (CSV), the tables (CSV; with --latex also TEX) and captions.md. The
    figures and tables cover the images of one run, by default the latest.
    """
    from experiments.analysis.all_tables import tables
    from experiments.analysis.formats.latex import as_latex
    from experiments.analysis.formats.printing import print_tables
    from experiments.analysis.points import prepare
    from experiments.figures.all_figures import draw
    from experiments.figures.files import FORMATS, write
    from experiments.figures.parts.fonts import plain_text
    from experiments.figures.parts.style import COLUMN, PAGE
    from experiments.saving import save
    from experiments.store.database import opened
    from experiments.store.schema import results_file
    from experiments.store.study import read_results

    kinds = names_of(formats, FORMATS, "format")
    failed: list[str] = []
    inches = PAGE if width == "page" else COLUMN
    folder = out or results_file(results).parent / "figures"
    with opened(results) as database, plain_text():
        study = read_results(database, suite=suite, run=run, all_images=all_images)
        say(*study.about)
        study = prepare(study)  # once, for figures and tables
        drawings = draw(study, width=inches, pictures=database, tell=failed.append)
        drawings = _choose(drawings, figures)
        made = tables(study, tell=failed.append)
        files = write(drawings, made, folder, kinds, about=study.about, tell=failed.append)
    if latex:
        for name, text in as_latex(made, study.about).items():
            files.append(folder / f"{name}.tex")
            save(files[-1], text)
    print_tables(made)  # last, since the reader may be gone: plot … | head
    say(*(f"failed: {line}" for line in failed), f"{len(files)} files in {folder}")
    if failed:
        raise click.ClickException(
            f"{len(failed)} figures or tables failed; the others were written"
        )


def _choose(drawings: Sequence[Drawing], figures: str) -> list[Drawing]:
    """Return the requested figures; a request is a name or the common start of several names."""
    known = [drawing.data.name for drawing in drawings]
    begins = [name[:i] for name in known for i, letter in enumerate(name) if letter == "-"]
    wanted = names_of(figures, dict.fromkeys((*known, *begins)), "figure")
    return [
        drawing
        for drawing in drawings
        if not wanted or any(f"{drawing.data.name}-".startswith(f"{name}-") for name in wanted)
    ]
