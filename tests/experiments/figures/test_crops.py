"""The figure of crops: what is shown is what arrived, and its numbers are those of the rows."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text

from experiments.figures.all_figures import draw
from experiments.figures.drawing import Drawing
from experiments.figures.parts.style import PAGE
from experiments.store.database import Database
from experiments.store.kept_pictures import decode, read
from experiments.store.study import read_results
from tests.experiments.conftest import Run

SUITE = """
images: a.png
segmenter: from_file:path=m.png
systems:
  blind: {blind: true}
  masks: {}
codec: jpeg2000
cbr: [1/6, 1/4]
pictures: 1
"""
SIZE = (48, 64)


@pytest.fixture
def made(run: Run) -> Run:
    """Run the suite and keep its pictures."""
    Path("small.yaml").write_text(SUITE, encoding="utf-8")
    result = run("run", "small.yaml", "--out", "out", "--jobs", "1")
    assert result.exit_code == 0, result.output
    return run


def crops_of(folder: str) -> list[Drawing]:
    study = read_results(Path(folder))
    drawings = draw(study, width=PAGE, pictures=Path(folder, "results.db"))
    return [one for one in drawings if one.data.name.startswith("crops")]


@pytest.mark.usefixtures("made")
def test_crops_are_cut_out_of_what_arrived_and_numbered_by_its_scores() -> None:
    study = read_results(Path("out"))
    (drawing,) = crops_of("out")
    assert drawing.data.name == "crops-cbr"
    rows = [dict(zip(drawing.data.columns, cells, strict=True)) for cells in drawing.data.rows]
    assert [(row["CBR"], row["system"]) for row in rows] == [
        ("1/6", "blind"),
        ("1/4", "blind"),
        ("1/6", "masks"),
        ("1/4", "masks"),
    ]
    scores = {row.task: row.outcomes[0]["scores"] for p in study.points for row in p.rows}
    shown = [image.get_array() for image in drawing.figure.findobj(AxesImage)]
    with Database(Path("out/results.db")) as database:
        for row in rows:
            assert row["region"] == scores[row["task"]]["region_psnr_db"]
            x, y, side = row["x"], row["y"], row["side"]
            assert 0 <= x <= x + side <= SIZE[1]
            assert 0 <= y <= y + side <= SIZE[0]
            received = np.asarray(decode(read(database, row["task"], "received")))
            crop = received[y : y + side, x : x + side]
            assert any(np.array_equal(crop, one) for one in shown)
    texts = {text.get_text(): text.get_fontweight() for text in drawing.figure.findobj(Text)}
    for ratio in ("1/6", "1/4"):
        values = [row["region"] for row in rows if row["CBR"] == ratio]
        assert texts[f"{max(values):.2f} dB"] == "bold"
        assert texts[f"{min(values):.2f} dB"] == "normal"


def test_at_a_single_place_the_systems_stand_side_by_side(made: Run) -> None:
    Path("one.yaml").write_text(SUITE.replace("[1/6, 1/4]", "1/6"), encoding="utf-8")
    assert made("run", "one.yaml", "--out", "one", "--jobs", "1").exit_code == 0
    (drawing,) = crops_of("one")
    boxes = [axes.get_position() for axes in drawing.figure.axes]
    assert len(boxes) == 3  # the original and two systems
    assert len({round(box.y0, 6) for box in boxes}) == 1


def test_a_damaged_picture_is_told_and_the_others_are_shown(made: Run) -> None:
    connection = sqlite3.connect("out/results.db")
    with connection:
        connection.execute(
            "UPDATE pictures SET data = zeroblob(9) WHERE kind = 'received' AND task = "
            "(SELECT task FROM pictures ORDER BY task LIMIT 1)"
        )
    connection.close()
    plotted = made("plot", "out", "--figures", "crops", "--formats", "png")
    assert plotted.exit_code == 1
    assert plotted.output.count("is damaged") == 1
    with Path("out/figures/crops-cbr.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 3
    assert Path("out/figures/crops-cbr.png").stat().st_size > 1000


def test_crops_of_a_disturbed_suite_stand_beside_what_was_seen(run: Run) -> None:
    Path("fog.yaml").write_text(SUITE + "disturbance: fog\n", encoding="utf-8")
    result = run("run", "fog.yaml", "--out", "fog", "--jobs", "1")
    assert result.exit_code == 0, result.output
    (drawing,) = crops_of("fog")
    shown = [image.get_array() for image in drawing.figure.findobj(AxesImage)]
    task = dict(zip(drawing.data.columns, drawing.data.rows[0], strict=True))["task"]
    with Database(Path("fog/results.db")) as database:
        seen, clean = (np.asarray(decode(read(database, task, k))) for k in ("seen", "original"))
    whole = [one for one in shown if one.shape[:2] == SIZE]
    assert any(np.array_equal(seen, one) for one in whole)
    assert not any(np.array_equal(clean, one) for one in whole)
    assert "beside the picture that the camera saw." in drawing.data.caption


def test_there_are_no_crops_where_nothing_was_sent(run: Run) -> None:
    Path("masks.yaml").write_text(SUITE + "disturbance: fog\nsent: nothing\n", encoding="utf-8")
    result = run("run", "masks.yaml", "--out", "masks", "--jobs", "1")
    assert result.exit_code == 0, result.output
    assert crops_of("masks") == []
