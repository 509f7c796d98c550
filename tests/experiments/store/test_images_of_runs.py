"""Whose images a table is of: those of one run, each with its mask."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image as PilImage

from experiments.report.overview import making
from experiments.report.viewer import build_viewer
from experiments.store.study import read_results

Run = Callable[..., Result]
SUITE = """
title: masks
images: one/
segmenter: beside
codec: jpeg2000
systems:
  blind: {blind: true}
  masks: {theta: 0.8}
cbr: 1/4
snr_db: 13
"""


def _mask(path: str, left: int) -> None:
    mask = PilImage.new("L", (64, 48))
    mask.paste(255, (left, 8, left + 20, 40))
    mask.save(path)


@pytest.fixture
def folders(run: Run) -> Run:
    """Have a.png in one/ and b.png in two/, and twice/ with a.png under two names and masks."""
    for folder in ("one", "two", "twice"):
        Path(folder).mkdir()
    shutil.copy("a.png", "one/a.png")
    _mask("one/a_mask.png", 4)
    shutil.copy("b.png", "two/b.png")
    _mask("two/b_mask.png", 30)
    for name, left in (("first", 4), ("second", 40)):
        shutil.copy("a.png", f"twice/{name}.png")
        _mask(f"twice/{name}_mask.png", left)
    Path("s.yaml").write_text(SUITE, encoding="utf-8")
    return run


def _run(run: Run, images: str, *more: str, out: str = "out") -> Result:
    command = ("run", "s.yaml", "--out", out, "--jobs", "1", "--set", f"images={images}")
    result = run(*command, *more)
    assert result.exit_code == 0, result.output
    return result


def _column(path: str, name: str) -> list[str]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [line[name] for line in csv.DictReader(file)]


# One file, several runs


def test_figures_and_tables_are_of_the_run_that_is_looked_at(folders: Run) -> None:
    for images, name in (("one/", "one/a.png"), ("two/", "two/b.png"), ("one/", "one/a.png")):
        _run(folders, images)
        plotted = folders("plot", "out", "--formats", "svg")
        assert plotted.stdout.split()[:5] == ["means", "of", "1", "image", "CBR"]
        assert f"images 1: {name}" in plotted.stderr
        folders("export", "out")
        assert set(_column("out/export/s.csv", "image")) == {name}
        assert list(read_results(Path("out")).images.values()) == [name]
    assert "not shown: 1 other image of other runs" in plotted.stderr
    assert f"images 1: {name}" in Path("out/figures/captions.md").read_text(encoding="utf-8")


def test_the_union_and_other_runs_are_shown_by_name_alone(folders: Run) -> None:
    _run(folders, "one/")
    first = read_results(Path("out"))
    _run(folders, "two/")
    union = folders("plot", "out", "--all-images", "--formats", "svg")
    assert "means of 2 images" in union.stdout
    assert "images 2: one/a.png, two/b.png" in union.stderr
    assert "not shown" not in union.stderr
    assert read_results(Path("out"), run=first.run[:6]).points == first.points
    assert "images 1: one/a.png" in folders("plot", "out", "--run", first.run).stderr
    refused = folders("plot", "out", "--run", "nothing")
    assert refused.exit_code == 1
    assert "holds no run 'nothing'; choices: " in refused.stderr
    assert f"{first.run[:8]} (s, {first.started})" in refused.stderr
    page = folders("report", "out", "--all-images", "--out", "page.html")
    assert page.exit_code == 0
    assert "2: one/a.png, two/b.png" in Path("page.html").read_text(encoding="utf-8")


def test_means_are_those_of_the_images_alone(folders: Run) -> None:
    """A run in a file with other images is the run in a file of its own."""
    _run(folders, "one/")
    _run(folders, "two/")
    _run(folders, "two/", out="alone")
    mixed, alone = read_results(Path("out")), read_results(Path("alone"))
    assert mixed.points == alone.points
    assert (mixed.others, alone.others) == (1, 0)


def test_merged_files_keep_the_images_of_their_runs(folders: Run) -> None:
    _run(folders, "one/", out="x")
    _run(folders, "two/", out="y")
    folders("merge", "all.db", "x/results.db", "y/results.db")
    runs = {name: read_results(Path(name)) for name in ("x", "y")}
    for one in runs.values():
        assert read_results(Path("all.db"), run=one.run).points == one.points
    assert len(read_results(Path("all.db"), all_images=True).images) == 2


def test_an_image_has_the_name_that_the_run_knew(folders: Run) -> None:
    Path("copy").mkdir()
    for name in ("a.png", "a_mask.png"):
        shutil.copy(f"one/{name}", f"copy/{name.replace('a', 'other', 1)}")
    _run(folders, "one/")
    _run(folders, "[copy/, two/]")
    study = read_results(Path("out"))
    assert list(study.images.values()) == ["copy/other.png", "two/b.png"]
    (first,) = [r.name for r in read_results(Path("out"), all_images=True).points[0].rows][:1]
    assert first == "copy/other.png"


def test_a_run_without_rows_says_where_there_are_some(folders: Run) -> None:
    _run(folders, "one/")
    failed = folders("run", "s.yaml", "--out", "out", "--jobs", "1", "--set", "cbr=1/9999")
    assert failed.exit_code == 1
    assert "has no rows yet" in folders("plot", "out").stderr


def test_a_run_that_is_not_done_says_how_far_it_is(folders: Run) -> None:
    PilImage.new("L", (5, 5), 255).save("two/b_mask.png")
    folders("run", "s.yaml", "--out", "out", "--jobs", "1", "--set", "images=[one/, two/]")
    plotted = folders("plot", "out", "--formats", "svg")
    assert "images 2 (1 with results): one/a.png, two/b.png" in plotted.stderr
    assert "means of 1 image" in plotted.stdout


def test_failures_are_those_of_the_run(folders: Run) -> None:
    PilImage.new("L", (5, 5), 255).save("two/b_mask.png")
    folders("run", "s.yaml", "--out", "out", "--jobs", "1", "--set", "images=two/")
    _run(folders, "one/")
    study = read_results(Path("out"))
    assert study.failed == 0
    assert making(study, Path("out/results.db")).failures is None
    assert read_results(Path("out"), run=study.run).failed == 0


def test_intervals_belong_to_the_images_that_they_are_of(folders: Run) -> None:
    draws = ("--set", "channel=rayleigh", "--set", "draws={most: 4, first: 2, within: 0.01}")
    _run(folders, "one/", *draws)
    _run(folders, "two/", *draws)
    with closing(sqlite3.connect("out/results.db")) as connection:
        sets = connection.execute("SELECT DISTINCT suite, image_set, images FROM intervals")
        assert len(sets.fetchall()) == 2
        runs = connection.execute("SELECT suite, image_set FROM runs").fetchall()
    assert len(set(runs)) == 2


# One image, several masks


def test_one_picture_with_two_masks_is_compared_mask_by_mask(folders: Run) -> None:
    """The gain is the difference of the means, and that of the masks on their own."""
    _run(folders, "twice/")
    for name in ("first", "second"):
        _run(folders, f"twice/{name}.png", out=name)
    folders("plot", "out", "--formats", "svg")
    (gain,) = map(float, _column("out/figures/gains.csv", "region, dB"))
    blind, masks = map(float, _column("out/figures/means.csv", "region"))
    assert gain == pytest.approx(masks - blind)
    alone = []
    for name in ("first", "second"):
        folders("plot", name, "--formats", "svg")
        alone += map(float, _column(f"{name}/figures/gains.csv", "region, dB"))
    assert alone[0] != pytest.approx(alone[1], abs=0.1)
    assert gain == pytest.approx(sum(alone) / 2)
    names = ["twice/first.png with first_mask.png", "twice/second.png with second_mask.png"]
    assert _column("out/figures/scatter.csv", "image") == names


def test_rows_of_one_picture_say_which_mask_they_are_of(folders: Run) -> None:
    systems = "systems={blind: {blind: true}, masks: {}, found: {segmenter: graph}}"
    _run(folders, "twice/", "--set", systems)
    folders("export", "out")
    tasks = _column("out/export/s.csv", "task")
    assert len(tasks) == len(set(tasks)) == 5  # what takes no mask was done once
    images = _column("out/export/s.csv", "image")
    masks = _column("out/export/s.csv", "mask_sha256")
    assert images[-1] == "twice/first.png"
    assert images[:2] == images[2:4]
    assert masks[-1] == ""
    assert len(set(masks)) == 3
    study = read_results(Path("out"))
    names = list(study.images.values())
    viewer = build_viewer(study, Path("out/results.db"))
    assert viewer is not None
    assert [image["name"] for image in viewer.data["images"]] == names
    assert len(viewer.data["shots"]) == 6  # every system is seen beside each mask
    for task in tasks:
        assert "bit for bit" in folders("repeat", "out", task).stdout


def test_what_takes_no_mask_counts_for_each_and_was_drawn_once(folders: Run) -> None:
    systems = "systems={masks: {}, found: {segmenter: graph}}"
    fading = ("--set", "channel=rayleigh", "--set", "draws=6", "--set", systems)
    _run(folders, "twice/", *fading)
    masks, found = read_results(Path("out")).points
    assert [len(p.rows) for p in (masks, found)] == [2, 2]
    assert [len(p.tasks) for p in (masks, found)] == [2, 1]
    _run(folders, "twice/first.png", *fading, out="alone")
    alone = read_results(Path("alone")).points[1]
    assert found.mean("ssim") == alone.mean("ssim")
    for score in ("ssim", "lost"):
        assert found.interval(score) == alone.interval(score)


def test_a_failure_is_told_under_its_own_name(folders: Run) -> None:
    """Also where another image has the same content."""
    PilImage.new("L", (5, 5), 255).save("twice/second_mask.png")
    failed = folders("run", "s.yaml", "--out", "out", "--jobs", "1", "--set", "images=twice/")
    assert failed.exit_code == 1
    (line,) = [line for line in failed.stderr.splitlines() if "5x5" in line]
    assert line.startswith("twice/second.png: ")
    study = read_results(Path("out"))
    told = making(study, Path("out/results.db")).failures
    assert told is not None
    assert {row[1] for row in told.table.rows} == {"twice/second.png with second_mask.png"}
    assert study.failed == 2


def test_copies_are_taken_once_and_told(folders: Run) -> None:
    for name in ("first", "first_mask"):
        shutil.copy(f"twice/{name}.png", f"twice/{name.replace('first', 'third')}.png")
    plan = folders("plan", "s.yaml", "--out", "new", "--set", "images=twice/")
    assert "copies of other images count once: twice/third.png" in plan.stderr
    assert plan.stdout.split()[1:3] == ["images", "2,"]
    # Without masks in it, pictures that differ in their mask alone are copies, too.
    plain = ("--set", "images=twice/", "--set", "segmenter=graph")
    plan = folders("plan", "s.yaml", "--out", "new", *plain)
    assert "twice/second.png differs from twice/first.png only in its mask" in plan.stderr
    result = _run(folders, "twice/", "--set", "segmenter=graph", out="new")
    assert "2 rows in" in result.stderr


def test_json_names_one_run(folders: Run) -> None:
    _run(folders, "one/")
    _run(folders, "two/")
    folders("export", "out", "--formats", "json")
    content: dict[str, Any] = json.loads(Path("out/export/s-masks.json").read_text())
    assert "mean over 1 image," in content["description"]
    assert content["results"]["images"] == [1]
