"""A disturbed picture on its way: what is segmented, sent, scored and repeated."""

from __future__ import annotations

import json

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner
from PIL import Image as PilImage

import semcom
from experiments.cli.main import main
from semcom.disturbances.apply import Disturb, disturbed
from semcom.scores.psnr import psnr_db, region_psnr_db


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(skimage.data.astronaut()[30:190, 100:340])


OPTIONS = {"segmenter": "graph", "codec": "jpeg", "cbr": "1/8"}


def test_the_sender_sees_the_disturbed_picture(photo):
    delivery = semcom.send(photo, disturb="fog", severity=4, **OPTIONS)
    seen = disturbed(photo, Disturb("fog", 4))
    assert (delivery.original == seen).all()
    record, region = delivery.record, delivery.importance.region
    assert (record["disturbance"], record["severity"]) == ("fog", 4)
    assert record["psnr_db"] == pytest.approx(psnr_db(seen, delivery.received))
    assert record["seen_psnr_db"] == pytest.approx(psnr_db(photo, seen))
    assert record["clean_psnr_db"] == pytest.approx(psnr_db(photo, delivery.received))
    clean_region = region_psnr_db(photo, delivery.received, region)
    assert record["clean_region_psnr_db"] == pytest.approx(clean_region)


def test_without_a_disturbance_nothing_changes(photo):
    record = semcom.send(photo, **OPTIONS).record
    assert not {"disturbance", "severity", "clean_psnr_db"} & record.keys()


def test_both_deliveries_of_a_comparison_see_the_same(photo):
    compared = semcom.compare(photo, disturb="night", **OPTIONS)
    assert (compared.blind.original == compared.steered.original).all()
    assert compared.blind.record["severity"] == 3


def test_a_severity_alone_is_refused(photo):
    with pytest.raises(ValueError, match="severity 2 needs a disturbance"):
        semcom.send(photo, severity=2, **OPTIONS)


def test_the_command_line_and_repeating(photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    PilImage.fromarray(photo).save("a.png")
    mask = np.zeros(photo.shape[:2], bool)
    mask[40:120, 60:160] = True
    PilImage.fromarray(mask).save("a_mask.png")
    how = ["--disturb", "occlusion:where=object", "--severity", "5", "--mask", "beside"]
    sent = CliRunner().invoke(main, ["send", "a.png", *how, "--cbr", "1/4", "--codec", "jpeg"])
    assert sent.exit_code == 0, sent.output
    assert "a.png: disturbed by occlusion:where=object, severity 5" in sent.output
    record = json.loads((tmp_path / "semcom-out" / "a.json").read_text())
    assert record["region_area"] == pytest.approx(mask.mean())
    again = CliRunner().invoke(main, ["repeat", "semcom-out/a.json"])
    assert "the same, bit for bit" in again.output
    # A record from before the link had a margin for side information, and sets of schemes.
    del record["side_margin_db"], record["schemes"]
    (tmp_path / "old.json").write_text(json.dumps(record))
    old = CliRunner().invoke(main, ["repeat", "old.json"])
    assert old.exit_code == 0, old.output
    segmented = CliRunner().invoke(main, ["segment", "a.png", "--disturb", "snow"])
    assert segmented.exit_code == 0, segmented.output
    compared = CliRunner().invoke(main, ["compare", "a.png", *how, "--cbr", "1/4"])
    assert compared.exit_code == 0, compared.output
    refused = CliRunner().invoke(main, ["send", "a.png", "--disturb", "fgo"])
    assert refused.exit_code == 1
    assert "unknown disturbance 'fgo' (did you mean 'fog'?)" in refused.output
