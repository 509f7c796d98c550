"""Figures and tables on paper: legible, at size, the same bytes."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from matplotlib import rc_context
from matplotlib.legend import Legend
from matplotlib.text import Text
from PIL import Image as PilImage

from experiments.analysis.all_tables import tables
from experiments.analysis.formats.printing import print_tables
from experiments.figures.all_figures import draw
from experiments.figures.files import FORMATS, render, write
from experiments.figures.parts.style import COLUMN, PAGE, SETTINGS, system_look
from experiments.store.measured import SuiteResults
from tests.experiments.figures.studies import fading, masks


def test_looks_differ_without_colour() -> None:
    looks = [system_look(place) for place in range(49)]
    assert len({(look["marker"], str(look["linestyle"])) for look in looks}) == 49
    assert len({look["color"] for look in looks[:7]}) == 7


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("made", [masks(0.5, 0.65, 0.8), fading()], ids=["masks", "fading"])
def test_nothing_is_cut_off_or_hidden(made: SuiteResults, width: float) -> None:
    for drawing in draw(made, width=width):
        figure = drawing.figure
        assert figure.get_figwidth() == width
        assert figure.get_figheight() <= 9  # inches of text on a page
        with rc_context(SETTINGS):
            figure.draw_without_rendering()
        box = figure.get_tightbbox()  # of all that is seen, in inches
        assert box.min.min() >= 0, drawing.data.name
        assert box.x1 <= width, drawing.data.name
        assert box.y1 <= figure.get_figheight(), drawing.data.name
        sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
        assert 6 <= min(sizes) <= max(sizes) <= 8
        for legend in figure.findobj(Legend):
            for axes in figure.axes:
                assert not legend.get_window_extent().overlaps(axes.get_window_extent())


@pytest.mark.parametrize("kind", FORMATS)
def test_files_are_the_same_bytes(kind: str) -> None:
    made = masks(0.5, 0.8)
    once, again = (draw(made)[0] for _ in range(2))
    assert render(once, kind) == render(again, kind)
    with pytest.raises(ValueError, match="choices: png, pdf, svg"):
        render(once, "gif")


def test_files_are_at_size_and_have_real_fonts(tmp_path: Path) -> None:
    made = draw(masks(0.5))
    write(made, tables(masks(0.5)), tmp_path, FORMATS)
    with PilImage.open(tmp_path / "rate-distortion.png") as image:
        assert image.width == pytest.approx(300 * COLUMN, abs=1)
    pdf = (tmp_path / "rate-distortion.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType
    assert b"/Type3" not in pdf
    assert b"bandwidth ratio (CBR)" in (tmp_path / "rate-distortion.svg").read_bytes()
    with (tmp_path / "gains.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["region, dB"]) for line in lines] == pytest.approx([5.0] * 5)
    assert "**gain-cbr** – Gain at equal bandwidth" in (tmp_path / "captions.md").read_text("utf-8")


def test_printed_tables(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(tables(masks(0.4)))
    out = capsys.readouterr().out
    assert "masks, θ 0.4 against blind, at 10 dB" in out
    assert "blind needs 2.72 times the bandwidth for the same region PSNR" in " ".join(out.split())
    assert f"{100 / math.e - 100:+.1f} %" in out
    line = next(line for line in out.splitlines() if line.split()[:3] == ["1/16", "10", "blind"])
    assert line.split()[-1] == "0/2"
