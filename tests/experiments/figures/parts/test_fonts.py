"""Text in figures comes out as it was written, in whatever script."""

from __future__ import annotations

import io
import logging

import matplotlib
import pytest
from matplotlib.figure import Figure

from experiments.figures.parts import fonts

NAMES = ["Ba$$in", "price $5, not $10", "$x^2$", r"a \alpha_b", "100 % {x}", "a_b^c", r"\$"]


def _ink(text: str, *, family: str | None = None) -> int:
    """Count the dark pixels of a text in a figure."""
    with fonts.plain_text():
        figure = Figure(figsize=(4, 1), dpi=100)
        figure.text(0.1, 0.5, text, fontsize=20, **({"family": family} if family else {}))
        sink = io.BytesIO()
        figure.savefig(sink, format="png")
    sink.seek(0)
    return int((matplotlib.image.imread(sink)[..., :3].mean(axis=-1) < 0.5).sum())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_no_name_is_a_formula(name: str, kind: str) -> None:
    with fonts.plain_text({"svg.fonttype": "none"}):
        figure = Figure()
        axes = figure.subplots()
        axes.plot([1, 2], label=name)
        axes.legend()
        axes.set_title(name)
        sink = io.BytesIO()
        figure.savefig(sink, format=kind)
    if kind == "svg":
        escaped = name.replace("&", "&amp;").replace("<", "&lt;")
        assert sink.getvalue().decode().count(f">{escaped}</text>") == 2


def test_a_matplotlibrc_that_asks_for_latex_is_not_obeyed() -> None:
    with matplotlib.rc_context({"text.usetex": True}):
        assert _ink("as it is") > 0
        assert matplotlib.rcParams["text.usetex"]


def test_glyphs_come_from_other_fonts_of_the_system(
    squares: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert fonts.families()[0] == "DejaVu Sans"
    assert squares in fonts.families()
    assert _ink("基") > 500  # a square of 20 points, filled
    assert not caplog.records


def test_what_no_font_has_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    fonts._say.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            _ink("\U0001f4a9 of ∑ \U0001f4a8")
    (record,) = caplog.records
    assert "no font here has glyphs for \U0001f4a8 \U0001f4a9" in record.getMessage()


def test_fonts_of_a_matplotlibrc_come_before_those_that_we_know(squares: str) -> None:
    with matplotlib.rc_context({"font.sans-serif": ["No Such Font", squares]}):
        assert fonts.families()[:2] == ["DejaVu Sans", squares]


def test_other_warnings_are_passed_on() -> None:
    import warnings

    with pytest.warns(UserWarning, match="mine"), fonts.plain_text():
        warnings.warn("mine", stacklevel=1)


@pytest.mark.parametrize(("value", "text"), [(1.0, "10⁰"), (1e-3, "10⁻³"), (1e12, "10¹²")])
def test_powers_of_ten_need_no_formula(value: float, text: str) -> None:
    assert fonts.power_of_ten(value) == text
