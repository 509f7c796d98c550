"""Atomic writing of files: a file is written whole or not at all, and errors name the file."""

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
    r"""Write a file atomically: an existing one is replaced, or kept unchanged if writing fails.

    Parameters
    ----------
    path
        The file. Links are followed.
    data
        Its content. Text is encoded as UTF-8; characters that have no encoding, such as those of
        undecodable file names, become backslash escapes.

    Raises
    ------
    OSError
        If the disk is full or the folder is not writable; the message names the file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     save(Path(folder) / "note.txt", "θ = 0.65")
    ...     (Path(folder) / "note.txt").read_bytes()
    b'\xce\xb8 = 0.65'
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "backslashreplace")
    target = Path(os.path.realpath(path))
    with named(path):
        if target.exists() and not target.is_file():  # such as /dev/null, which must not go
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
    """Write a figure in the format given by the file's suffix; a PDF carries no date."""
    kind, sink = path.suffix.removeprefix("."), io.BytesIO()
    metadata = {"CreationDate": None} if kind == "pdf" else {}
    figure.savefig(sink, format=kind, dpi=dpi, metadata=metadata)
    save(path, sink.getvalue())


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the path to an ``OSError``, because the system does not always name the file."""
    try:
        yield
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
