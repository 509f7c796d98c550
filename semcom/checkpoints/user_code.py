"""Classes and functions of the user's, by name: networks that semcom does not ship."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from channels.owner import expanded
from semcom.errors import InputError

_MOST_CHARACTERS = 300  # of a message


def find_object(who: str, name: str) -> Any:
    """Import what ``"package.module:Name"`` or ``"file.py:Name"`` names.

    Modules beside a file, and packages in the current folder, are found as well. What the module
    prints goes to the standard error.

    Parameters
    ----------
    who
        Who asks, in messages.
    name
        The place and the name. Its module is run, as with any import.

    Raises
    ------
    ValueError
        Either part is missing, or it cannot be imported.

    Examples
    --------
    >>> find_object("codec", "fractions:Fraction")(1, 3)
    Fraction(1, 3)
    """
    place, _, attribute = name.rpartition(":")
    if not place or not attribute:
        raise InputError(f"{who}: a name is package.module:Class or file.py:Class, got {name!r}")
    file = expanded(place)
    try:
        with quiet_import(file.parent if place.endswith(".py") else Path.cwd()):
            module = _run(file) if place.endswith(".py") else importlib.import_module(place)
        if not hasattr(module, attribute):
            raise AttributeError(f"there is no {attribute} in it")
        return getattr(module, attribute)
    except (Exception, SystemExit) as error:  # a user's module can fail in any way
        raise InputError(f"{who}: {name} cannot be imported: {first_line(error)}") from error


@contextlib.contextmanager
def quiet_import(folder: Path) -> Iterator[None]:
    """Find modules in a folder as well, and keep what they print from the standard output."""
    place = str(folder.resolve())
    added = place not in sys.path  # the order of those that are there is the user's
    if added:
        sys.path.append(place)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if added:
            sys.path.remove(place)


def first_line(error: BaseException) -> str:
    """Describe an exception in one line, which is cut if it is long."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    cut = "…" if len(lines[0]) > _MOST_CHARACTERS else ""
    return f"{type(error).__name__}: {lines[0][:_MOST_CHARACTERS]}{cut}"


def _run(file: Path) -> Any:
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    content = file.read_bytes()
    path = str(file.resolve()).encode()
    name = f"semcom_user_{file.stem}_{hashlib.sha256(path + content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for it there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
