"""Quoting for commands that people copy into a shell."""

from __future__ import annotations

import os
import shlex
from pathlib import Path


def path_word(path: Path) -> str:
    r"""Quote a path, relative to the working folder, for a shell command.

    Examples
    --------
    >>> path_word(Path("my runs/results.db")), path_word(Path("-a")), path_word(Path("a\tb"))
    ("'my runs/results.db'", './-a', "$'a\\011b'")
    """
    try:
        text = os.path.relpath(path)
    except ValueError:  # on another drive
        text = str(path.absolute())
    return word(f"./{text}" if text.startswith("-") else text)


def word(text: str) -> str:
    r"""Quote text for a shell; invisible characters and invalid UTF-8 are written as octal bytes.

    Examples
    --------
    >>> word("a"), word("it's"), word(os.fsdecode(b"caf\xe9"))
    ('a', '\'it\'"\'"\'s\'', "$'caf\\351'")
    """
    if text.isprintable():
        return shlex.quote(text)
    data = os.fsencode(text)
    plain = (chr(b) if 32 <= b < 127 and b not in b"\\'" else f"\\{b:03o}" for b in data)
    return f"$'{''.join(plain)}'"
