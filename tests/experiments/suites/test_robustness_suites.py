"""Suites about segmenters that err: best masks, doubtful masks, cues, and attacks that transfer."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments import read_results
from experiments.analysis.all_tables import tables
from experiments.analysis.cue_conflict import texture_table
from experiments.analysis.draws_table import draws_table
from experiments.analysis.formats.sheets import sheets
from experiments.analysis.gains import gain, pairs
from experiments.analysis.points import prepare
from experiments.analysis.robustness import victim_of
from experiments.cli.main import main
from experiments.figures.gain_figures import gain_theta
from experiments.figures.parts.fonts import plain_text
from experiments.figures.parts.style import SETTINGS
from experiments.figures.parts.text import width_of
from experiments.figures.region_background import region_background
from experiments.figures.robustness.gain_over_iou import gain_over_iou
from experiments.figures.robustness.maps import transfer
from experiments.figures.robustness.texture_share import texture_share
from experiments.running.runner import run
from experiments.running.tasks import without_missing
from experiments.suites.axes import System
from experiments.suites.setting import Setting
from semcom.importance.region import RegionOptions, find_region
from semcom.segmenters.overlap import iou
from tests.experiments.suites.disturbing import rows, suite


def quiet(*_):
    """Say nothing."""


def test_the_best_mask_is_the_one_closest_to_the_truth(folder, tmp_path):
    about = {"sent": "nothing", "scores": ["iou_truth"], "theta": "auto"}
    systems = {"chosen": {"scored": "beside"}, "best": {"masks": "best"}}
    run(suite(folder, systems=systems, **about), tmp_path, say=quiet)
    found = {setting.masks: record for setting, record, _ in rows(tmp_path)}
    photo, truth = (np.asarray(PilImage.open(folder / name)) for name in ("a.png", "a_mask.png"))
    masks = find_region(photo, RegionOptions("graph")).masks
    best = max(iou(mask.pixels, truth > 0) for mask in masks)
    assert found["best"]["iou_truth"] == pytest.approx(best)
    assert best > found["chosen"]["iou_truth"]
    closest = max(masks, key=lambda mask: iou(mask.pixels, truth > 0))
    assert found["best"]["confidence"] == pytest.approx(closest.score)  # its own, not the others'


@pytest.mark.parametrize("about", [{"segmenter": "beside"}, {"prompt": "point"}])
def test_there_is_no_best_of_one_mask(about):
    with pytest.raises(ValueError, match="needs a segmenter that finds several masks"):
        Setting(masks="best", **about).check()


def test_doubt_is_a_system_of_its_own(folder, tmp_path):
    """θ "auto" has no place on an axis of θ, and its θ-PSNR is that of the default θ."""
    systems = {"blind": {"blind": True}, "masks": {"theta": [0.5, 0.65, "auto"]}}
    about = {"scored": "beside", "scores": ["theta_psnr_db", "region_psnr_db"]}
    asked = suite(folder, systems=systems, codec="jpeg2000", cbr=["1/8", "1/4"], **about)
    run(asked, tmp_path, say=quiet)
    stored = {setting.theta: record for setting, record, _ in rows(tmp_path) if not setting.blind}
    doubt = stored["auto"]
    assert 0 < doubt["confidence"] < 1
    assert "confidence" not in stored[0.65]
    assert doubt["theta"] < 0.65
    study = read_results(tmp_path)
    prepared = prepare(study)
    over_theta = gain_theta(prepared, width=3.5)
    assert over_theta
    for drawing in over_theta:
        data = drawing.data
        assert {row[data.columns.index("theta")] for row in data.rows} == {0.5, 0.65}
    (drawing,) = region_background(prepared, width=3.5)
    notes = {row[drawing.data.columns.index("note")] for row in drawing.data.rows}
    assert {"0.5", "0.65", "auto"} <= notes
    means = next(table for table in tables(study) if table.name == "means")
    assert "θ-PSNR at θ = 0.65 for all systems" in means.caption


def test_a_doubting_sender_repeats_its_delivery(folder, tmp_path):
    send = ["send", str(folder / "a.png"), "--segmenter", "median:of=graph,draws=3", "--theta"]
    made = CliRunner().invoke(main, [*send, "auto", "--codec", "jpeg", "--out", str(tmp_path)])
    assert made.exit_code == 0, made.output
    record = next(tmp_path.glob("*.json"))
    assert json.loads(record.read_text())["segmenter"] == "median:of=graph,draws=3,spread=0.02"
    again = CliRunner().invoke(main, ["repeat", str(record)])
    assert again.exit_code == 0, again.output
    wrong = CliRunner().invoke(main, [*send, "high"])
    assert "expected a number in (0, 1), or auto, got 'high'" in wrong.output


def test_what_is_expected_of_a_doubting_sender_is_simulated(folder, tmp_path):
    """Without fading, both are the same, at the θ that steered the sender."""
    about = {"theta": ["auto", 0.65], "codec": "jpeg2000", "draws": 2}
    run(suite(folder, **about), tmp_path, say=quiet)
    table = draws_table(read_results(tmp_path))
    for row in (dict(zip(table.columns, row, strict=True)) for row in table.rows):
        assert row["expected"] == pytest.approx(row["simulated"], abs=0.02)


def test_a_wrapped_mobile_sam_is_left_out_without_weights(folder, monkeypatch):
    monkeypatch.setattr("semcom.checkpoints.mobile_sam.available", lambda: False)
    monkeypatch.setattr("semcom.checkpoints.mobile_sam.named", lambda: False)
    systems = {"one": {"segmenter": "median:of=mobile_sam"}, "two": {"segmenter": "median"}}
    said = []
    left = without_missing(suite(folder, systems=systems), said.append)
    assert list(left.systems) == ["two"]
    assert left.systems["two"].segmenter == ("median:of=graph",)
    assert "systems that need MobileSAM" in said[0]


def test_suites_may_send_some_pictures_and_others_not(folder, tmp_path):
    about = {"scored": "beside", "disturbance": "fog", "systems": {"a": {"blind": True}, "b": {}}}
    run(suite(folder, sent=["seen", "nothing"], **about), tmp_path, say=quiet)
    done = CliRunner().invoke(main, ["plot", str(tmp_path)])
    assert done.exit_code == 0, done.output
    gains = next(t for t in tables(read_results(tmp_path)) if t.name == "gains")
    assert len(gains.rows) == 1


def test_nothing_sent_has_no_bandwidth_in_tables(folder, tmp_path):
    asked = suite(folder, sent="nothing", segmenter="whole_image", scores="mask_area")
    run(asked, tmp_path, say=quiet)
    study = read_results(tmp_path)
    (sheet,) = sheets(tables(study))
    assert sheet.head == ("system", "area")
    (table,) = tables(study)
    assert dict(zip(table.columns, table.rows[0], strict=True))["CBR"] is None


@pytest.fixture(scope="module")
def looked(folder, tmp_path_factory):
    """Rows of four disturbances by one segmenter, as a form to fill in."""
    where = tmp_path_factory.mktemp("looked")
    names = ["none", "jitter", "fog", "night", "cue_conflict"]
    about = {"scored": "beside", "scores": ["iou_clean", "iou_truth", "iou_mirrored"]}
    systems = {"blind": {"blind": True}, "masks": {"segmenter": "beside"}}
    about["segmenter"] = "whole_image"
    asked = suite(folder, disturbance=names, severity=[2, 5], systems=systems, **about)
    run(asked, where, say=quiet)
    return read_results(where)


def test_cues_are_counted_where_a_mask_shows_one_of_them(looked):
    decisions = {2: [(0.9, 0.1), (0.6, 0.2), (0.2, 0.7)], 5: [(0.1, 0.8), (0.7, 0.8), (0.4, 0.3)]}

    def filled(point):
        (row,) = point.rows
        values = decisions[point.setting.severity]
        made = [
            replace(row, image=str(i), record=row.record | {"iou_truth": t, "iou_mirrored": c})
            for i, (t, c) in enumerate(values)
        ]
        return replace(point, rows=tuple(made))

    conflicts = [p for p in looked.points if p.setting.disturbance == "cue_conflict"]
    found = texture_table(replace(looked, points=tuple(map(filled, conflicts))))
    shares = {row[:4]: row[4] for row in found.rows if row[0] == "masks"}
    assert shares == {("masks", 0.25, 3, 3): pytest.approx(2 / 3), ("masks", 1.0, 3, 1): 0.0}
    assert texture_share(looked, width=3.5) == []  # the true mask shows both
    (drawing,) = texture_share(replace(looked, points=tuple(map(filled, conflicts))), width=3.5)
    assert {"2/3", "0/1"} <= {row[drawing.data.columns.index("note")] for row in drawing.data.rows}
    others = tuple(p for p in looked.points if p not in conflicts)
    assert texture_table(replace(looked, points=others)) is None


def test_gains_over_the_iou_of_masks(looked):
    (drawing,) = gain_over_iou(looked, width=3.5)
    data = [dict(zip(drawing.data.columns, row, strict=True)) for row in drawing.data.rows]
    assert {row["iou_truth"] for row in data} == {1.0}  # the masks are the true ones
    assert len({row["image"] for row in data}) == 2 * 4 + 1  # each disturbance, and none
    assert {row["score"] for row in data} == {"region_psnr_db", "theta_psnr_db"}
    point = next(
        row for row in data if row["score"] == "region_psnr_db" and "fog 5" in row["image"]
    )
    by_system = {
        p.system: p.mean("region_psnr_db")
        for p in looked.points
        if (p.setting.disturbance, p.setting.severity) == ("fog", 5)
    }
    blind, masks = (v for _, v in sorted(by_system.items()))
    assert point["value"] == pytest.approx(masks - blind)


def test_gains_are_those_at_the_theta_of_each_system(looked):
    other = [
        replace(p, setting=replace(p.setting, theta=0.9)) if not p.setting.blind else p
        for p in looked.points
    ]
    study = replace(looked, points=tuple(other))
    (drawing,) = gain_over_iou(study, width=3.5)
    shown = {
        row[drawing.data.columns.index("image")]: row[drawing.data.columns.index("value")]
        for row in drawing.data.rows
        if "theta_psnr_db" in row
    }
    for pair in pairs(study):
        s = pair.point.setting
        how = f", {s.disturbance} {s.severity}" if s.disturbance else ""
        name = pair.point.rows[0].name + how
        assert shown[name] == pytest.approx(gain(pair, "theta_psnr_db").mean)


def test_attacks_that_transfer_are_a_matrix(looked):
    """Rows of real runs, renamed to two attacks, seen by two segmenters with two prompts."""
    attack = {"jitter": "jitter", "fog": "pgd", "night": "fgsm:goal=mirror"}
    chosen = [p for p in looked.points if p.setting.disturbance in attack and not p.setting.blind]

    def renamed(point, segmenter, prompt):
        s = point.setting
        name = attack[s.disturbance]
        setting = replace(s, disturbance=name, segmenter=segmenter, prompt=prompt)
        value = 0.1 * s.severity + 0.3 * (segmenter == "graph") + 0.05 * (prompt == "point")
        rows = tuple(replace(r, record=r.record | {"iou_clean": value}) for r in point.rows)
        varies = (("segmenter", segmenter), ("disturbance", name), ("severity", s.severity))
        key = System("masks", (*varies, ("prompt", prompt)))
        return replace(point, setting=setting, rows=rows, key=key)

    several = list(itertools.product(("graph", "mobile_sam"), ("none", "point")))
    points = [renamed(p, *each) for p in chosen for each in several]
    drawn = transfer(replace(looked, points=tuple(points)), width=3.5)
    assert [drawing.data.name for drawing in drawn] == ["transfer-1", "transfer-2"]
    for drawing, more in zip(drawn, (0.0, 0.05), strict=True):
        data = [dict(zip(drawing.data.columns, row, strict=True)) for row in drawing.data.rows]
        attacks = {(r["disturbance"], r["segmenter"]): r["iou_clean"] for r in data if r["victim"]}
        assert attacks == {
            (name, segmenter): pytest.approx(0.5 + 0.3 * (segmenter == "graph") + more)
            for name in ("pgd", "fgsm:goal=mirror")  # of severity 5 alone
            for segmenter in ("graph", "mobile_sam")
        }
        control = {r["severity"]: r["iou_clean"] for r in data if r["disturbance"] == "jitter"}
        assert control.keys() == {2, 5}
        with plain_text(SETTINGS):
            title = drawing.figure.get_suptitle()
            assert " ".join(title.split()) == drawing.data.title  # broken into lines, not cut
            assert width_of(title, SETTINGS["figure.titlesize"]) <= 3.5
    one = [p for p in points if p.setting.segmenter == "graph"]
    assert transfer(replace(looked, points=tuple(one)), width=3.5) == []


def test_victims_are_known_by_name():
    assert victim_of("pgd") == victim_of("patch:where=object") == "mobile_sam"
    assert victim_of("") == victim_of("fog") == victim_of("gone_plugin") == ""
