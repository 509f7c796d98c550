"""Names that users write, in figures: as they wrote them, whole, and never in the way."""

from __future__ import annotations

import html
import logging
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.legend import Legend
from PIL import Image as PilImage

from experiments.figures.all_figures import draw
from experiments.figures.files import FORMATS, render, write
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import COLUMN, PAGE, SETTINGS
from experiments.figures.parts.text import broken, width_of
from experiments.report.figure_images import picture
from experiments.store.measured import SuiteResults
from experiments.suites.axes import System
from tests.experiments.figures.studies import fading, masks

NAMES = [
    *("Ba$$in", "price $5, not $10"),
    *("$x^2$", r"a \alpha_b^{c} 100 % #1 & ~"),
    *("_hidden", "<b>&amp;</b> \"'"),
    *("-- a comment --", "a\nb\x01c"),
    *("", " "),
]
OF_EACH_NAME = [0.1 * i for i in range(1, len(NAMES))]
"""One θ for each name but that of the blind system."""


def called(made: SuiteResults, *names: str) -> SuiteResults:
    """Return the study with other names of its systems."""
    new = {system: System(name) for system, name in zip(made.systems, names, strict=True)}
    points = [replace(p, key=new[p.key], system=new[p.key].label) for p in made.points]
    return replace(made, points=tuple(points))


@pytest.mark.parametrize(
    "made", [masks(*OF_EACH_NAME), fading(systems="abcdefghij")], ids=["masks", "fading"]
)
def test_any_name_is_drawn_as_it_is(made: SuiteResults) -> None:
    made = called(made, *NAMES)
    for drawing in draw(made):
        legends = drawing.figure.findobj(Legend)
        texts = [text.get_text() for legend in legends for text in legend.get_texts()]
        shown = {point.system for point in made.points}
        assert set(texts) <= shown
        assert shown - set(texts) <= {made.anchor.label}  # gains are against it
        shot = picture(drawing).src
        assert shot.startswith("data:image/svg+xml")
        svg = render(drawing, "svg").decode()
        for label in texts:
            assert f">{html.escape(label, quote=False)}</text>" in svg or not label.strip()


@pytest.mark.parametrize("kind", FORMATS)
def test_any_name_can_be_drawn_in_all_formats(kind: str) -> None:
    first = draw(called(masks(*OF_EACH_NAME), *NAMES))[0]
    assert len(render(first, kind)) > 1000


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("name", ["words and words " * 20, "x" * 300, "我们的方法" * 40])
def test_long_names_are_cut_and_cut_nothing_off(
    name: str, width: float, caplog: pytest.LogCaptureFixture
) -> None:
    del caplog  # no font here has Chinese
    made = called(masks(0.5), name, f"{name}!")
    for drawing in draw(made, width=width):
        figure = drawing.figure
        figure.set_dpi(300)  # as it is written; letters are wider on a coarse grid
        with plain_text(SETTINGS):
            figure.draw_without_rendering()
            box = figure.get_tightbbox()
        assert box.min.min() >= -1e-3, drawing.data.name
        assert box.x1 <= width, drawing.data.name
        assert box.y1 <= figure.get_figheight(), drawing.data.name


@pytest.mark.parametrize("width", [0.5, 1.0, 4.0])
def test_lines_are_no_wider_than_there_is_room(width: float) -> None:
    with plain_text():
        for text in ("words and words " * 9, "w" * 99, "iiii" * 30):
            lines = broken(text, width, 7).split("\n")
            assert 1 < len(lines) <= 3 or width == 4.0
            assert max(width_of(line, 7) for line in lines) <= width
        assert broken("short", width, 7) == "short"


@pytest.mark.parametrize(
    "asked",
    [{"text.usetex": True}, {"text.parse_math": True, "axes.formatter.use_mathtext": True}],
)
def test_a_matplotlibrc_that_asks_for_formulas_is_not_obeyed(asked: dict[str, bool]) -> None:
    made = called(masks(0.5), "Ba$$in", "$x$")
    plain = [render(one, "svg") for one in draw(made)]
    with matplotlib.rc_context(asked):
        assert [render(one, "svg") for one in draw(made)] == plain


def darkest_row(path: Path) -> int:
    """Return how many neighbouring black pixels the longest run of a picture has, below its axes.

    A square of 7 points at 300 dots per inch has 29 of them; no letter has more than a few.
    """
    with PilImage.open(path) as picture:
        pixels = np.asarray(picture.convert("L")) < 64
    rows = pixels[-int(0.2 * 300) :]
    longest = 0
    for row in rows:
        ends = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(int), [0]))))
        longest = max([longest, *(ends[1::2] - ends[::2]).tolist()])
    return longest


@pytest.mark.usefixtures("squares")
def test_what_a_font_of_the_system_has_is_no_box(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (drawing,) = (
        one for one in draw(called(masks(0.5), "plain", "基线")) if one.data.name == "scatter"
    )
    out = tmp_path / "figures"
    write([drawing], [], out, FORMATS)
    assert darkest_row(out / "scatter.png") > 40  # two squares side by side
    assert "基线" in (out / "scatter.svg").read_text(encoding="utf-8")
    assert not caplog.records
    again = tmp_path / "again"
    write([drawing], [], again, FORMATS)
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {
        p.name: p.read_bytes() for p in out.iterdir()
    }


def test_what_no_font_has_is_said_once_for_all_figures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = called(
        masks(0.5, 0.8), "参照", "我们的方法", "我们的"
    )  # in no other test: it is said once
    with plain_text():
        write(draw(made)[:2], [], tmp_path, ["svg"])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    for letter in set("参照我们的方法"):
        assert letter in record.getMessage()
