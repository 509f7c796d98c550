"""The layout holds: small folders, files and functions, and private names stay in their rooms."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("channels", "semcom", "experiments")
MOST_FILES, MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 15, 300, 60, 8

# Each list of exceptions is exact: one that is no longer needed fails the test and goes.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
MANY_PARAMETERS = {
    "channels/fec/ldpc/decoder_int8.py:_row": "a kernel: what is in registers has no structure",
    "channels/ofdm/channel.py:Ofdm.__init__": "one option of the plugin each",
    "experiments/cli/link_level.py:ber": "one option of the command each",
    "experiments/cli/link_level.py:bler": "one option of the command each",
    "experiments/cli/plot.py:plot": "one option of the command each",
    "experiments/cli/suites.py:run": "one option of the command each",
    "experiments/link_level/ber.py:ber": "one option of the command each",
    "experiments/running/runner.py:run": "one option of the command each",
    "semcom/link/delivery.py:deliver": "one option of a delivery each",
}

PRIVATE = re.compile(rf"(?:{'|'.join(PACKAGES)}|tests)(?:\.\w+)*\._[a-zA-Z]\w*")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def sources(*folders: str) -> dict[str, str]:
    """Return the text of every Python file of these folders, by its path from the root."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


@functools.cache
def parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Give every function by its name, after those of the classes and functions around it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{within}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, within)


def docstring_lines(function: Function) -> int:
    """Count the lines of a docstring: a long one, with its example, makes no function harder."""
    match function.body[0]:
        case ast.Expr(ast.Constant(str())) as docstring:
            return (docstring.end_lineno or 0) - docstring.lineno + 1
    return 0


def num_parameters(function: Function) -> int:
    """Count what a caller may give: all but ``self`` and ``cls``."""
    about = function.args
    named = [one.arg for one in (*about.posonlyargs, *about.args, *about.kwonlyargs)]
    named += [one.arg for one in (about.vararg, about.kwarg) if one]
    return len([name for name in named if name not in ("self", "cls")])


@functools.cache
def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def private_names(tree: ast.AST) -> Iterator[str]:
    """Give what a file takes of ours that begins with an underscore, dotted.

    It may import the name, reach it through a module that it imports, or name it in a text, as
    ``monkeypatch.setattr`` takes it.
    """
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Import):
            found = [one.name for one in node.names]
            modules |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{one.name}" for one in node.names]
            modules |= {
                one.asname or one.name: f"{node.module}.{one.name}"
                for one in node.names
                if is_module(f"{node.module}.{one.name}")
            }
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = [node.value]
        yield from (name for name in found if PRIVATE.fullmatch(name))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(owner, name):
                pass
            case ast.Call(_, [owner, ast.Constant(str(name)), *_]):  # setattr
                pass
            case _:
                continue
        if not name.startswith("_"):
            continue
        module = modules.get(ast.unparse(owner), ast.unparse(owner))
        if is_module(module) and PRIVATE.fullmatch(f"{module}.{name}"):
            yield f"{module}.{name}"


def rooms(name: str) -> set[str]:
    """Tell the folders whose files may take a private name: its module's, and that of its tests.

    The tests of one module may have a folder of their own, which is called as the module.
    """
    module = re.split(r"\._[a-zA-Z]", name)[0].replace(".", "/")
    folder = module if (ROOT / module).is_dir() else str(Path(module).parent)
    return {folder, f"tests/{folder}", f"tests/{module}"}


def test_no_folder_has_more_than_15_files() -> None:
    counts = Counter(str(Path(path).parent) for path in sources(*PACKAGES, "tests"))
    assert {folder: n for folder, n in counts.items() if n > MOST_FILES} == {}


def test_no_file_has_more_than_300_lines() -> None:
    lines = {path: len(text.splitlines()) for path, text in sources(*PACKAGES, "tests").items()}
    assert sorted(path for path, n in lines.items() if n > MOST_LINES) == sorted(LONG_FILES), lines


def test_no_function_has_more_than_60_lines() -> None:
    lengths = {
        f"{path}:{name}": (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node)
        for path in sources(*PACKAGES)
        for name, node in functions(parsed(path))
    }
    found = {name: n for name, n in lengths.items() if n > MOST_FUNCTION_LINES}
    assert sorted(found) == sorted(LONG_FUNCTIONS), found


def test_no_function_has_more_than_eight_parameters() -> None:
    numbers = {
        f"{path}:{name}": num_parameters(node)
        for path in sources(*PACKAGES)
        for name, node in functions(parsed(path))
    }
    found = {name: n for name, n in numbers.items() if n > MOST_PARAMETERS}
    assert sorted(found) == sorted(MANY_PARAMETERS), found


def test_private_names_stay_in_their_rooms() -> None:
    strays = [
        f"{path} takes {name}"
        for path in sources(*PACKAGES, "tests")
        for name in private_names(parsed(path))
        if str(Path(path).parent) not in rooms(name)
    ]
    assert strays == []
