"""``semcom send`` where files are odd, not images, or cannot be written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as PilImage

from tests.experiments.cli.sending import ROOT, Semcom, error_of, records_of, send_quickly


def test_a_full_disk_names_each_file_and_leaves_nothing_half(
    semcom: Semcom, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("b.png").write_bytes(Path("a.png").read_bytes())
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> None:
        write(self, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    result = send_quickly(semcom, images=("a.png", "b.png"))
    said = error_of(result)
    for name in "ab":  # the figure is drawn while the picture is written
        file = rf"{Path('semcom-out', name)}_(received|figure)\.png"
        assert re.search(rf"{name}\.png: {file} cannot be written: No space left on device", said)
    assert not list(Path("semcom-out").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_only_looks_like_an_image_does_not_stop_the_others(semcom: Semcom) -> None:
    for name in ("photos", "empty", "photos/folder.png"):
        Path(name).mkdir()
    long = "n" * 251  # as long as names may be, so that nothing can be written behind it
    for name in ("photos/b.png", f"photos/{long}.png", "photos/._b.png"):
        Path(name).write_bytes(Path("a.png").read_bytes())
    os.mkfifo("photos/fifo.png")
    for name, target in (("zero", "/dev/zero"), ("loop", "loop.png"), ("gone", "nope.png")):
        Path("photos", f"{name}.png").symlink_to(target)
    result = send_quickly(semcom, images=("photos", "empty", f"{'x' * 300}.png", "a.png"))
    assert result.exit_code == 1
    error = error_of(result)
    assert "Error: photos/fifo.png: is a FIFO, not a file\n" in error
    assert "Error: photos/zero.png: is a device, not a file\n" in error
    assert "Error: photos/loop.png: is a link that leads back to itself\n" in error
    assert "Error: photos/gone.png: is a broken link\n" in error
    assert "Error: empty: no images in this folder\n" in error
    assert "xxx.png: its name is too long\n" in error
    assert error.endswith("Error: 6 images could not be sent")
    written = sorted(Path("semcom-out").glob("*_received.png"))
    assert [path.name[:3] for path in written] == ["a_r", "b_r", "nnn"]


def test_what_cannot_be_written_does_not_stop_the_others(semcom: Semcom) -> None:
    PilImage.open("a.png").save("b.png")
    Path("out/a_figure.png").mkdir(parents=True)
    result = send_quickly(semcom, "--out", "out", images=("a.png", "b.png"))
    assert "a_figure.png" in error_of(result)
    assert Path("out/b_figure.png").is_file()


def test_inputs_are_never_written_over(semcom: Semcom) -> None:
    for image, name in (("a.png", "a_received.png"), ("a.png", "a_figure.png")):
        PilImage.open("a.png").save(name)
        before = Path(name).read_bytes()
        error = error_of(send_quickly(semcom, "--out", ".", images=(image, name)))
        assert f"{name} is an input and would be overwritten: change --out" in error
        assert Path(name).read_bytes() == before
    mask = Path("a.json")
    mask.write_text(json.dumps({"segmentation": [[4, 4, 30, 4, 30, 30]]}), encoding="utf-8")
    assert "a.json is an input" in error_of(send_quickly(semcom, "--mask", "a.json", "--out", "."))
    assert "segmentation" in mask.read_text(encoding="utf-8")
    assert send_quickly(semcom, "--out", ".").exit_code == 0  # nothing is in the way


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_an_output_that_cannot_be_written_is_said_in_a_sentence() -> None:
    command = [sys.executable, "-c", "from experiments.cli.main import main; main(['list'])"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    "name",
    ["[red]x.png", "y].png", ":car:.png", "with space.png", "ä.png", "mask$$1.png", "$x_{.png"],
)
def test_file_names_are_taken_literally(semcom: Semcom, name: str) -> None:
    folder = Path("q[")  # with y].png a closing tag of rich's markup
    folder.mkdir()
    PilImage.open("a.png").save(folder / name)
    result = send_quickly(semcom, images=(f"q[/{name}",))
    assert result.exit_code == 0
    assert f"q[/{name}" in result.stdout
    assert (Path("semcom-out") / name).with_suffix(".json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_name_that_is_no_utf_8_is_escaped(semcom: Semcom) -> None:
    name = os.fsdecode(b"\xff.png")
    Path(name).write_bytes(Path("a.png").read_bytes())
    assert records_of(send_quickly(semcom, "--json", images=(name,)))[0]["image"] == name
    written = Path("semcom-out", os.fsdecode(b"\xff.json")).read_bytes()
    assert json.loads(written.decode("ascii"))["image"] == name
    assert "\\udcff.png" in send_quickly(semcom, images=(name,)).stdout


def test_a_pipe_without_greek_letters_is_enough(semcom: Semcom, tmp_path: Path) -> None:
    del semcom
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-c", "from experiments.cli.main import main; main(['list'])"]
        environment = os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONPATH": str(ROOT)}
        subprocess.run(command, env=environment, check=True, stdout=log)
    assert b"\\u03b8" in (tmp_path / "log").read_bytes()
