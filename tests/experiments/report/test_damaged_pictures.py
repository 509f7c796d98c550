"""The report where stored pictures are damaged: each names its row, and the rest stands."""

from __future__ import annotations

import io
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.report.viewer import build_viewer
from experiments.store.database import Database
from experiments.store.integrity import seal_of
from experiments.store.study import read_results
from tests.experiments.report.pages import Page, make, page


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four")
    return make(folder, cbr="1/2", channel="awgn", snr_db=10, draws=1, pictures=2)


@pytest.fixture
def small(four: Path, tmp_path: Path) -> Path:
    """Results of two images and two systems, a task each."""
    return Path(shutil.copy(four, tmp_path / "results.db"))


def _damage(path: Path, sql: str, *values: Any) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql, values)
    connection.commit()
    connection.close()


def _sealed(path: Path, task: str, kind: str, data: bytes) -> None:
    """Replace a picture as if it had been stored so."""
    sql = "UPDATE pictures SET data = ?, seal = ? WHERE task = ? AND kind = ?"
    _damage(path, sql, data, seal_of(task, kind, data), task, kind)


def _postscript() -> bytes:
    sink = io.BytesIO()
    PilImage.new("RGB", (64, 48)).save(sink, "EPS")
    return sink.getvalue()


@pytest.mark.parametrize("kind", ["original", "received", "region"])
@pytest.mark.parametrize("how", ["edited", "no picture", "another size", "PostScript", "empty"])
def test_a_damaged_picture_names_its_row_and_the_rest_stands(
    small: Path, tmp_path: Path, kind: str, how: str
) -> None:
    study = read_results(small)
    point, row = study.points[1], study.points[1].rows[0]
    if how == "edited":
        with Database(small) as database:
            sql = "SELECT data FROM pictures WHERE task = ? AND kind = ?"
            ((data,),) = database.query(sql, (row.task, kind))
        edited = bytes([*data[:-1], data[-1] ^ 1])
        sql = "UPDATE pictures SET data = ? WHERE task = ? AND kind = ?"
        _damage(small, sql, edited, row.task, kind)
    else:
        other = io.BytesIO()
        PilImage.new("RGB", (48, 64)).save(other, "WEBP", lossless=True)
        _sealed(
            small,
            row.task,
            kind,
            {
                "no picture": b"RIFF" + bytes(100),
                "another size": other.getvalue(),
                "PostScript": _postscript(),
                "empty": b"",
            }[how],
        )
    out = tmp_path / "page.html"
    done = CliRunner().invoke(main, ["report", str(small), "--out", str(out)])
    assert done.exit_code == 0, done.output
    named = f"{point.system}, {row.name} (task {row.task[:12]})"
    assert f"holds damaged pictures, which are left out: {named}" in done.stderr
    assert (
        f"Left out, because they are damaged in the results file: {named}."
        in Page(out.read_text(encoding="utf-8")).words
    )
    viewer = build_viewer(study, small)
    assert viewer is not None
    assert len(viewer.data["shots"]) == 3
    assert row.task[:12] not in {shot["task"] for shot in viewer.data["shots"]}
    assert len(viewer.data["images"]) == 2


def test_an_image_of_which_all_is_damaged_is_left_out(small: Path) -> None:
    study = read_results(small)
    for point in study.points:
        _sealed(small, point.rows[0].task, "original", b"")
    viewer = build_viewer(study, small)
    assert viewer is not None
    assert [image["name"] for image in viewer.data["images"]] == [study.points[0].rows[1].name]
    assert len(viewer.damaged) == 2
    assert viewer.notes == ["1 of 2 images"]


def test_without_a_picture_that_is_whole_the_page_stands(small: Path) -> None:
    _damage(small, "UPDATE pictures SET data = x'00'")
    words = page(small).words
    assert "Left out, because they are damaged in the results file: " in words
    assert "The results hold no pictures" not in words
    assert page(small).script("application/json") == []
    assert build_viewer(read_results(small), small, limit=1000) is not None
