"""Fonts and literal text in figures.

A name is never read as a formula, even if it has dollar signs, nor as LaTeX, even if a matplotlibrc
requests it. Glyphs that our font lacks come from the fonts of the system: first those of the user's
matplotlibrc, then known ones for other scripts. Glyphs that no font has are reported once for all
figures.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import re
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import matplotlib
from matplotlib import font_manager

FONT = "DejaVu Sans"
"""Name of the font, which comes with matplotlib."""
_OTHERS = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "PingFang HK",
    "Hiragino Sans",
    "Hiragino Sans GB",
    "Yu Gothic",
    "MS Gothic",
    "IPAexGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "NanumGothic",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Nirmala UI",
    "Segoe UI",
    "Segoe UI Symbol",
    "Segoe UI Emoji",
    "Noto Emoji",
    "Symbola",
    "Arial Unicode MS",
    "Unifont",
)
_GENERIC = frozenset(
    {"serif", "sans-serif", "sans serif", "sans", "cursive", "fantasy", "monospace"}
)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MISSING = re.compile(r"Glyph (\d+) .*missing from")
_LOG = logging.getLogger(__name__)
_LACKING: ContextVar[set[str] | None] = ContextVar("lacking", default=None)
"""Characters without a glyph in the figures that are being drawn."""


def families() -> list[str]:
    """Return the fonts of this system in which to look up glyphs, in order."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    asked = [*matplotlib.rcParams["font.family"], *matplotlib.rcParams["font.sans-serif"]]
    wished = dict.fromkeys([FONT, *asked, *_OTHERS])
    return [name for name in wished if name in known and name.lower() not in _GENERIC]


def settings() -> dict[str, Any]:
    """Return settings for ``matplotlib.rc_context`` with which text is drawn literally."""
    return {
        "font.family": families(),
        "text.usetex": False,
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
    }


@contextlib.contextmanager
def plain_text(look: dict[str, Any] | None = None) -> Iterator[None]:
    """Provide a context for drawing and saving in which text is drawn literally.

    ``look`` are further settings. Missing glyphs are reported at the end of the outermost context.
    """
    lacking, outermost = _LACKING.get(), _LACKING.get() is None
    lacking = set() if lacking is None else lacking
    wanted: Any = {**(look or {}), **settings()}
    token = _LACKING.set(lacking)
    try:
        with warnings.catch_warnings(record=True) as caught, matplotlib.rc_context(wanted):
            warnings.simplefilter("always")
            yield
    finally:
        _LACKING.reset(token)
    for one in caught:
        found = _MISSING.match(str(one.message))
        if found:
            lacking.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    if lacking and outermost:
        _say("".join(sorted(lacking)))


@functools.cache
def _say(lacking: str) -> None:
    _LOG.warning(
        "no font here has glyphs for %s, so figures show boxes; install a font for them, such as "
        "Noto Sans CJK",
        " ".join(lacking),
    )


def power_of_ten(value: float) -> str:
    """Write a power of ten with superscript digits, without a formula.

    Examples
    --------
    >>> power_of_ten(0.001)
    '10⁻³'
    """
    return "10" + f"{round(math.log10(value))}".translate(_SUPERSCRIPTS)
