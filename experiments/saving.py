"""Files that are written whole or not at all, and errors that name them."""

from __future__ import annotations

import contextlib
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(path: Path, data: bytes | str) -> None:
    """Write a file; one of the same name is replaced, and stays as it is where that fails.

    Parameters
    ----------
    path
        The file. Links are followed.
    data
        Its content; text becomes UTF-8, and what is none, as of file names, a backslash and digits.

    Raises
    ------
    OSError
        The disk is full, or the folder may not be written; the message names the file.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "backslashreplace")
    target = Path(os.path.realpath(path))
    with named(path):
        if target.exists() and not target.is_file():  # such as /dev/null: never replaced
            target.write_bytes(data)
            return
        unfinished = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            unfinished.write_bytes(data)
            unfinished.replace(target)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def save_figure(path: Path, figure: Figure, *, dpi: float) -> None:
    """Write a figure in the format that the file's name says; a PDF without the date."""
    kind, sink = path.suffix.removeprefix("."), io.BytesIO()
    metadata = {"CreationDate": None} if kind == "pdf" else {}
    figure.savefig(sink, format=kind, dpi=dpi, metadata=metadata)
    save(path, sink.getvalue())


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Name the file that cannot be written: the system does not say which one it was."""
    try:
        yield
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
