"""Writing of figures and their numbers; the same results give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.analysis.table import Table, Tell, spared
from experiments.csv_table import to_csv
from experiments.figures.drawing import Drawing
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import SETTINGS
from experiments.naming import file_names
from experiments.saving import save
from semcom.errors import InputError

FORMATS = ("png", "pdf", "svg")
_DPI = 300


def render(drawing: Drawing, kind: str) -> bytes:
    """Return the bytes of a figure's file.

    Parameters
    ----------
    drawing
        The figure.
    kind
        One of :data:`FORMATS`: PNG with 300 dots per inch, PDF with embedded fonts, or SVG with
        text.

    Raises
    ------
    ValueError
        If the format is unknown.
    """
    if kind not in FORMATS:
        raise InputError(f"unknown format {kind!r}; choices: {', '.join(FORMATS)}")
    title, caption = drawing.data.title, drawing.data.caption
    metadata: dict[str, dict[str, Any]] = {
        "png": {"Title": title, "Description": caption},
        "pdf": {"Title": title, "Subject": caption, "CreationDate": None},
        "svg": {"Title": title, "Description": caption, "Date": None},
    }
    sink = io.BytesIO()
    with plain_text(SETTINGS):
        drawing.figure.savefig(sink, format=kind, dpi=_DPI, metadata=metadata[kind])
    return sink.getvalue()


def write(
    drawings: Sequence[Drawing],
    tables: Sequence[Table],
    folder: Path,
    formats: Sequence[str],
    *,
    about: Sequence[str] = (),
    tell: Tell | None = None,
) -> list[Path]:
    """Write all figures with their numbers, the tables and the captions; return the files.

    The captions go to ``captions.md``, after the lines ``about``. ``tell`` receives the errors of
    figures that cannot be drawn; without it, they are raised.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    shown = (*(drawing.data for drawing in drawings), *tables)
    names = file_names([table.name for table in shown])
    for name, drawing in zip(names, drawings, strict=False):
        made: dict[str, bytes] = {}
        with spared(name, tell):
            made = {kind: render(drawing, kind) for kind in formats}
        for kind, data in made.items():
            files.append(folder / f"{name}.{kind}")
            save(files[-1], data)
    captions = list(about)
    for name, table in zip(names, shown, strict=True):
        files.append(folder / f"{name}.csv")
        save(files[-1], to_csv(table.columns, table.rows))
        captions.append(f"**{name}** – {table.title}. {table.caption}".strip())
    files.append(folder / "captions.md")
    save(files[-1], "\n\n".join(captions) + "\n")
    return files
