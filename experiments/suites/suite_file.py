"""Reading of suites: YAML, ``--quick`` and ``--set``; all errors are reported with their lines."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from experiments.path_text import URI, readable, to_text
from experiments.suites.axis_models import Axes
from experiments.suites.draws import Draws
from experiments.suites.setting import AXES
from experiments.suites.suite import Exclude, Suite
from semcom.errors import InputError

Where = tuple[str | int, ...]
_KEPT_IN_QUICK = 2
_MAX_BYTES = 1 << 20
_MAX_PARTS = 200_000  # aliases counted as often as they are used
_MAX_DEPTH = 20
_MAX_SHOWN = 80  # characters of a value in a message
_MAX_ERRORS = 100


def read_suite(path: Path, *, quick: bool = False, changes: Sequence[str] = ()) -> Suite:
    """Read and check a suite.

    Parameters
    ----------
    path
        YAML file.
    quick
        Replace keys by those under ``quick``. If there are none, use two images, two draws and two
        values of SNR and CBR.
    changes
        Changes ``"key=value"`` or ``"part.key=value"`` with the value in YAML, such as
        ``"cbr=[1/16, 1/8]"``.

    Raises
    ------
    ValueError
        If the suite has errors; the message has a line for each, with its place and the choices.

    Examples
    --------
    >>> from experiments.suites.shipped import find_suite
    >>> suite = read_suite(find_suite("kodak-awgn"), changes=["images=photos", "codec=jpeg"])
    >>> suite.images, suite.codec
    (('photos',), ('jpeg',))
    """
    content, places = _parse(path)
    if quick:
        content = _quick(content, places)
    else:
        content.pop("quick", None)
    for change in changes:
        _set(content, places, change)
    if content.get("title") is None:
        content["title"] = readable(path.stem)
    try:
        suite = Suite.model_validate(content)
        for where, part in suite.parts():
            part.put_places({axis: _place((*where, axis), places, path.name) for axis in AXES})
        _check_settings(suite)
    except ValidationError as error:
        rank = {where: i for i, where in enumerate(places)}
        errors = sorted(error.errors(), key=lambda e: rank.get(_nearest(e["loc"], places), 0))
        lines = [_line(one, places, path.name) for one in errors]
        raise InputError(_report(path, lines)) from None
    return suite


def _parse(path: Path) -> tuple[dict[Any, Any], dict[Where, str]]:
    """Return the content of a file, and the line of each part of it."""
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path}: not a suite, because it has more than {_MAX_BYTES >> 20} MB")
    try:
        content, places = _load(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a suite, because it is not UTF-8 text") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        what = " ".join(str(error.problem or error.context).split())
        raise InputError(f"{path}{line}: {what}") from None
    except (YAMLError, ValueError, TypeError) as error:  # the latter of impossible dates and keys
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InputError(f"{path}: not a suite, because it is nested too deeply") from None
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: a suite is a mapping of keys to values; see docs/how-to/experiments.md"
        )
    return content, places


def _load(text: str, name: str) -> tuple[Any, dict[Where, str]]:
    """Parse YAML; return the content and the line of each part of it."""
    yaml = YAML(typ="safe", pure=True)
    root = yaml.compose(text)
    places = _places(root, name)
    return yaml.constructor.construct_document(root) if root else None, places


def _places(root: Node | None, name: str) -> dict[Where, str]:
    """Return the line of each part of a document, in order.

    Aliases are expanded, so that a text that would grow without bounds is refused beforehand.
    """
    places: dict[Where, str] = {}
    left: list[tuple[Where, Node, Node]] = [((), root, root)] if root else []
    while left:
        where, key, node = left.pop()
        places[where] = f"{name}:{key.start_mark.line + 1}"
        if len(places) > _MAX_PARTS or len(where) > _MAX_DEPTH:
            raise InputError(
                f"not a suite, because it has more than {_MAX_PARTS} parts or {_MAX_DEPTH} levels"
            )
        parts: list[tuple[Where, Node, Node]] = []
        if isinstance(node, MappingNode):
            parts = [((*where, str(k.value)), k, v) for k, v in node.value]
        elif isinstance(node, SequenceNode):
            parts = [((*where, i), v, v) for i, v in enumerate(node.value)]
        left += reversed(parts)
    places.pop((), None)
    return places


def _quick(content: dict[Any, Any], places: dict[Where, str]) -> dict[Any, Any]:
    instead = content.pop("quick", None)
    if instead is None:
        instead = {"most_images": _KEPT_IN_QUICK, "draws": _KEPT_IN_QUICK}
        for axis in ("cbr", "snr_db"):
            if isinstance(values := content.get(axis), list):
                instead[axis] = values[:_KEPT_IN_QUICK]
    if not isinstance(instead, Mapping):
        raise InputError(f"{places[('quick',)]}: quick must hold keys of a suite, got {instead!r}")
    for where in [w for w in places if w and w[0] in instead]:
        del places[where]
    for where in [w for w in places if w[:1] == ("quick",) and len(w) > 1]:
        places[where[1:]] = places[where]
    content.update(instead)
    return content


def _set(content: Any, places: dict[Where, str], change: str) -> None:
    """Apply one ``key=value`` of the command line."""
    key, equals, text = change.partition("=")
    names = key.strip().split(".")
    if not equals or not all(names):
        raise InputError(f"--set takes KEY=VALUE such as cbr=[1/16,1/8], got {change!r}")
    try:
        if (path := to_text(Path(text))).startswith(URI):  # not UTF-8, which YAML does not accept
            text = json.dumps(path)
        value = _load(text, "--set")[0] if text.strip() else ""
    except (YAMLError, TypeError, RecursionError):
        raise InputError(f"--set {change}: the value is not valid YAML") from None
    except ValueError as error:
        raise InputError(f"--set {change}: {error}") from None
    node = content
    for name in names[:-1]:
        step: Any = int(name) if isinstance(node, list) and name.isdecimal() else name
        if isinstance(node, list) and not (isinstance(step, int) and step < len(node)):
            raise InputError(f"--set {change}: there is no {name!r}; the list has {len(node)}")
        if isinstance(node, dict):
            node.setdefault(step, {})
        node = node[step]
        if not isinstance(node, dict | list):
            raise InputError(f"--set {change}: {name!r} has no parts")
    last: Any = int(names[-1]) if isinstance(node, list) and names[-1].isdecimal() else names[-1]
    if isinstance(node, list) and not (isinstance(last, int) and last < len(node)):
        raise InputError(f"--set {change}: there is no {last!r}; the list has {len(node)}")
    node[last] = value
    where = tuple(int(n) if n.isdecimal() else n for n in names)
    for old in [w for w in places if w[: len(where)] == where]:
        del places[old]
    places[where] = f"--set {change}"


def _check_settings(suite: Suite) -> None:
    """Raise ``ValueError`` for impossible combinations of values."""
    problems: dict[str, None] = {}
    count = 0
    for system, setting in suite.settings():
        count += 1
        try:
            setting.check()
        except InputError as error:
            who = f"system {system.label!r}: " if system.label else ""
            problems[f"{who}{error}; drop it with exclude"] = None
    if not count:
        problems["everything is excluded: nothing is left to do"] = None
    if problems:
        raise InputError(_report(None, list(problems)))


def _report(path: Path | None, lines: list[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    shown = lines[:_MAX_ERRORS] + (["…"] if len(lines) > _MAX_ERRORS else [])
    return f"{path or 'the suite'}: {len(lines)} errors\n" + "\n".join(f"  {x}" for x in shown)


def _nearest(loc: Where, places: dict[Where, str]) -> Where:
    """Return the smallest part around an error that has a known line."""
    for end in range(len(loc), 0, -1):
        for where in (loc[:end], (*loc[: end - 1], str(loc[end - 1]))):
            if where in places:
                return where
    return ()


def _place(loc: Where, places: dict[Where, str], name: str) -> str:
    """Return the line and the keys of a part."""
    near = _nearest(loc, places)
    return f"{places.get(near, name)}: {'.'.join(map(str, near or loc))}"


def _line(error: ErrorDetails, places: dict[Where, str], name: str) -> str:
    """Write an error of pydantic as one line."""
    loc = error["loc"]
    near = _nearest(loc, places)
    key = ".".join(map(str, loc if error["type"] == "extra_forbidden" else near or loc))
    text = error["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    if error["type"] == "extra_forbidden":
        text = _unknown_key(loc)
    elif error["type"] == "missing":
        text = f"missing: every suite needs {loc[-1]}"
        key = ""
    elif error["type"] != "value_error":
        got = repr(error["input"])
        shown = got if len(got) <= _MAX_SHOWN else f"{got[:_MAX_SHOWN]}…"
        text = f"{text[0].lower()}{text[1:]}, got {shown}"
    where = places.get(near, name)
    return f"{where}: {key}: {text}" if key else f"{where}: {text}"


def _unknown_key(loc: Where) -> str:
    model: type[BaseModel] = Suite
    if loc[0] in ("systems", "points", "exclude", "draws") and len(loc) > 1:
        parts: dict[str, type[BaseModel]] = {"exclude": Exclude, "draws": Draws}
        model = parts.get(str(loc[0]), Axes)
    choices = [*model.model_fields, *(["quick"] if model is Suite else [])]
    close = difflib.get_close_matches(str(loc[-1]), choices, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"unknown key{hint}; choices: {', '.join(choices)}"
