"""What README and the site say exists: files, commands, messages, suites, and names of the API."""

from __future__ import annotations

import ast
import functools
import json
import re
import shlex
from pathlib import Path

import click
import pytest

import channels
import experiments
import semcom
from experiments.cli.main import main
from experiments.suites.suite_file import read_suite

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    if not {"generated", "_build"} & set(path.parts)
)
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
SOURCES = [
    path
    for storey in ("channels", "semcom", "experiments")
    for path in (ROOT / storey).rglob("*.py")
]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _text(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def _blocks(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", _text(page), flags=re.MULTILINE | re.DOTALL)
    return [str(block) for block in found]


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=_name)
def test_every_file_that_a_page_links_or_names_exists(page: Path) -> None:
    text = re.sub(r"^```\w*\n.*?^```$", "", _text(page), flags=re.MULTILINE | re.DOTALL)
    links = [page.parent / link for link in re.findall(r"\]\(([^):#\s]+)[^):]*\)", text)]
    named = re.findall(r"`((?:channels|semcom|experiments|docs|tests)/[\w./+-]+)`", text)
    for path in [*links, *(ROOT / name for name in named)]:
        assert path.exists(), f"{_name(page)} names {path}, which is missing"


def test_every_page_that_the_code_names_exists() -> None:
    named = {
        (page, path)
        for path in SOURCES
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert len({page for page, _ in named}) >= 4
    for page, path in named:
        assert (ROOT / page).is_file(), f"{_name(path)} names {page}, which is missing"


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900


def _lines(page: Path) -> list[str]:
    """Return the commands ``semcom …`` of a page, one each."""
    shown = [line for block in _blocks(page, "console") for line in block.splitlines()]
    parts = (part.strip() for line in shown for part in line.partition("  #")[0].split("&&"))
    return [part for part in parts if part.startswith("semcom ")]


@pytest.mark.parametrize("page", [page for page in PAGES if _lines(page)], ids=_name)
def test_the_commands_of_a_page_exist_with_their_options(page: Path) -> None:
    for line in _lines(page):
        command: click.Command = main
        words = shlex.split(line)[1:]
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not main, f"{line}: no such command"
        known = {
            name for option in command.params for name in (*option.opts, *option.secondary_opts)
        }
        given = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert given <= known, f"{line}: no option {given - known}"


def test_the_suites_of_the_cookbook_are_whole(tmp_path: Path) -> None:
    suites = _blocks(DOCS / "how-to" / "cookbook.md", "yaml")
    assert len(suites) >= 8
    for number, text in enumerate(suites):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text, encoding="utf-8")
        suite = read_suite(path)
        assert suite.title
        assert suite.most_settings() > 1
        assert not list(suite.idle())


@functools.cache
def _literals() -> str:
    """Return all text of the sources that may be printed, so no docstrings."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings]
    return "\0".join(text for text in texts if isinstance(text, str))


def _messages() -> list[str]:
    page = _text(DOCS / "how-to" / "troubleshooting.md")
    return re.findall(r"^### `(.*)`$", page, flags=re.MULTILINE)


@pytest.mark.parametrize("message", _messages())
def test_a_message_of_the_troubleshooting_page_is_one_that_is_printed(message: str) -> None:
    assert message in _literals()


@pytest.mark.parametrize("face", [channels, experiments, semcom], ids=lambda face: face.__name__)
def test_the_api_page_lists_all_names_of_the_face(face: object) -> None:
    name = face.__name__
    page = _text(DOCS / "api" / f"{name}.md")
    listed = set(re.findall(rf"^   ~{name}\.(\w+)$", page, flags=re.MULTILINE))
    in_prose = {"semcom": {"Image", "Map", "__version__"}, "channels": {"theory"}}.get(name, set())
    assert all(f"`{one}`" in page or f"`{name}.{one}`" in page for one in in_prose)
    assert listed | in_prose == set(face.__all__)
    rooms = {
        f"{name}.{path.stem if path.suffix else path.name}"
        for path in (ROOT / name).iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }
    assert set(re.findall(r"^   ([\w.]+)$", page, flags=re.MULTILINE)) == rooms


@pytest.mark.parametrize("page", ["learned-codecs"])
def test_the_example_of_a_tutorial_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = _blocks(DOCS / "tutorials" / f"{page}.md", "python")[0]
    exec(compile(code, page, "exec"), {})
    assert capsys.readouterr().out
