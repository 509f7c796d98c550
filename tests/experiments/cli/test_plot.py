"""``semcom plot`` on results that ``semcom run`` made."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from experiments.store.study import read_results

Run = Callable[..., Result]

SUITE = """
title: two images
images: [a.png, b.png]
segmenter: beside
systems:
  blind: {blind: true}
  masks: {theta: [0.5, 0.9]}
codec: jpeg2000
cbr: [1/6, 1/4]
pictures: 0
"""


@pytest.fixture
def made(run: Run) -> Run:
    """Run a small suite there; plot its results, and look at no image for it."""
    mask = Path("m.png").read_bytes()
    for name in "ab":
        Path(f"{name}_mask.png").write_bytes(mask)
    Path("small.yaml").write_text(SUITE, encoding="utf-8")
    result = run("run", "small.yaml", "--out", "out", "--jobs", "1")
    assert result.exit_code == 0, result.output
    for image in Path().glob("*.png"):
        image.unlink()
    return lambda *arguments: run("plot", *arguments)


def test_plot_writes_figures_numbers_and_tables(made: Run) -> None:
    result = made("out")
    assert result.exit_code == 0, result.output
    folder = Path("out/figures")
    names = {"rate-distortion", "region-background", "gain-cbr", "gain-theta", "scatter"}
    assert {path.stem for path in folder.glob("*.png")} == names
    kinds = {".png", ".pdf", ".svg", ".csv"}
    assert {path.suffix for path in folder.glob("gain-theta.*")} == kinds
    study = read_results(Path("out"))
    with (folder / "means.csv").open(encoding="utf-8", newline="") as file:
        means = {(line["CBR"], line["system"]): line for line in csv.DictReader(file)}
    assert len(means) == len(study.points) == 6
    for point in study.points:
        mean = point.mean("region_psnr_db")
        assert mean is not None
        line = means[point.setting.cbr, point.system]
        assert float(line["region"]) == mean
        assert f"{mean:.2f}" in result.stdout
    assert "masks, θ 0.9 against blind, at 10 dB" in result.stdout
    assert made("out/results.db", "--out", "again", "--figures", "gain").exit_code == 0
    again = [path for path in Path("again").iterdir() if path.name != "captions.md"]
    assert {path.stem for path in again if path.suffix == ".png"} == {"gain-cbr", "gain-theta"}
    assert all(path.read_bytes() == (folder / path.name).read_bytes() for path in again)


def test_plot_draws_what_is_asked_for(made: Run) -> None:
    result = made("out", "--out", "one", "--figures", "gain", "--formats", "svg", "--width", "page")
    assert result.exit_code == 0, result.output
    assert {path.name for path in Path("one").glob("*.svg")} == {"gain-cbr.svg", "gain-theta.svg"}
    assert not list(Path("one").glob("*.png"))
    inches = 7.16
    assert f'width="{72 * inches:g}pt"' in Path("one/gain-cbr.svg").read_text(encoding="utf-8")


def test_what_cannot_be_is_refused_in_one_line(made: Run) -> None:
    for arguments, message in (
        (("nowhere.db",), "nowhere.db"),
        (("out", "--suite", "other"), "choices: small"),
        (("out", "--formats", "gif"), "unknown format 'gif'; choices: png, pdf, svg"),
        (("out", "--figures", "outage"), "unknown figure 'outage'; choices: rate-distortion"),
        (("out", "--width", "wide"), "'column', 'page'"),
    ):
        result = made(*arguments)
        assert result.exit_code != 0
        assert message in result.output
    assert not Path("out/figures").exists()
