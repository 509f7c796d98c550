"""Where compiled code is kept, and that it costs no more than time where it cannot be."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import channels

KERNEL = """
from channels.kernels.jit import kernel

@kernel
def triple(number):
    return 3 * number
"""
WORK = "from channels.triple import triple; print(triple(14))"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a script with sources beside which nothing can be kept, and without a home."""
    sources = tmp_path / "sources" / "channels"
    (sources / "kernels").mkdir(parents=True)
    (sources / "__init__.py").touch()
    for name in ("owner.py", "kernels/__init__.py", "kernels/jit.py"):
        shutil.copy(Path(channels.__file__).parent / name, sources / name)
    (sources / "triple.py").write_text(KERNEL)
    (sources / "__pycache__").write_text("in the way, also of root")
    (tmp_path / "temporary").mkdir()

    def run(script: str = WORK, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME",)}
        where = {"HOME": "/proc/nowhere", "TMPDIR": str(tmp_path / "temporary")}
        return subprocess.run(
            [sys.executable, "-B", "-c", script],
            cwd=sources.parent,
            env=inherited | where | environment,
            capture_output=True,
            text=True,
            check=True,
        )

    return run


def _kept(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.nbi"))


def test_compiled_code_is_kept_in_a_temporary_folder_where_nothing_else_can_be_written(
    run: Run, tmp_path: Path
) -> None:
    first, again = run(), run()
    folder = tmp_path / "temporary" / f"semcom-{os.geteuid()}"
    said = f"compiled code is cached in {folder}; set NUMBA_CACHE_DIR to use another folder\n"
    assert first.stderr.count(said) == again.stderr.count(said) == 1
    assert "compiling the link level" in first.stderr
    assert again.stderr == said
    assert _kept(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert first.stdout == again.stdout == "42\n"


def test_without_any_folder_code_is_compiled_every_time_and_that_is_said_once(run: Run) -> None:
    nowhere = "import tempfile; tempfile.tempdir = '/proc/nowhere'\n"
    done = run(nowhere + WORK)
    assert done.stdout == "42\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("compiled code cannot be cached, so every process compiles it again; ")


def test_workers_repeat_no_note(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sources" / "work.py").write_text(f"def work():\n    {WORK}\n")
    done = run(
        "import loky, multiprocessing, work\n"
        "work.work()\n"
        "loky.ProcessPoolExecutor(1).submit(work.work).result()\n"
        "with multiprocessing.get_context('spawn').Pool(1) as pool: pool.apply(work.work)\n"
    )
    assert done.stderr.count("compiled code is cached in") == 1
    assert done.stdout == 3 * "42\n"


def _plant(kept: list[Path], touched: Path) -> None:
    """Replace each index by one that leaves a file behind when it is read."""

    class Harmful:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
            return Path.touch, (touched,)

    for file in kept:
        with file.open("rb") as old:
            version = pickle.load(old)
        file.write_bytes(pickle.dumps(version) + pickle.dumps(Harmful()))


@pytest.mark.parametrize("place", ["home", "temporary"])
def test_code_that_others_could_have_planted_is_not_read(
    run: Run, tmp_path: Path, place: str
) -> None:
    """Numba unpickles what it finds: the second half shows that it would have."""
    folder = tmp_path / "home" / ".cache" / "numba"
    if place == "temporary":
        folder = tmp_path / "temporary" / f"semcom-{os.geteuid()}"
    folder.mkdir(parents=True, mode=0o700)
    home = {"HOME": str(tmp_path / "home")} if place == "home" else {}
    run(**home)
    touched = tmp_path / "touched"
    folder.chmod(0o777)
    _plant(_kept(folder), touched)
    assert run(**home).stdout == "42\n"
    assert not touched.exists()
    folder.chmod(0o700)
    assert run(**home).stdout == "42\n"
    assert touched.exists(), "what was planted does no harm: this test proves nothing"


@pytest.mark.parametrize("damage", [b"", b"\x80", b"garbage"])
def test_damaged_code_is_compiled_anew(run: Run, tmp_path: Path, damage: bytes) -> None:
    run()
    kept = _kept(tmp_path / "temporary")
    before = [file.read_bytes() for file in kept]
    for file in kept:
        file.write_bytes(damage)
    assert run().stdout == "42\n"
    assert [len(file.read_bytes()) for file in kept] == [len(data) for data in before]
    assert "compiling" not in run().stderr


def test_a_full_disk_costs_a_note(run: Run, tmp_path: Path) -> None:
    full = (
        "from numba.core.caching import IndexDataCacheFile\n"
        "def full(*_): raise OSError(28, 'No space left on device')\n"
        "IndexDataCacheFile._save_data = full\n"
    )
    done = run(full + WORK, HOME=str(tmp_path))
    assert done.stdout == "42\n"
    (note,) = [line for line in done.stderr.splitlines() if "cannot be cached" in line]
    assert note.startswith("compiled code cannot be cached (No space left on device), so every p")
