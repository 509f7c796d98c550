"""A folder of the user's that has the name of a package of ours: a sentence, wherever it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = "from semcom_command import main; main()"


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as for a script in ``folder``: what lies beside it comes first."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def _hide(folder: Path, name: str) -> str:
    """Put a package there; return how the sentence about it begins."""
    (folder / name).mkdir()
    file = folder / name / "__init__.py"
    file.write_text("mine = 42\n")
    return f"{file} hides semcom's own package {name!r}: rename it, or "


@pytest.mark.parametrize(
    "script",
    [
        "import semcom; semcom.send('a.png')",
        "from semcom.api import send",
        "import channels; from semcom import find_region",
    ],
)
def test_a_script_that_finds_other_channels_ends_in_a_sentence(tmp_path: Path, script: str) -> None:
    said = _hide(tmp_path, "channels")
    done = _python(tmp_path, "-c", script)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: {said}")
    assert "No module named" not in done.stderr


@pytest.mark.parametrize("name", ["channels", "experiments"])
def test_the_command_says_it_without_a_traceback(tmp_path: Path, name: str) -> None:
    said = _hide(tmp_path, name)
    done = _python(tmp_path, "-c", COMMAND, "list")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_a_module_hides_as_a_folder_does(tmp_path: Path) -> None:
    (tmp_path / "channels.py").write_text("")
    done = _python(tmp_path, "-c", "import semcom")
    assert f"{tmp_path / 'channels.py'} hides semcom's own package" in done.stderr


def test_other_folders_are_in_nobodys_way(tmp_path: Path) -> None:
    """One of pictures is no package, and a script without the command line may have experiments."""
    (tmp_path / "channels").mkdir()
    _hide(tmp_path, "experiments")
    script = "from semcom import LinkConfig; import experiments; print(experiments.mine)"
    done = _python(tmp_path, "-c", script)
    assert done.stdout == "42\n", done.stderr


def test_the_command_works(tmp_path: Path) -> None:
    done = _python(tmp_path, "-c", COMMAND, "list", "channels")
    assert done.returncode == 0, done.stderr
    assert "awgn" in done.stdout
