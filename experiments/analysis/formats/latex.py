r"""Tables in LaTeX with booktabs, for papers.

Text that people wrote is typeset literally. Scripts that pdfLaTeX does not support, such as
Chinese, need XeLaTeX or LuaLaTeX and a font.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from experiments.analysis.formats.sheets import Sheet, rates, sheets
from experiments.analysis.table import Table
from experiments.naming import visible

_WORDS = ("system", "published", "score")
"""Columns of text."""
_PREAMBLE = r"% In the preamble: \usepackage{booktabs}"
_ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "`": r"\textasciigrave{}",
        "θ": r"$\theta$",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "{--}",
        "—": "{---}",
        "×": r"$\times$",
        "·": r"$\cdot$",
    }
)
_BEGIN = ("means", "against", "over", "lost")
"""Our own words that titles begin with; other first words are names and keep their first letter."""
_COUNT = re.compile(r" \(\d+\)$")  # a number of images


def as_latex(tables: Sequence[Table], about: Sequence[str] = ()) -> dict[str, str]:
    """Return a file for each table, by name; it has a part for each channel or system.

    The lines ``about`` become comments.
    """
    found: dict[str, list[Sheet]] = {}
    for sheet in [*sheets(tables), *rates(tables)]:
        if sheet.rows:
            found.setdefault(sheet.name, []).append(sheet)
    head = "\n".join([*(f"% {visible(line)}" for line in about), _PREAMBLE])
    return {
        name: "\n\n".join(
            [
                head,
                *(
                    _float(sheet, f"{name}-{i}" if len(some) > 1 else name)
                    for i, sheet in enumerate(some, 1)
                ),
            ]
        )
        + "\n"
        for name, some in found.items()
    }


def escape(text: str) -> str:
    r"""Escape text so that LaTeX typesets it literally.

    Examples
    --------
    >>> escape("50 % of a_b, θ 0.5"), escape("--x"), escape("-1.28")
    ('50 \\% of a\\_b, $\\theta$ 0.5', '-{}-x', '$-$1.28')
    """
    said = visible(text).translate(_ESCAPED)
    said = re.sub(r"-(?=-)", "-{}", said)
    return re.sub(r"(?<![\w.-])([+-])(?=\d)", r"$\1$", said)


def _float(sheet: Sheet, label: str) -> str:
    said = sheet.title
    for part in filter(None, sheet.caption.split("\n")):
        said += ("; " if part[0].islower() else ". ") + part.rstrip(".")
    if said.split(" ")[0] in _BEGIN:
        said = said[:1].upper() + said[1:]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escape(said)}.}}",
            rf"  \label{{tab:{label}}}",
            *(f"  {line}" for line in _tabular(sheet)),
            r"\end{table}",
        ]
    )


def _tabular(sheet: Sheet) -> list[str]:
    spec = "".join("l" if name in _WORDS else "r" for name in sheet.head)
    heads = [name.split("\n") for name in sheet.head]
    lines = [rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}", r"  \toprule"]
    for i in range(max(map(len, heads))):
        lines.append(_row([escape(head[i]) if i < len(head) else "" for head in heads]))
    lines.append(r"  \midrule")
    columns = [_aligned(column) for column in zip(*sheet.rows, strict=True)]
    before: tuple[str, ...] = ()
    for i, cells in enumerate(zip(*columns, strict=True)):
        shown = [
            rf"\textbf{{{cell}}}" if (i, j) in sheet.best else cell for j, cell in enumerate(cells)
        ]
        place = cells[: sheet.places]
        if place and place == before:
            shown[: sheet.places] = [""] * sheet.places
        elif place and before:
            lines.append(r"  \addlinespace")
        before = place
        if cells[0] == "BD-rate":
            lines.append(r"  \midrule")
        lines.append(_row(shown))
    return [*lines, r"  \bottomrule", r"\end{tabular}"]


def _aligned(column: Sequence[str]) -> list[str]:
    """Write the cells of a column; numbers without a count leave space for one."""
    counts = [found[0] if (found := _COUNT.search(cell)) else "" for cell in column]
    widest = max(counts, key=len)
    room = rf"\phantom{{{widest}}}" if widest else ""
    return [
        escape(cell) + ("" if count or not cell else room)
        for cell, count in zip(column, counts, strict=True)
    ]


def _row(cells: Sequence[str]) -> str:
    # After the end of a row, LaTeX would read a star or a bracket as an option.
    first = f"{{}}{cells[0]}" if cells[0].startswith(("[", "*")) else cells[0]
    return f"    {' & '.join([first, *cells[1:]])} \\\\"
