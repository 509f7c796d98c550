"""Names of files that are no UTF-8, from the image to the page."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from experiments.path_text import from_text, to_text
from experiments.store.database import Database
from experiments.store.study import read_results

Run = Callable[..., Result]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
FOLDER, IMAGE, SUITE = (os.fsdecode(name) for name in (b"d\xe9", b"im\xff.png", b"s\xe9.yaml"))
CONTENT = """
title: t
images: ["*.png"]
segmenter: beside
codec: jpeg
systems: {blind: {blind: true}, masks: {codec: "layered:base=jpeg"}}
cbr: 1/2
snr_db: [7, 10]
pictures: 2
"""


@pytest.fixture
def named(run: Run) -> Run:
    """Have images, masks and a suite of such names in a folder of such a name."""
    Path(FOLDER).mkdir()
    for name in ("b.png", IMAGE):
        shutil.move("a.png" if name == IMAGE else name, Path(FOLDER, name))
        shutil.copy("m.png", Path(FOLDER, f"{Path(name).stem}_mask.png"))
    for other in ("m.png", "ranks.png"):
        Path(other).unlink()
    Path(FOLDER, SUITE).write_text(CONTENT, encoding="utf-8")
    return run


def _fine(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


def test_a_suite_from_its_file_to_the_page(named: Run) -> None:
    suite = str(Path(FOLDER, SUITE))
    _fine(named("plan", suite))
    _fine(named("run", suite, "--jobs", "1"))
    (results,) = map(str, Path("semcom-runs").iterdir())
    assert results == f"semcom-runs/{Path(SUITE).stem}"
    study = read_results(Path(results))
    assert study.name == r"s\udce9"
    assert set(study.images.values()) == {r"d\udce9/b.png", r"d\udce9/im\udcff.png"}
    _fine(named("plot", results, "--formats", "svg"))
    assert r"d\udce9/im\udcff.png" in Path(results, "figures", "scatter.csv").read_text("utf-8")
    _fine(named("report", results))
    assert r"d\udce9/im\udcff.png" in Path(results, "report.html").read_text("utf-8")
    _fine(named("export", results, "--formats", "csv,json"))
    assert {file.name for file in Path(results, "export").iterdir()} == {
        "s_udce9.csv",
        "s_udce9-blind.json",
        "s_udce9-masks.json",
    }
    with Database(Path(results, "results.db")) as database:
        tasks = dict(database.query("SELECT image, task FROM rows"))
    assert len(tasks) == 2
    for task in tasks.values():
        assert "bit for bit" in _fine(named("repeat", results, task)).stdout
    for option in ([], ["--salvage"]):
        target = os.fsdecode(b"m\xe9%d.db" % len(option))
        _fine(named("merge", *option, target, f"{results}/results.db"))
        assert len(read_results(Path(target)).points) == 4
    assert "put aside as" in _fine(named("run", suite, "--fresh", "--jobs", "1")).stderr


@pytest.mark.parametrize(
    "chosen",
    [f"{FOLDER}/", f"{FOLDER}/*.png", f"{FOLDER}/{IMAGE}"],
    ids=["folder", "pattern", "file"],
)
def test_such_images_can_be_named_on_the_command_line(named: Run, chosen: str) -> None:
    changed = ("--set", f"images={chosen}", "--jobs", "1")
    _fine(named("run", f"{FOLDER}/{SUITE}", "--out", "out", *changed))
    names = set(read_results(Path("out")).images.values())
    other = set() if chosen.endswith(IMAGE) else {r"d\udce9/b.png"}
    assert names == {r"d\udce9/im\udcff.png"} | other


def test_a_task_that_fails_is_told_under_its_name(named: Run) -> None:
    Path(FOLDER, f"{Path(IMAGE).stem}_mask.png").write_bytes(b"no mask")
    result = named("run", f"{FOLDER}/{SUITE}", "--out", "out", "--jobs", "1")
    assert result.exit_code == 1
    assert r"im\udcff" in result.stderr
    assert r"im\udcff" in Path("out/run.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/a/b.png", "/ä/%41?.png", "relative", "", "file:/x", "kodak/"])
def test_what_is_utf8_stays_as_it_is(path: str) -> None:
    assert from_text(path) == path
    if path.startswith("/"):
        assert to_text(Path(path)) == path


def test_what_is_none_comes_back() -> None:
    path = Path("/a b", FOLDER, IMAGE)
    assert to_text(path) == "file:///a%20b/d%E9/im%FF.png"
    assert Path(from_text(to_text(path))) == path
