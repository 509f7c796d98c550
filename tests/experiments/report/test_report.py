"""The report as text: whole, safe whatever it is about, and true to the results file."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.report.overview import systems, to_yaml
from experiments.report.viewer import build_viewer
from experiments.shell import path_word
from experiments.store.study import read_results
from experiments.suites.suite_file import read_suite
from tests.experiments.report.pages import EVIL, Page, make, page


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("evil"))


def stored(path: Path, task: str, kind: str) -> np.ndarray[Any, Any]:
    """Read a picture of the results file, without our reader."""
    connection = sqlite3.connect(path)
    sql = "SELECT data FROM pictures WHERE task LIKE ? AND kind = ?"
    ((data,),) = connection.execute(sql, (f"{task}%", kind))
    connection.close()
    return pixels(data)


def pixels(data: bytes, mode: str = "RGB") -> np.ndarray[Any, Any]:
    return np.asarray(PilImage.open(io.BytesIO(data)).convert(mode)).astype(float)


def test_the_command_writes_one_file_that_needs_nothing_else(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = CliRunner().invoke(main, ["report", str(results.parent), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert list(tmp_path.iterdir()) == [out]
    read = Page(out.read_text(encoding="utf-8"))
    links = [
        value or ""
        for tag, about in read.elements
        for name, value in about.items()
        if name in ("src", "href", "srcset", "data", "action")
    ]
    assert len(links) > 10
    assert {link.partition(":")[0] for link in links if not link.startswith("#")} == {"data"}
    assert not {tag for tag, _ in read.elements} & {"link", "iframe", "object", "base", "form"}
    assert not [name for _, about in read.elements for name in about if name.startswith("on")]
    assert not re.search(r"url\(|@import|fetch\(", out.read_text(encoding="utf-8"))


def test_the_policy_lets_only_our_script_act(results: Path) -> None:
    read = page(results)
    policy = next(a["content"] or "" for t, a in read.elements if "http-equiv" in a)
    (script,) = read.script(None)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_what_is_in_the_data_stays_text(results: Path) -> None:
    read = page(results)
    assert [about.get("type") for about, _ in read.scripts].count(None) == 1
    assert not [tag for tag, _ in read.elements if tag == "b"]
    for said in (f"Title {EVIL}", f"Question {EVIL}?", f"masks {EVIL}", "a</script>.png"):
        assert said in read.words
    data = json.loads(read.script("application/json")[0])
    assert data["systems"] == ["blind", f"masks {EVIL}"]
    assert {image["name"] for image in data["images"]} == {"a</script>.png", "a</b.png"}


def test_a_table_holds_its_numbers_in_full(results: Path) -> None:
    read = page(results)
    for name in ("means.csv", "a-figure.csv"):
        href = next(a["href"] for _, a in read.elements if a.get("download") == name)
        text = base64.b64decode((href or "").partition(",")[2]).decode()
        head, *rows = csv.reader(io.StringIO(text))
        assert head == ["name", EVIL, "c"]
        assert rows == [["a, b", "0.1", ""], [EVIL, "30", ""], ["1/16", "-2.5", "True"]]


def test_the_pictures_are_those_that_arrived(results: Path) -> None:
    study = read_results(results)
    viewer = build_viewer(study, results)
    assert viewer is not None
    assert viewer.notes == []
    shots = viewer.data["shots"]
    assert len(shots) == sum(len(point.rows) for point in study.points)
    for shot in shots:
        original = stored(results, shot["task"], "original")
        arrived = stored(results, shot["task"], "received")
        mse = ((original - arrived) ** 2).mean()
        assert shot["cells"][0] == pytest.approx(10 * np.log10(255**2 / mse))
        shown = pixels(viewer.pictures[shot["received"]])
        assert np.abs(shown - arrived).mean() < 6  # WebP at 85, of 64x48 pixels
        name = viewer.data["images"][shot["key"][0]]
        assert np.abs(pixels(viewer.pictures[name["original"]]) - original).mean() < 6
        error = np.minimum(4 * np.abs(original - arrived).mean(axis=2), 255)
        halved = error.reshape(24, 2, 32, 2).mean(axis=(1, 3))
        drawn = pixels(viewer.pictures[shot["error"]], "L")
        assert np.abs(drawn - halved).mean() < 8
        assert abs(drawn.mean() - halved.mean()) < 3


def test_scores_are_of_the_draw_that_is_seen_and_of_all(results: Path) -> None:
    study = read_results(results)
    viewer = build_viewer(study, results)
    assert viewer is not None
    this, mean, sent = viewer.data["groups"]
    assert [this["title"], mean["title"], sent["title"]] == [
        "this draw",
        "mean over the draws",
        "sent",
    ]
    rows = {row.task[:12]: row for point in study.points for row in point.rows}
    for shot in viewer.data["shots"]:
        row = rows[shot["task"]]
        seen = next(o for o in row.outcomes if o["draw"] == 0)["scores"]["psnr_db"]
        total = sum(o["count"] * o["scores"]["psnr_db"] for o in row.outcomes)
        assert shot["cells"][0] == seen
        assert shot["cells"][len(this["rows"])] == pytest.approx(total / 2)
        assert shot["cells"][-1] == f"{row.lost} of 2"


def test_pictures_are_kept_once_and_thinned_to_the_limit(results: Path) -> None:
    study = read_results(results)
    full = build_viewer(study, results)
    assert full is not None
    assert len({hashlib.sha256(data).digest() for data in full.pictures}) >= len(full.pictures) - 2
    size = sum(len(data) for data in full.pictures)
    less = build_viewer(study, results, limit=size // 2)
    assert less is not None
    assert len(less.data["systems"]) == 2
    assert 0 < sum(len(data) for data in less.pictures) < size
    assert less.notes
    assert "This page holds: " + "; ".join(less.notes) in page(results, limit=size // 2).words


def test_a_study_without_pictures_says_how_to_get_them(tmp_path: Path) -> None:
    path = make(tmp_path, pictures=0, cbr="1/2", channel="awgn", snr_db=10, draws=1)
    read = page(path)
    assert "pictures: 2" in read.words
    assert read.script("application/json") == []
    assert not [a for _, a in read.elements if a.get("id") == "split"]


def test_one_system_is_seen_beside_the_original(tmp_path: Path) -> None:
    path = make(tmp_path, systems={}, cbr="1/2", channel="awgn", snr_db=10, draws=1, pictures=1)
    study = read_results(path)
    viewer = build_viewer(study, path)
    assert viewer is not None
    assert (viewer.data["left"], viewer.data["right"]) == (0, -1)
    assert viewer.data["axes"] == []
    assert viewer.notes == ["1 of 2 images"]
    assert [group["title"] for group in viewer.data["groups"]] == ["", ""]


def test_failures_are_told_with_the_way_to_repeat_them(results: Path) -> None:
    read = page(results)
    study = read_results(results)
    assert study.failed
    assert f"{study.failed} tasks failed" in read.words
    assert "is too small for this 64x48 image" in read.words
    connection = sqlite3.connect(results)
    tasks = [task for (task,) in connection.execute("SELECT task FROM failures")]
    connection.close()
    for task in tasks:
        assert f"semcom repeat {path_word(results)} {task[:12]}" in read.words


def test_systems_are_told_apart_by_what_differs(results: Path) -> None:
    table, shared = systems(read_results(results))
    assert table.table.columns[:2] == ("system", "importance")
    assert [row[1].text for row in table.rows] == ["blind", "by importance"]
    assert dict(shared)["θ"] == "0.8"
    assert dict(shared)["SNR"] == "4 dB, 10 dB"


def test_the_suite_in_the_page_is_the_suite(results: Path, tmp_path: Path) -> None:
    study = read_results(results)
    saved = tmp_path / "again.yaml"
    saved.write_text(to_yaml(study.suite), encoding="utf-8")
    assert json.loads(read_suite(saved).model_dump_json()) == study.suite


def test_the_same_results_give_the_same_page(results: Path) -> None:
    assert page(results).text == page(results).text
