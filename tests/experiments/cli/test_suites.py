"""Run, export and repeat, as a user calls them."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from experiments.datasets.items import find_items
from experiments.running.unit import Job, Unit
from experiments.running.worker import work
from experiments.store.integrity import seal_of
from experiments.store.study import read_results
from experiments.suites.setting import Setting
from tests.experiments.cli.studying import Run, query, tamper


def test_a_second_run_does_nothing_and_says_so(done: Run) -> None:
    before = Path("out/results.db").read_bytes()
    result = done("run", "s.yaml", "--out", "out", "--jobs", "1")
    assert "nothing to do: all 16 tasks are done" in result.stderr
    assert len(query("SELECT * FROM rows")) == 16
    assert before  # and the file is still one
    assert len(read_results(Path("out")).points) == 8


def test_the_rows_are_what_send_gives(done: Run) -> None:
    """A row of a suite is the delivery that ``semcom send`` makes with the same settings."""
    options = ["--mask", "beside", "--codec", "jpeg", "--blind", "--cbr", "1/3", "--snr-db", "7"]
    sent = done("send", "b.png", *options, "--json", "--out", "sent")
    record = json.loads(sent.stdout)
    (point,) = [
        p for p in read_results(Path("out")).select(cbr="1/3", snr_db=7.0) if p.setting.blind
    ]
    (row,) = [row for row in point.rows if row.name.endswith("b.png")]
    for name in ("sha256", "scheme", "num_bits", "num_uses", "accounting"):
        assert row.record[name] == record[name], name
    for name in ("psnr_db", "region_psnr_db", "theta_psnr_db"):
        assert row.mean(name) == record[name]


def test_fresh_puts_the_old_results_aside(done: Run) -> None:
    again = done("run", "s.yaml", "--out", "out", "--jobs", "1", "--fresh", "--set", "cbr=1/4")
    assert again.exit_code == 0
    assert len(query("SELECT * FROM rows")) == 8
    (kept,) = Path("out").glob("results-*.db")
    assert len(query("SELECT * FROM rows", str(kept))) == 16


def test_a_row_is_repeated_bit_for_bit(done: Run) -> None:
    ((task,),) = query("SELECT task FROM rows ORDER BY task LIMIT 1")
    result = done("repeat", "out", task[:10])
    assert result.exit_code == 0
    assert "the same, bit for bit" in result.stdout


def test_a_row_that_is_not_the_same_is_told(done: Run) -> None:
    ((task, text),) = query("SELECT task, outcomes FROM rows ORDER BY task LIMIT 1")
    other = text.replace('"packets_received": ', '"packets_received": 4')
    assert other != text
    tamper(f"task = '{task}'", other)
    result = done("repeat", "out/results.db", task[:10])
    assert result.exit_code == 1
    assert "outcomes[0].packets_received is 1, recorded as 41" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["out", "fff"], "4 or more hexadecimal digits"),
        (["out", "zzzzz"], "4 or more hexadecimal digits"),
        (["out", "0" * 40], "holds no task"),
        (["none.db", "abcdef"], "no such results file"),
        (["s.yaml", "abcdef"], "not a results file of semcom"),
        (["out.json"], "out.json: no such file"),
        (["out"], "needs the id of a TASK"),
    ],
)
def test_what_cannot_be_repeated_is_refused(
    done: Run, arguments: list[str], complaint: str
) -> None:
    result = done("repeat", *arguments)
    assert result.exit_code != 0
    assert complaint in result.stderr


def test_an_image_that_has_changed_is_not_repeated(done: Run) -> None:
    ((task,),) = query(
        "SELECT task FROM rows JOIN images ON image = id WHERE path LIKE '%a.png' LIMIT 1"
    )
    shutil.move("a.png", "moved.png")
    assert "with --image" in done("repeat", "out", task).stderr
    assert "with --image" in done("repeat", "out", task, "--image", "b.png").stderr
    shutil.copy("m.png", "moved_mask.png")
    assert done("repeat", "out", task, "--image", "moved.png").exit_code == 0


def test_a_record_of_send_is_repeated(suite: Run) -> None:
    suite(
        "send",
        "a.png",
        "--mask",
        "m.png",
        "--cbr",
        "1/3",
        "--codec",
        "jpeg",
        "--out",
        "x",
        "--channel",
        "rayleigh",
        "--snr-db",
        "20",
        "--seed",
        "5",
    )
    assert "bit for bit" in suite("repeat", "x/a.json").stdout
    record = json.loads(Path("x/a.json").read_text())
    Path("x/b.json").write_text(json.dumps({**record, "seed": 6, "psnr_db": 1.0}))
    result = suite("repeat", "x/b.json")
    assert result.exit_code == 1
    assert "psnr_db is" in result.stdout


def test_export_writes_what_the_study_says(done: Run) -> None:
    result = done("export", "out", "--formats", "csv,json,parquet")
    assert result.exit_code == 0
    study = read_results(Path("out"))
    with Path("out/export/s.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 16
    known = {row.task: (p, row) for p in study.points for row in p.rows}
    for line in lines:
        point, row = known[line["task"]]
        assert line["system"] == point.system
        assert float(line["psnr_db"]) == row.mean("psnr_db")
        uses = sum(float(v) for name, v in line.items() if name.startswith("uses_"))
        assert uses == float(line["num_uses"])
    polars = pytest.importorskip("polars", reason="needs the extra parquet")
    frame = polars.read_parquet("out/export/s.parquet")
    assert frame["psnr_db"].to_list() == [float(line["psnr_db"]) for line in lines]


def test_export_to_compressai_has_a_line_per_system(done: Run) -> None:
    done("export", "out", "--formats", "json")
    content = json.loads(Path("out/export/s-blind.json").read_text())
    ours = {"source", "obtained", "dataset", "channel", "bound"}  # as in paper-*.json
    assert set(content) == {"name", "description", "results"} | ours  # CompressAI's come first
    results = content["results"]
    assert results["snr_db"] == [7, 7, 10, 10]
    study = read_results(Path("out"))
    means = [
        study.select(cbr=c, snr_db=s, blind=True)[0] for s in (7.0, 10.0) for c in ("1/4", "1/3")
    ]
    assert results["psnr-rgb"] == [point.mean("psnr_db") for point in means]
    pixels = 64 * 48
    bits = [np.mean([row.record["num_bits"] for row in point.rows]) for point in means]
    assert results["bpp"] == pytest.approx([b / pixels for b in bits])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--formats", "xml"], "unknown format 'xml'; choices: parquet, csv, json"),
        (["--suite", "t"], "holds no suite 't'; choices: s"),
    ],
)
def test_export_refuses(done: Run, arguments: list[str], complaint: str) -> None:
    result = done("export", "out", *arguments)
    assert result.exit_code == 1
    assert complaint in result.stderr


def test_an_image_that_fails_is_told_and_the_others_are_done(suite: Run) -> None:
    """A mask of the wrong size fails its tasks alone; when it is mended, --retry does them."""
    PilImage.new("L", (20, 20), 255).save("b_mask.png")
    first = suite("run", "s.yaml", "--out", "out", "--jobs", "1")
    assert first.exit_code == 1
    assert "8 of 16 tasks failed" in first.stderr
    assert "(and 7 more tasks); to repeat: semcom repeat out/results.db" in first.stderr
    assert len(query("SELECT * FROM rows")) == 8
    ((task,),) = query("SELECT task FROM failures LIMIT 1")
    assert "20x20" in suite("repeat", "out", task[:12]).stderr
    again = suite("run", "s.yaml", "--out", "out", "--jobs", "1")
    assert "8 of 16 tasks failed" in again.stderr
    assert "InputError" in Path("out/run.log").read_text()


@pytest.mark.usefixtures("suite")
def test_a_file_that_changes_after_planning_fails_its_tasks() -> None:
    """A row's id is the hash of its files: other content must not go under it."""
    (item,) = find_items(["a.png"], Path())
    setting = Setting(segmenter="beside", codec="jpeg", cbr="1/3")
    assert not work(Unit(item, (Job(setting, 0, 1),)))[0].error
    shutil.copy("ranks.png", "a_mask.png")
    again = dataclasses.replace(setting, theta=0.8)  # not seen before
    (made,) = work(Unit(item, (Job(again, 0, 1),)))
    assert "a_mask.png has changed since" in made.error
    Path("a.png").unlink()
    other = dataclasses.replace(item, mask_sha256="")
    assert "no such file on" in work(Unit(other, (Job(again, 0, 1),)))[0].error


