"""Plugins by name: an explicit table of those we ship, entry points for third parties.

Each name maps to ``"module:attribute"``, which is imported only on request, so that importing a
package or printing the list stays cheap. Options follow the name, as in ``"rician:k_db=6"``, and
are checked against the signature before anything runs. A value that contains a comma is quoted,
``'trace:file="a,b.csv"'``; a quote inside the quotes is doubled.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib.util
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from channels.errors import InputError

COMMAS = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""The commas outside quotes."""


@dataclass(frozen=True)
class Entry:
    """One registered plugin, with ``target`` as ``"module:attribute"``.

    Examples
    --------
    >>> Entry("awgn", "channels.models.awgn:Awgn").about  # the docstring's first line
    'Additive white Gaussian noise'
    """

    name: str
    target: str
    summary: str = ""
    requires: tuple[str, ...] = ()
    """Top-level modules that must be importable."""
    extra: str = ""
    """The extra of semcom that installs ``requires``."""
    source: str = "semcom"
    """The distribution that provides it."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The required modules that are not installed."""
        return tuple(m for m in self.requires if importlib.util.find_spec(m) is None)

    @property
    def about(self) -> str:
        """The summary, or the first line of the docstring, which is parsed and not imported."""
        module, _, name = self.target.partition(":")
        lines = [] if self.summary else _docstring(module, name).splitlines()
        return lines[0].rstrip(".") if lines else self.summary


def _docstring(module: str, name: str) -> str:
    """Read the docstring of a class or function, or else of its module; empty if there is none."""
    top, *parts = module.split(".")
    with contextlib.suppress(ImportError, ValueError, OSError, SyntaxError):
        spec = importlib.util.find_spec(top)
        if spec is None or spec.origin is None:
            return ""
        path = Path(spec.origin).parent.joinpath(*parts) if parts else Path(spec.origin)
        files = (path, path.with_suffix(".py"), path / "__init__.py")
        source = next((file for file in files if file.is_file()), path)
        tree = ast.parse(source.read_bytes())
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
                return ast.get_docstring(node) or ast.get_docstring(tree) or ""
        return ast.get_docstring(tree) or ""
    return ""


class Registry:
    """The plugins of one kind.

    Parameters
    ----------
    kind
        The word for one plugin in messages, for example ``"codec"``.
    entries
        The plugins that semcom ships.
    group
        The entry-point group in which third parties register theirs.

    Examples
    --------
    >>> from channels import CHANNELS
    >>> CHANNELS.create("rician:k_db=0").k
    1.0
    >>> CHANNELS.create("rician:k=3")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: channel 'rician' has no option 'k=3'; options and defaults: k_db...
    """

    def __init__(self, kind: str, entries: Iterable[Entry], *, group: str) -> None:
        self.kind = kind
        self.group = group
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self.add(entry)
        self._discovered = False

    def add(self, entry: Entry) -> None:
        """Register ``entry``; raise ``ValueError`` if its name is taken."""
        self._check_free(entry, self._entries)
        self._entries[entry.name] = entry

    def _check_free(self, entry: Entry, entries: dict[str, Entry]) -> None:
        taken = entries.get(entry.name)
        if taken is not None:
            raise InputError(
                f"{self.kind} {entry.name!r} is registered twice: "
                f"{taken.target} ({taken.source}) and {entry.target} ({entry.source})"
            )

    def entries(self) -> list[Entry]:
        """List every plugin: ours first, then those found through entry points.

        Nothing is imported. Every call raises ``ValueError`` if a name is taken twice.
        """
        if not self._discovered:
            found = dict(self._entries)
            for point in entry_points(group=self.group):
                source = point.dist.name if point.dist else "unknown"
                entry = Entry(point.name, point.value, source=source)
                self._check_free(entry, found)
                found[entry.name] = entry
            self._entries, self._discovered = found, True
        return list(self._entries.values())

    def names(self) -> list[str]:
        """List the registered names."""
        return [entry.name for entry in self.entries()]

    def entry(self, name: str) -> Entry:
        """Look up one plugin; raise ``ValueError`` with the choices for an unknown name."""
        names = self.names()
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise InputError(f"unknown {self.kind} {name!r}{hint}; choices: {', '.join(names)}")
        return self._entries[name]

    def _installed(self, name: str) -> Entry:
        entry = self.entry(name)
        if entry.missing:
            how = f"pip install 'semcom[{entry.extra}]'" if entry.extra else "install it"
            raise InputError(f"{self.kind} {name!r} needs {', '.join(entry.missing)}: {how}")
        return entry

    def check(self, spec: str) -> None:
        """Refuse what cannot be built, as :meth:`create` does; a name alone is not imported."""
        if ":" in spec:
            self.create(spec)
        else:
            self._installed(spec)

    def load(self, name: str) -> Any:
        """Import the class or function behind ``name``.

        Raises
        ------
        ValueError
            Unknown name, a missing extra, or a target that cannot be imported or called.
        """
        entry = self._installed(name)
        try:
            plugin = EntryPoint(name, entry.target, self.group).load()
            if not callable(plugin):
                raise TypeError("neither a class nor a function")
        except Exception as error:  # a third party's module can fail in any way
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise InputError(
                f"{self.kind} {name!r} of {entry.source} cannot be loaded from "
                f"{entry.target!r}: {reason}"
            ) from error
        return plugin

    def parse(self, spec: str) -> tuple[Any, dict[str, Any]]:
        """Read ``"name"`` or ``"name:option=value,option=value"``: the factory and its options.

        Raises
        ------
        ValueError
            Unknown name, unknown option, or a value that does not fit the option's type.
        """
        name, _, text = spec.partition(":")
        factory = self.load(name)
        return factory, _parse_options(f"{self.kind} {name!r}", factory, text)

    def create(self, spec: str) -> Any:
        """Build the plugin that ``spec`` describes; see :meth:`parse`."""
        factory, options = self.parse(spec)
        try:
            return factory(**options)
        except InputError:
            raise
        except ValueError as error:  # a plugin's way to refuse a value
            raise InputError(str(error)) from error


