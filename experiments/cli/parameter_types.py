"""Types of option values: several numbers in one argument, ratios, lists of names, known names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import click

from semcom.errors import InputError


def names_of(text: str, choices: Iterable[str], what: str) -> list[str]:
    """Split names at commas; raise ``ValueError`` for a name that is not among the choices."""
    known = list(choices)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise InputError(f"unknown {what} {name!r}; choices: {', '.join(known) or 'none'}")
    return list(dict.fromkeys(names))


class Parsed(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Values separated by commas; ``read`` converts them and does its imports when called."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert text with ``read``."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except InputError as error:
            self.fail(str(error), param, ctx)


def _floats(name: str, text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != len(name.split(",")):
        raise InputError(f"expected {name}, got {text!r}")
    return numbers


def _cbr(text: str) -> Fraction:
    from channels.units import parse_cbr

    return parse_cbr(text)


def _theta(text: str) -> float | str:
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise InputError(f"expected a number in (0, 1), or auto, got {text!r}") from None


def _snrs(text: str) -> tuple[float, ...]:
    from experiments.axis_values import parse_snrs

    return parse_snrs(text)


def _modulations(text: str) -> tuple[int, ...]:
    from channels.packets.mcs import parse_modulation

    return tuple(dict.fromkeys(parse_modulation(part) for part in text.split(",")))


def _numbers(kind: type, text: str) -> tuple[Any, ...]:
    try:
        return tuple(dict.fromkeys(kind(part) for part in text.split(",")))
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise InputError(f"expected {what} separated by commas, got {text!r}") from None


POINT, BOX = (Parsed(name, functools.partial(_floats, name)) for name in ("X,Y", "X0,Y0,X1,Y1"))
THETA, RATIO = Parsed("float or auto", _theta), Parsed("cbr", _cbr)


def _known(check: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a callback that refuses a value before anything that takes seconds, by ``check``."""

    def callback(_ctx: click.Context, _param: click.Parameter, given: Any) -> Any:
        for text in (given,) if isinstance(given, str) else given:
            check(text)
        return given

    return callback


def _channel(spec: str) -> None:
    from channels.catalogue import CHANNELS

    CHANNELS.entry(spec.partition(":")[0])


def _scheme(text: str) -> None:
    from channels.packets.mcs import find_scheme

    find_scheme(text)


def _scheme_set(name: str) -> None:
    from channels.packets.scheme_sets import scheme_set

    scheme_set(name)


def _decoders(text: str) -> None:
    from channels.fec.ldpc.decoders import DECODERS

    for name in text.split(","):
        DECODERS.entry(name)
