"""Suites of disturbed pictures: what is asked, done, scored and shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments import read_results
from experiments.analysis.all_tables import tables
from experiments.analysis.export import flat_rows
from experiments.analysis.robustness import success_table
from experiments.cli.main import main
from experiments.figures.all_figures import draw
from experiments.report.viewer import build_viewer
from experiments.running.runner import run
from experiments.running.tasks import suite_items
from experiments.store.database import Database
from experiments.suites.setting import Setting
from experiments.suites.suite import Suite
from semcom.disturbances.apply import Disturb, disturbed
from semcom.hashes import digest
from semcom.scores.psnr import region_psnr_db
from tests.experiments.suites.disturbing import rows, suite


def test_old_settings_keep_their_ids():
    assert Setting().id[:12] == "44136fa355b3"
    assert Setting(codec="jpeg").about() == {"codec": "jpeg"}


def test_undisturbed_pictures_have_no_severity(folder):
    found = suite(folder, disturbance=["none", "fog"], severity=[1, 3, 5])
    labels = [system.label for system, _ in found.settings()]
    assert labels == ["undisturbed", "fog, severity 1", "fog, severity 3", "fog, severity 5"]
    clean = next(setting for _, setting in found.settings())
    assert clean.about() == {"codec": "jpeg", "segmenter": "graph", "cbr": "1/8"}


def test_each_setting_comes_once_whatever_its_severity(folder):
    points = [
        {"disturbance": ["none", "fog"], "severity": [1, 5]},
        {"disturbance": ["none", "rain"], "severity": 3},
    ]
    labels = [system.label for system, _ in suite(folder, points=points).settings()]
    assert sorted(labels) == sorted(
        ["undisturbed", "fog, severity 1", "fog, severity 5", "rain, severity 3"]
    )
    about = {"disturbance": ["none", "fog"], "severity": [1, 3], "exclude": [{"severity": 1}]}
    labels = [system.label for system, _ in suite(folder, **about).settings()]
    assert labels == ["undisturbed", "fog, severity 3"]


@pytest.mark.parametrize(
    "about",
    [
        {"severity": 4, "points": [{"disturbance": "none"}, {"disturbance": "fog"}]},
        {"disturbance": "fog", "points": [{"severity": 4}]},
        {"points": {"severity": 4}, "systems": {"a": {"disturbance": "fog"}, "b": {}}},
        {"points": {"disturbance": "fog"}, "systems": {"a": {"severity": 4}}},
    ],
)
def test_a_severity_may_have_its_disturbance_from_another_part(folder, about):
    found = {(s.disturbance, s.severity) for _, s in suite(folder, **about).settings()}
    assert ("fog", 4) in found


def test_other_files_are_other_settings(folder, tmp_path):
    """What is read from a folder enters the ids by its content."""
    for level in (90, 91):
        PilImage.new("RGB", (240, 160), (level, 0, 0)).save(tmp_path / "a.png")
        made = suite(folder, disturbance=f"from_folder:path={tmp_path}")
        ((system, setting),) = made.settings()
        assert "sha256=" in setting.disturbance
        assert "sha256" not in system.label
        if level == 90:
            before = setting
    assert setting.id != before.id
    with pytest.raises(ValueError, match="has changed: its SHA-256 is"):
        Disturb(before.disturbance)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"severity": 2}, "severity needs a disturbance"),
        ({"disturbance": "fgo"}, "unknown disturbance 'fgo'"),
        ({"disturbance": "fog", "severity": 6}, "less than or equal to 5"),
        ({"disturbance": "occlusion:where=up"}, "unknown place 'up'"),
        ({"prompt": "scribble"}, "'none', 'point' or 'box'"),
        ({"draws": {"most": 8, "score": "iou_truth"}}, "unknown score 'iou_truth'"),
    ],
)
def test_what_cannot_be_is_refused(folder, about, message):
    with pytest.raises(ValueError, match=message):
        suite(folder, **about)


def test_two_images_of_one_name_cannot_both_come_from_a_folder(folder, tmp_path):
    (tmp_path / "b").mkdir()
    PilImage.new("RGB", (64, 48)).save(tmp_path / "b" / "a.png")
    images = [str(folder / "a.png"), str(tmp_path / "b" / "a.png")]
    made = suite(folder, images=images, disturbance=f"from_folder:path={folder}")
    with pytest.raises(ValueError, match="would both get the picture 'a' of from_folder"):
        suite_items(made, tmp_path, print)


def test_an_impossible_combination_is_refused():
    for about in ({"sent": "clean"}, {"disturbance": "fog", "bound": True}):
        with pytest.raises(ValueError, match=r"needs a disturbance|takes no disturbance"):
            Setting(**about).check()


def test_each_picture_is_what_it_should_be(folder, tmp_path):
    """Seen, clean with the masks of what was seen, and nothing."""
    about = {"disturbance": "night", "severity": 4, "scored": "beside"}
    asked = suite(folder, **about, sent=["seen", "clean", "nothing"], pictures=1)
    done = run(asked, tmp_path, say=lambda *_: None)
    assert (done.made, done.failed) == (3, 0)
    photo = np.asarray(PilImage.open(folder / "a.png"))
    truth = np.asarray(PilImage.open(folder / "a_mask.png"))
    seen = disturbed(photo, Disturb("night", 4), truth=truth)
    found = {setting.sent: (record, scores) for setting, record, scores in rows(tmp_path)}
    areas = {record["mask_area"] for record, _ in found.values()}
    ious = {(record["iou_truth"], record["iou_clean"]) for record, _ in found.values()}
    assert len(areas) == len(ious) == 1  # the masks are those of what was seen
    assert all(record["sha256"] == digest(photo) for record, _ in found.values())
    record, scores = found["nothing"]
    assert scores == {}
    assert record["packets_sent"] == 0
    clean, dark = found["clean"][1], found["seen"][1]
    # What was sent clean differs from the clean picture by the errors of the link alone.
    assert clean["clean_region_psnr_db"] == pytest.approx(clean["region_psnr_db"])
    own_error = region_psnr_db(photo, seen, truth)
    assert dark["clean_region_psnr_db"] == pytest.approx(own_error, abs=0.5)
    assert dark["region_psnr_db"] > own_error + 5
    with Database(tmp_path / "results.db") as database:
        kinds = {kind for (kind,) in database.query("SELECT kind FROM pictures")}
    assert kinds == {"original", "seen", "received", "region"}


def test_prompts_come_from_the_true_mask(folder, tmp_path):
    about = {"sent": "nothing", "scored": "beside", "scores": ["iou_truth"]}
    asked = suite(folder, prompt=["none", "point", "box"], **about)
    run(asked, tmp_path, say=lambda *_: None)
    found = {setting.prompt: record for setting, record, _ in rows(tmp_path)}
    assert found["none"]["num_masks"] > 1
    assert found["point"]["num_masks"] == found["box"]["num_masks"] == 1
    assert found["box"]["iou_truth"] > found["none"]["iou_truth"]
    assert "iou_clean" not in found["none"]  # nothing was disturbed


def test_figures_and_tables_keep_disturbances_apart(folder, tmp_path):
    asked = suite(
        folder,
        disturbance=["none", "fog", "occlusion"],
        severity=[1, 5],
        scored="beside",
        systems={"blind": {"blind": True}, "masks": {"blind": False}},
        scores=["region_psnr_db", "iou_truth"],
    )
    run(asked, tmp_path, say=lambda *_: None)
    study = read_results(tmp_path)
    assert len(study.systems) == 2 * 5
    exported = [row for row in flat_rows(study) if row["disturbance"] == "fog"]
    assert all({"clean_psnr_db", "iou_truth", "iou_clean"} <= row.keys() for row in exported)
    drawn = {drawing.data.name: drawing.data for drawing in draw(study)}
    assert all(name.startswith(("severity", "gain-severity", "gain-iou")) for name in drawn)
    gains = drawn["gain-severity-region-psnr"]
    assert {row[gains.columns.index("disturbance")] for row in gains.rows} == {"fog", "occlusion"}
    assert [row[gains.columns.index("severity")] for row in gains.rows] == [0, 1, 5] * 2
    (robust,) = (table for table in tables(study) if table.name == "robustness")
    row = dict(zip(robust.columns, robust.rows[0], strict=True))
    assert (row["system"], row["score"], row["cells"]) == ("blind", "region", 4)
    means = {
        (p.setting.disturbance, p.setting.severity): p.mean("region_psnr_db")
        for p in study.points
        if p.setting.blind
    }
    assert row["clean"] == means.pop(("", 3))
    assert row["mPC"] == pytest.approx(sum(means.values()) / 4)
    assert row["rPC"] is None  # decibels have no ratio
    with_iou = dict(zip(robust.columns, robust.rows[-1], strict=True))
    assert with_iou["rPC"] == pytest.approx(with_iou["mPC"] / with_iou["clean"])


def test_masks_that_are_spoilt_are_counted(folder, tmp_path):
    """The scores of a real run are replaced by such of known shares."""
    points = [{"disturbance": "none"}, {"disturbance": ["jitter", "fog", "rain"], "severity": 5}]
    about = {"prompt": "box", "sent": "nothing", "scores": ["iou_clean", "iou_truth"]}
    run(suite(folder, points=points, **about), tmp_path, say=lambda *_: None)
    study = read_results(tmp_path)
    clean = {"": [None, None], "jitter": [0.9, 0.8], "fog": [0.4, 0.8], "rain": [0.05, 0.8]}

    def changed(point, truths):
        """Two images, of which the first has a good mask and the second has not."""
        (row,) = point.rows
        ious = zip(clean[point.setting.disturbance], truths, strict=True)
        rows = [
            replace(row, image=str(i), record=row.record | {"iou_clean": c, "iou_truth": t})
            for i, (c, t) in enumerate(ious)
        ]
        return replace(point, rows=tuple(rows))

    found = replace(study, points=tuple(changed(point, (0.7, 0.4)) for point in study.points))
    table = success_table(found)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    spoilt = {row["disturbance"]: (row["good"], row["IoU ≤ 0.5"], row["IoU ≤ 0.1"]) for row in rows}
    assert spoilt == {"jitter": (1, 0, 0), "fog": (1, 1, 0), "rain": (1, 1, 1)}
    none = replace(study, points=tuple(changed(point, (0.1, 0.4)) for point in study.points))
    assert success_table(none) is None


def test_many_disturbances_become_a_map(folder, tmp_path):
    names = ["fog", "rain", "snow", "night", "drops", "occlusion", "jitter"]
    asked = suite(
        folder,
        disturbance=names,
        severity=[1, 5],
        segmenter="whole_image",
        sent="nothing",
        scores="iou_clean",
    )
    run(asked, tmp_path, say=lambda *_: None)
    (drawing,) = draw(read_results(tmp_path))
    assert drawing.data.name == "severity-map-1"
    assert len(drawing.data.rows) == 2 * len(names)
    assert drawing.figure.axes


def test_results_are_read_where_the_files_of_a_disturbance_are_gone(folder, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    photo = np.asarray(PilImage.open(folder / "a.png"))
    PilImage.fromarray(255 - photo).save(pictures / "a.png")
    systems = {"blind": {"blind": True}, "masks": {}}
    about = {"disturbance": f"from_folder:path={pictures}", "systems": systems, "pictures": 1}
    asked = suite(folder, **about | {"cbr": ["1/8", "1/4"]})
    run(asked, tmp_path / "out", say=lambda *_: None)
    (pictures / "a.png").unlink()
    pictures.rmdir()
    study = read_results(tmp_path / "out")
    assert {table.name for table in tables(study)} >= {"means", "gains"}
    assert draw(study)
    assert list(flat_rows(study))
    assert build_viewer(study, tmp_path / "out" / "results.db") is not None


def test_a_picture_that_is_too_small_is_a_recorded_failure(tmp_path):
    PilImage.new("RGB", (40, 31)).save(tmp_path / "tiny.png")
    asked = Suite.model_validate(
        {"images": str(tmp_path / "tiny.png"), "segmenter": "whole_image", "disturbance": "fog"}
    )
    done = run(asked, tmp_path / "out", say=lambda *_: None)
    assert done.failed == 1


def test_the_report_shows_what_was_seen(folder, tmp_path):
    """Two disturbances, seen and received: four pictures and the original, and two error maps."""
    asked = suite(folder, disturbance=["fog", "night"], segmenter="whole_image", pictures=1)
    run(asked, tmp_path, say=lambda *_: None)
    study = read_results(tmp_path)
    viewer = build_viewer(study, tmp_path / "results.db")
    assert viewer is not None
    data = viewer.data
    shots = data["shots"]
    assert len({shot["seen"] for shot in shots}) == 2
    shown = {data["images"][0]["original"], *(s[k] for s in shots for k in ("seen", "received"))}
    assert len(shown) == 5
    result = CliRunner().invoke(main, ["report", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "what the camera saw" in next(tmp_path.glob("*.html")).read_text(encoding="utf-8")
