"""The error that semcom raises for input that makes no sense.

:class:`InputError` is a ``ValueError`` that users can mend. Every other ``ValueError`` is a bug.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.errors import InputError as InputError


def check_types(values: Mapping[str, Any], asked: Mapping[str, tuple[Any, str]]) -> None:
    """Refuse values of another type than the one ``asked`` for, by name: a type, and its words.

    True and False are no numbers here.

    Examples
    --------
    >>> check_types({"seed": "7"}, {"seed": (int, "a whole number")})
    Traceback (most recent call last):
    channels.errors.InputError: seed must be a whole number, got '7'
    """
    for name, (kinds, words) in asked.items():
        value = values[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise InputError(f"{name} must be {words}, got {value!r}")