def test_segmenters_are_scored_on_the_true_masks_if_one_asks(suite: Run) -> None:
    """A segmenter that finds everything is still scored where the true mask is."""
    changes = ["--set", "segmenter=whole_image", "--set", "scored=[own, beside]"]
    suite("run", "s.yaml", "--out", "out", "--jobs", "1", *changes, "--set", "images=a.png")
    points = read_results(Path("out")).points
    areas = {p.setting.scored: p.rows[0].mean("region_area") for p in points}
    assert areas["own"] == 1
    assert areas["beside"] == pytest.approx(16 * 24 / (48 * 64))


def test_a_file_from_elsewhere_writes_where_it_is_told_and_nothing_that_acts(done: Run) -> None:
    """Names in it may be anybody's, and its seals are no signature."""
    evil = "=HYPERLINK(1)/../../../evil"
    for table, column in (("suites", "name"), ("members", "system"), ("image_sets", "name")):
        for identity, *row in query(f"SELECT rowid, * FROM {table}"):
            names = [name for _, name, *_ in query(f"PRAGMA table_info({table})")]
            row[names.index(column)] = f"{evil} {row[names.index(column)]}"
            values = (f"{column} = '{row[names.index(column)]}', seal = {seal_of(*row[:-1])}",)
            query(f"UPDATE {table} SET {values[0]} WHERE rowid = {identity}")
    Path("inner").mkdir()
    before = {path for path in Path().rglob("*") if Path("inner") not in path.parents}
    above = set(Path("..").iterdir())
    assert done("export", "out", "--out", "inner/export").exit_code == 0
    assert done("plot", "out", "--out", "inner/figures", "--formats", "svg").exit_code == 0
    assert done("report", "out", "--out", "inner/page.html").exit_code == 0
    after = {path for path in Path().rglob("*") if Path("inner") not in path.parents}
    assert {path for path in after - before if "results.db" not in path.name} == set()
    assert set(Path("..").iterdir()) == above
    files = list(Path("inner/export").iterdir())
    assert len(files) == 3
    for file in (*Path("inner").rglob("*.csv"),):
        with file.open(newline="", encoding="utf-8") as stream:
            cells = [cell for line in csv.reader(stream) for cell in line]
        assert not [cell for cell in cells if cell.startswith("=")]
    assert f"'{evil}" in Path("inner/figures/means.csv").read_text(encoding="utf-8")
