"""Suites with scores that are computed only on demand."""

from __future__ import annotations

import json

import pytest

from experiments import read_results
from experiments.analysis.all_tables import tables
from experiments.analysis.bd_rate import bd_rates
from experiments.analysis.export import flat_rows
from experiments.analysis.formats.sheets import sheets
from experiments.analysis.gains import gain, pairs
from experiments.analysis.needed_bandwidth import needed
from experiments.analysis.points import prepare
from experiments.cli.main import main
from experiments.figures.all_figures import draw
from experiments.running.runner import run
from experiments.store.database import Database
from experiments.suites.setting import Setting
from semcom.scores.base import opened
from tests.experiments.figures.studies import CBRS, point, study
from tests.experiments.suites.disturbing import rows, suite
from tests.semcom.scores.test_plugin_scores import ODD, PYPROJECT

SCORES = ["psnr_db", "gmsd", "mask_iou"]


def test_they_enter_the_settings_and_nothing_else_does(folder):
    plain = [setting for _, setting in suite(folder).settings()]
    shown = [setting for _, setting in suite(folder, scores=["ssim", "lost"]).settings()]
    assert [one.id for one in plain] == [one.id for one in shown]
    (more,) = (setting for _, setting in suite(folder, scores=SCORES).settings())
    assert more.further_scores == "gmsd,mask_iou"
    assert more.also == ("gmsd", "mask_iou")
    assert more.id != plain[0].id
    assert Setting.of(more.about()) == more
    drawn = suite(folder, draws={"most": 8, "within": 0.1, "score": "gmsd"}, channel="rayleigh")
    assert {setting.also for _, setting in drawn.settings()} == {("gmsd",)}


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (["gmds"], "unknown score 'gmds'; choices: .*gmsd"),
        (["fsim:over=x"], "over must be one of"),
        (["lost", "mask_iou:against=x"], "against must be one of"),
    ],
)
def test_what_no_score_is_called_is_refused(folder, scores, message):
    with pytest.raises(ValueError, match=message):
        suite(folder, scores=scores)


