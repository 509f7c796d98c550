"""The command line: what it lists, and a clear line for whatever cannot work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semcom.checkpoints import mobile_sam as weights
from tests.experiments.cli.sending import ROOT, SCORES, Semcom, error_of


def test_importing_the_command_line_imports_no_library() -> None:
    code = """
import sys
import experiments.cli.main
heavy = {'torch', 'numpy', 'matplotlib', 'PIL', 'scipy', 'skimage', 'numba', 'av', 'rich', 'pooch'}
print(*sorted(heavy & set(sys.modules)))
"""
    command = [sys.executable, "-c", code]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("codecs", ["hevc", "jpeg"]),
        ("channels", ["awgn", "rayleigh", "rician"]),
        ("bit-channels", ["bsc", "bec"]),
        ("packet-channels", ["packet_erasure", "gilbert_elliott"]),
        ("segmenters", ["mobile_sam", "graph", "from_file", "whole_image"]),
        ("scores", list(SCORES)),
    ],
)
def test_list_shows_what_is_registered(semcom: Semcom, kind: str, names: list[str]) -> None:
    alone, everything = semcom("list", kind), semcom("list")
    for name in names:
        assert name in alone.stdout
        assert name in everything.stdout


def test_list_says_what_is_missing_and_how_to_get_it(
    semcom: Semcom, monkeypatch: pytest.MonkeyPatch
) -> None:
    from channels.registry import Entry
    from experiments.cli import listing

    class Codecs:
        def entries(self) -> list[Entry]:
            return [Entry("x", "x:X", requires=("no_such_module",), extra="[b]")]

    monkeypatch.setitem(listing._REGISTRIES, "codecs", Codecs())
    monkeypatch.setenv("COLUMNS", "200")
    assert "no_such_module (pip install 'semcom[[b]]')" in semcom("list", "codecs").stdout


@pytest.mark.parametrize("command", [("list", "codec"), ("snd",), ("weights", "fetsh"), ("send",)])
def test_unknown_commands_and_missing_arguments_are_refused(
    semcom: Semcom, command: tuple[str, ...]
) -> None:
    result = semcom(*command)
    assert result.exit_code == 2
    assert len(error_of(result).splitlines()) == 1


def test_weights_commands_speak_of_the_file_that_is_named(
    semcom: Semcom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.pt"
    monkeypatch.setenv(weights.ENVIRONMENT, str(own))
    assert semcom("weights", "path").stdout == f"{own}\n"
    assert f"{own} does not exist: run 'semcom weights fetch'" in error_of(
        semcom("weights", "check")
    )
    own.write_bytes(b"not it")
    assert "has 6 bytes, the official checkpoint has" in error_of(semcom("weights", "check"))
    assert "will not be overwritten" in error_of(semcom("weights", "fetch"))
    assert own.read_bytes() == b"not it"


def test_demo_refuses_a_file_as_its_folder(semcom: Semcom) -> None:
    assert "a.png" in error_of(semcom("demo", "--out", "a.png"))
