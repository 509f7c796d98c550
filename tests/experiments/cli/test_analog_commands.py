"""An analog codec from the command line: pictures, records, tables, checks."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.store.study import read_results


@pytest.fixture
def file(photo, tmp_path, monkeypatch):
    PilImage.fromarray(photo).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photo.png"


def run(*arguments):
    return CliRunner().invoke(main, arguments, env={"COLUMNS": "120"}, catch_exceptions=False)


SEND = ("send", "photo.png", "--segmenter", "graph", "--codec")


def test_send_writes_the_picture_and_shows_what_is_analog(file):
    done = run(*SEND, "softcast", "--cbr", "1/6")
    assert done.exit_code == 0, done.output
    folder = file.parent / "semcom-out"
    record = json.loads((folder / "photo.json").read_text())
    assert np.asarray(PilImage.open(folder / "photo_received.png")).shape == (160, 240, 3)
    assert (folder / "photo_figure.png").exists()
    assert sum(record["accounting"].values()) == pytest.approx(record["num_uses"])
    (shown,) = re.findall(r"│ +analog +│ +([\d,]+) │", done.output)
    assert int(shown.replace(",", "")) == record["accounting"]["analog"] > 0
    assert record["scheme"].startswith("analog, QPSK ")
    assert not record["all_lost"]


def test_a_digital_codec_shows_no_such_item(file):
    done = run(*SEND, "jpeg", "--cbr", "1/6")
    assert done.exit_code == 0, done.output
    assert "analog" not in done.output
    assert "analog" not in (file.parent / "semcom-out" / "photo.json").read_text()


def test_unequal_protection_is_refused_in_one_line(file):
    done = run(*SEND, "softcast", "--protection", "unequal")
    assert done.exit_code == 1
    assert "photo.png: unequal protection is for digital codecs" in done.output
    assert not list(file.parent.glob("semcom-out/*"))


@pytest.mark.usefixtures("file")
def test_quality_rises_with_bandwidth_and_snr(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "{title: t, images: photo.png, segmenter: graph, codec: softcast, blind: true,"
        " points: [{cbr: [1/24, 1/8]}, {cbr: 1/8, snr_db: [4, 10]}]}"
    )
    done = run("run", "s.yaml", "--out", "out", "--jobs", "1")
    assert done.exit_code == 0, done.output
    study = read_results(tmp_path / "out")
    psnr = {(p.setting.cbr, p.setting.snr_db): p.mean("psnr_db") for p in study.points}
    assert psnr["1/24", 10] < psnr["1/8", 10]
    assert psnr["1/8", 4] < psnr["1/8", 10]
    assert all(point.mean("lost") == 0 for point in study.points)


def test_check_codec_makes_the_checks_of_analog_ones():
    done = run("check-codec", "softcast", "--only", "signal", "--only", "fading")
    assert done.exit_code == 0, done.output
    assert "softcast: all 2 checks passed" in done.output
    refused = run("check-codec", "softcast", "--only", "budget")
    assert refused.exit_code == 1
    assert "unknown check 'budget'; choices: signal, picture, sizes" in refused.output
