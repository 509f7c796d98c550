"""Paths as text that any file can hold, and back: a name need not be UTF-8."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

URI = "file://"  # no absolute path begins so


def readable(text: str) -> str:
    r"""Write with backslashes what is no UTF-8, for people.

    Examples
    --------
    >>> readable(os.fsdecode(b"caf\xe9.png"))
    'caf\\udce9.png'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def to_text(path: Path) -> str:
    r"""Write a path as it is, or as a file URI (RFC 8089) where it is no UTF-8.

    Examples
    --------
    >>> to_text(Path("/tmp/caf.png")), to_text(Path(os.fsdecode(b"/tmp/caf\xe9.png")))
    ('/tmp/caf.png', 'file:///tmp/caf%E9.png')
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return URI + quote_from_bytes(os.fsencode(path.absolute()))
    return text


def from_text(text: str) -> str:
    """Return the path that :func:`to_text` wrote; any other text stays as it is."""
    if text.startswith(URI):
        return os.fsdecode(unquote_to_bytes(text.removeprefix(URI)))
    return text


def to_uri(path: Path) -> str:
    """Return the URI under which SQLite opens a file, whatever its name; options may follow.

    Examples
    --------
    >>> to_uri(Path("/tmp/r?mode=memory.db"))
    'file:/tmp/r%3Fmode%3Dmemory.db'
    """
    return "file:" + quote_from_bytes(os.fsencode(path.absolute()))
