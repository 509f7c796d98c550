"""Classes and functions of the user's, by name: networks that semcom does not ship."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from semcom.errors import InputError


def find_object(who: str, name: str) -> Any:
    """Import what ``"package.module:Name"`` or ``"file.py:Name"`` names.

    Parameters
    ----------
    who
        Who asks, in messages.
    name
        The place and the name. Its module is run, as with any import.

    Raises
    ------
    ValueError
        There is no colon, or it cannot be imported.

    Examples
    --------
    >>> find_object("codec", "fractions:Fraction")(1, 3)
    Fraction(1, 3)
    """
    place, colon, attribute = name.rpartition(":")
    if not colon:
        raise InputError(f"{who}: a name is package.module:Class or file.py:Class, got {name!r}")
    try:
        module = _run(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        return getattr(module, attribute)
    except Exception as error:  # a user's module can fail in any way
        raise InputError(f"{who}: {name} cannot be imported: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """Describe an exception in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _run(file: Path) -> Any:
    file = file.expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(f"semcom_user_{file.stem}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
