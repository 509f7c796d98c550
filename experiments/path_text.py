"""Paths as text that any file can hold, and back: a name need not be UTF-8."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

_URI = "file://"  # no absolute path begins so


def to_text(path: Path) -> str:
    r"""Write an absolute path as it is, or as a file URI (RFC 8089) where it is no UTF-8.

    Examples
    --------
    >>> to_text(Path("/tmp/caf.png")), to_text(Path(os.fsdecode(b"/tmp/caf\xe9.png")))
    ('/tmp/caf.png', 'file:///tmp/caf%E9.png')
    """
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _URI + quote_from_bytes(os.fsencode(path))
    return text


def to_path(text: str) -> Path:
    """Return the path that :func:`to_text` wrote."""
    if text.startswith(_URI):
        return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_URI))))
    return Path(text)
