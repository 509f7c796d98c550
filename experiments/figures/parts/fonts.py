"""Text in figures: names that users write, as they wrote them.

A name is never a formula, whatever dollars it has, and never LaTeX, whatever a matplotlibrc asks.
What our font has no glyph for comes from the fonts that the system has: those of the user's
matplotlibrc first, then known ones of other scripts. Where none has it, one line says so, however
many figures there are.
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
"""Comes with matplotlib."""
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
"""Characters without a glyph, where text is drawn."""


def families() -> list[str]:
    """Return the fonts to look a glyph up in, in order: all of them are on this system."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    asked = [*matplotlib.rcParams["font.family"], *matplotlib.rcParams["font.sans-serif"]]
    wished = dict.fromkeys([FONT, *asked, *_OTHERS])
    return [name for name in wished if name in known and name.lower() not in _GENERIC]


def settings() -> dict[str, Any]:
    """Return what ``matplotlib.rc_context`` needs for text to come out as it was written."""
    return {
        "font.family": families(),
        "text.usetex": False,
        "text.parse_math": False,
        "axes.formatter.use_mathtext": False,
    }


@contextlib.contextmanager
def plain_text(look: dict[str, Any] | None = None) -> Iterator[None]:
    """Draw and save in here, with a look of one's own: names come out as they were written.

    Glyphs that are missing are said at the end of the outermost.
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
        "no font here has glyphs for %s; figures show boxes until one is installed, "
        "such as Noto Sans CJK",
        " ".join(lacking),
    )


def power_of_ten(value: float) -> str:
    """Write 0.001 as 10⁻³, without a formula."""
    return "10" + f"{round(math.log10(value))}".translate(_SUPERSCRIPTS)
