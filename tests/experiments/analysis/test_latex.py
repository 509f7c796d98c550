"""Tables for LaTeX: the numbers of the printed ones, and text that LaTeX sets as it was written."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.analysis.all_tables import tables
from experiments.analysis.formats.latex import as_latex, escape
from experiments.suites.axes import System
from tests.experiments.conftest import Run
from tests.experiments.figures.studies import masks, recorded, study

SPECIAL = r"\{}$&%#_^~"


def rows_of(text: str) -> list[list[str]]:
    """Read the cells of all tables again."""
    lines = [line.strip() for line in text.splitlines() if line.rstrip().endswith(r"\\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line[:-2])] for line in lines]


def test_every_mean_stands_in_the_table() -> None:
    study = masks(0.5, 0.8)
    text = as_latex(tables(study))["means"]
    head, *rows = rows_of(text)
    (spec,) = re.findall(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}", text)
    assert {len(cells) for cells in (head, *rows)} == {len(spec)}
    assert len(rows) == len(study.points)
    region = head.index("region")
    expected = [f"{point.mean('region_psnr_db'):.2f}" for point in study.points]
    assert sorted(re.sub(r"\\textbf\{(.*)\}", r"\1", row[region]) for row in rows) == sorted(
        expected
    )
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1


def test_the_best_of_errors_is_the_lowest_and_an_area_has_no_best() -> None:
    seen = {
        "mae": (0.01, 0.5),
        "ber": (0.02, 0.4),
        "iou_truth": (0.9, 0.3),
        "mask_area": (0.1, 0.2),
    }
    points = [
        recorded(name, {"a": {score: values[i] for score, values in seen.items()}})
        for i, name in enumerate(("good", "bad"))
    ]
    text = as_latex(tables(study(points, scores=list(seen))))["means"]
    bold = re.findall(r"\\textbf\{(.*?)\}", text)
    assert bold == ["0.01", "0.02", "0.90"]
    assert "lower is better" in text


def test_names_are_set_as_they_were_written() -> None:
    study = masks(0.5)
    name = r"50 % of a_b & $x^2$ ~ #1 {c} \d"
    new = {study.systems[0]: System("plain"), study.systems[1]: System(name)}
    points = [replace(p, key=new[p.key], system=new[p.key].label) for p in study.points]
    text = as_latex(tables(replace(study, points=tuple(points))))["means"]
    assert text.count(escape(name)) >= len(points) // 2


@pytest.mark.parametrize("letter", SPECIAL)
def test_no_letter_that_means_something_to_latex_is_left(letter: str) -> None:
    # Each of its own marks is escaped, a group that holds a command's end, or a whole formula.
    said = escape(f"a{letter}b")
    plain = re.sub(r"\\textbackslash\{\}|\\textascii\w+\{\}|\\[{}$&%#_]|\$[^$]*\$", "", said)
    assert set(plain) <= set(string.ascii_letters)


def test_plot_writes_them(run: Run) -> None:
    Path("small.yaml").write_text(
        "images: a.png\nsegmenter: from_file:path=m.png\ncodec: jpeg2000\ncbr: [1/6, 1/4]\n"
        "systems: {blind: {blind: true}, masks: {}}\npictures: 0\n",
        encoding="utf-8",
    )
    assert run("run", "small.yaml", "--out", "out", "--jobs", "1").exit_code == 0
    plotted = run("plot", "out", "--latex", "--figures", "gain", "--formats", "svg")
    assert plotted.exit_code == 0, plotted.output
    for name in ("means", "gains"):
        assert r"\usepackage{booktabs}" in Path(f"out/figures/{name}.tex").read_text("utf-8")
