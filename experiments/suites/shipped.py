"""The suites that come with semcom."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from semcom.errors import InputError


def shipped() -> dict[str, Path]:
    """Return the files of the suites that come with semcom, by name."""
    folder = Path(str(files("experiments.suites")))
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def find_suite(name: str) -> Path:
    """Return the file of a suite, given the name of a shipped suite or a path.

    Raises
    ------
    ValueError
        If there is neither such a suite nor such a file.

    Examples
    --------
    >>> find_suite("kodak-awgn").name
    'kodak-awgn.yaml'
    """
    known, path = shipped(), Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if not path.is_file():
            raise InputError(f"{name}: no such suite file")
        return path
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise InputError(f"unknown suite {name!r}{hint}; choices: {', '.join(known)}, or a YAML file")
