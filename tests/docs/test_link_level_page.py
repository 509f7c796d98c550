"""The examples of docs/how-to/link-level.md run, in order, and what the page names exists."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from experiments.cli.main import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "link-level.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = _blocks("python")
    assert len(examples) == 8
    script = tmp_path / "page.py"
    script.write_text("\n".join(examples), encoding="utf-8")
    runpy.run_path(str(script))
    output = capsys.readouterr().out
    assert "0 of 50 blocks wrong" in output
    assert re.search(r"chase combining: 0\.\d+ lost, \d+ uses per packet", output)
    assert re.search(r"of 20000 blocks wrong, \d+ of them unnoticed", output)
    assert re.search(r"mimo: .*bits per symbol", output)


def test_the_commands_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of each line but the work: an option that is refused comes last."""
    monkeypatch.chdir(tmp_path)
    (console,) = _blocks("console")
    for line in console.splitlines():
        program, command, *options = shlex.split(line)
        refused = ["--num-bits", "1"] if command == "mcs" else ["--seed", "-7"]
        result = CliRunner().invoke(main, [command, *options, *refused])
        assert program == "semcom"
        assert refused[1] in result.stderr.splitlines()[-1], line


def test_every_file_that_the_page_names_exists() -> None:
    named = [ROOT / name for name in re.findall(r"`([\w-]+/[\w./-]+\.\w+)`", PAGE)]
    linked = [ROOT / "docs" / "how-to" / name for name in re.findall(r"\]\(([^):#]+)\)", PAGE)]
    assert len(named) >= 4
    for path in named + linked:
        assert path.exists(), path