@pytest.fixture(scope="module")
def measured(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("further") / "out"
    systems = {"blind": {"blind": True}, "by importance": {}}
    about = {"systems": systems, "codec": "jpeg2000", "cbr": ["1/48", "1/24", "1/12", "1/6"]}
    run(suite(folder, scores=SCORES, **about), out, say=lambda *_: None)
    return out


def test_they_are_measured_shown_and_exported(measured):
    found = [scores for _, _, scores in rows(measured)]
    assert len(found) == 8
    assert all(0 < one["gmsd"] < 1 and 0 <= one["mask_iou"] <= 1 for one in found)
    results = read_results(measured)
    by_name = {table.name: table for table in tables(results)}
    assert by_name["means"].scores == ("PSNR", "GMSD ↓", "mask IoU")
    assert "lower is better" in by_name["means"].caption
    assert "GMSD ↓" in by_name["gains"].columns
    assert {"GMSD ↓", "mask IoU"} <= {row[4] for row in by_name["bd-rate"].rows}
    assert {"gmsd", "mask_iou"} <= next(iter(flat_rows(results))).keys()
    names = {drawing.data.name for drawing in draw(results, width=4)}
    assert "rate-distortion" in names
    assert "needed-bandwidth" in names


def test_the_best_of_a_score_of_errors_is_the_lowest(measured):
    (sheet, *_) = sheets(tables(read_results(measured)))
    column = sheet.head.index("GMSD ↓")
    for cbr in {row[0] for row in sheet.rows}:
        some = [i for i, row in enumerate(sheet.rows) if row[0] == cbr]
        lowest = min(some, key=lambda i: float(sheet.rows[i][column]))
        assert (lowest, column) in sheet.best


def test_a_delivery_is_repeated_with_them(measured, run):
    with Database(measured / "results.db") as database:
        ((task, outcomes),) = database.query("SELECT task, outcomes FROM rows LIMIT 1")
    assert "gmsd" in json.loads(outcomes)[0]["scores"]
    result = run("repeat", str(measured), task[:12])
    assert result.exit_code == 0, result.output
    assert "the same, bit for bit" in result.output


def test_nan_is_a_failure_and_no_mean(folder, tmp_path, install):
    install(PYPROJECT, ODD)
    opened.cache_clear()
    made = suite(folder, scores=["psnr_db", "odd:gives=nan"])
    assert run(made, tmp_path / "out", jobs=1, say=lambda *_: None).failed == 1
    assert rows(tmp_path / "out") == []
    with Database(tmp_path / "out" / "results.db") as database:
        ((error,),) = database.query("SELECT error FROM failures")
    assert error == "score 'odd:gives=nan' gave nan, which is not in 0 to 1"
    opened.cache_clear()


def _line(system, factor, **more):
    """Return a system over bandwidth of which GMSD falls as the bandwidth grows."""
    return [
        point(
            system,
            {"a": [{"psnr_db": 20.0 + i, "gmsd": 0.1 - 0.02 * i, "codes": min(1.0, 0.31 * i)}]},
            cbr=str(factor * i_cbr),
            further_scores="codes,gmsd",
            **more,
        )
        for i, i_cbr in enumerate((0.02, 0.04, 0.08, 0.16))
    ]


def test_bandwidth_at_equal_error_has_the_same_sign_as_at_equal_quality():
    blind, steered = _line("blind", 1, blind=True), _line("by importance", 0.5)
    for score in ("psnr_db", "gmsd"):
        rate = bd_rates(blind, steered, score)
        assert rate is not None
        assert rate.rate == pytest.approx(-0.5)
    assert (rate.low, rate.high) == pytest.approx((0.04, 0.1))


def test_the_bandwidth_that_a_task_needs():
    """Codes go from 0.62 to 0.93 between 0.08 and 0.16, and at half of it for the other system."""
    between = 2 ** ((0.9 - 0.62) / 0.31)
    points = [*_line("blind", 1, blind=True), *_line("by importance", 0.5)]
    made = prepare(study(points, scores=["codes", "gmsd"], anchor="blind"))
    found = {one.system: one for one in needed(made)}
    assert found["blind"].cbr == pytest.approx(0.08 * between)
    assert found["by importance"].cbr == pytest.approx(0.04 * between)
    assert {one.score for one in found.values()} == {"codes"}
    (table,) = (table for table in tables(made) if table.name == "needed")
    assert [row[6] for row in table.rows] == pytest.approx([1, 2])


def test_gains_are_paired_on_the_scale_of_the_score():
    cbr = CBRS[0]
    blind = point("blind", {"a": [{"gmsd": 0.3}]}, cbr=cbr, further_scores="gmsd", blind=True)
    steered = point("steered", {"a": [{"gmsd": 0.1}]}, cbr=cbr, further_scores="gmsd")
    made = prepare(study([blind, steered], scores=["gmsd"], anchor="blind"))
    (pair,) = pairs(made)
    found = gain(pair, "gmsd")
    assert found is not None
    assert found.mean == pytest.approx(-0.2)


def test_send_and_compare_take_them(run):
    about = ["--mask", "m.png", "--codec", "jpeg", "--cbr", "1/2"]
    sent = run("send", "a.png", *about, "--scores", "gmsd,mask_iou:segmenter=graph,prompt=box")
    assert sent.exit_code == 0, sent.output
    assert "GMSD ↓" in sent.output
    assert "mask IoU (segmenter=graph,prompt=box)" in sent.output
    again = run("repeat", "semcom-out/a.json")
    assert "the same, bit for bit" in again.output
    compared = run("compare", "a.png", *about, "--scores", "gmsd")
    assert compared.exit_code == 0, compared.output
    assert "GMSD ↓" in compared.output
    refused = run("send", "a.png", *about, "--scores", "mask_iou")
    assert refused.exit_code == 1
    assert "the mask is from a file" in refused.output
    assert main.name