def spec_of(name: str, **options: Any) -> str:
    """Write a plugin with options so that :meth:`Registry.parse` reads the same again.

    Examples
    --------
    >>> spec_of("trace", file="a,b.csv", step=0.5)
    'trace:file="a,b.csv",step=0.5'
    >>> spec_of("awgn")
    'awgn'
    """
    values = (f"{key}={_quoted(str(value))}" for key, value in options.items())
    return f"{name}:{','.join(values)}" if options else name


def _quoted(value: str) -> str:
    if "," in value or '"' in value:
        doubled = value.replace('"', '""')
        return f'"{doubled}"'
    return value


def options_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the options of a spec as they were written: the key, and the value out of its quotes.

    Examples
    --------
    >>> list(options_in('over="rician:k_db=9,block_length=8",cfo=1e-3'))
    [('over', 'rician:k_db=9,block_length=8'), ('cfo', '1e-3')]
    """
    for item in COMMAS.split(text):
        key, _, value = item.partition("=")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1].replace('""', '"')
        yield key, value


def _parse_options(who: str, factory: Any, text: str) -> dict[str, Any]:
    if not text:
        return {}
    parameters = {
        p.name: p
        for p in inspect.signature(factory).parameters.values()
        if p.kind is p.KEYWORD_ONLY and isinstance(p.default, int | float | str)
    }
    options: dict[str, Any] = {}
    for item, (key, value) in zip(COMMAS.split(text), options_in(text), strict=True):
        if "=" not in item or key not in parameters:
            choices = ", ".join(f"{p.name}={p.default}" for p in parameters.values()) or "none"
            raise InputError(f"{who} has no option {item!r}; options and defaults: {choices}")
        if key in options:
            raise InputError(f"{who}: option {key} is given twice")
        options[key] = _convert(who, key, value, type(parameters[key].default))
    return options


def _convert(who: str, key: str, value: str, kind: type) -> Any:
    if kind is bool:
        if value.lower() not in ("true", "false"):
            raise InputError(f"{who}: option {key} must be true or false, got {value!r}")
        return value.lower() == "true"
    try:
        return kind(value)
    except ValueError:
        raise InputError(f"{who}: option {key} must be {kind.__name__}, got {value!r}") from None
