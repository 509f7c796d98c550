"""Conversion between paths and text; a file name need not be valid UTF-8."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

URI = "file://"  # no absolute path begins so


def readable(text: str) -> str:
    r"""Replace bytes that are not valid UTF-8 by backslash escapes, for display.

    Examples
    --------
    >>> readable(os.fsdecode(b"caf\xe9.png"))
    'caf\\udce9.png'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def to_text(path: Path) -> str:
    r"""Write a path as it is, or as a file URI (RFC 8089) if it is not valid UTF-8.

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
    r"""Return the path that :func:`to_text` wrote; any other text is returned unchanged.

    Examples
    --------
    >>> from_text("/tmp/caf.png"), os.fsencode(from_text("file:///tmp/caf%E9.png"))
    ('/tmp/caf.png', b'/tmp/caf\xe9.png')
    """
    if text.startswith(URI):
        return os.fsdecode(unquote_to_bytes(text.removeprefix(URI)))
    return text


def to_uri(path: Path) -> str:
    """Return a URI with which SQLite opens a file of any name; options may be appended.

    Examples
    --------
    >>> to_uri(Path("/tmp/r?mode=memory.db"))
    'file:/tmp/r%3Fmode%3Dmemory.db'
    """
    return "file:" + quote_from_bytes(os.fsencode(path.absolute()))
