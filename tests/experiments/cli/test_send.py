"""``semcom send``: the pictures, figures and records that it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from tests.experiments.cli.sending import ROOT, SCORES, Semcom, error_of, records_of, send_quickly


def test_send_writes_picture_figure_and_record(semcom: Semcom) -> None:
    result = semcom("send", "a.png", "--segmenter", "graph", "--cbr", "1/4", "--out", "out")
    assert result.exit_code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "a.json",
        "a_figure.png",
        "a_received.png",
    ]
    record = json.loads(Path("out/a.json").read_text(encoding="utf-8"))
    assert set(SCORES) | {"cbr", "accounting"} <= set(record)
    assert record["image"] == "a.png"
    assert (record["height"], record["width"]) == (48, 64)
    assert record["cbr"] == record["num_symbols"] / (3 * 48 * 64) <= 0.25
    assert sum(record["accounting"].values()) == pytest.approx(record["num_symbols"], abs=1e-9)
    assert record["ms_ssim"] is None  # too small for five scales
    assert record["packets_received"] == record["packets_sent"]
    received = np.asarray(PilImage.open("out/a_received.png"))
    original = np.asarray(PilImage.open("a.png"))
    mse = ((received.astype(float) - original) ** 2).mean()
    assert record["psnr_db"] == pytest.approx(10 * np.log10(255**2 / mse), abs=1e-9)
    assert "PSNR over the region" in result.stdout


def test_json_prints_the_records_and_nothing_else(semcom: Semcom) -> None:
    PilImage.open("a.png").convert("L").save("grey.png")
    Path("empty.png").touch()
    result = send_quickly(semcom, "--json", images=("a.png", "grey.png", "empty.png"))
    records = records_of(result)
    assert [record["image"] for record in records] == ["a.png", "grey.png"]
    for record in records:
        written = Path("semcom-out", record["image"]).with_suffix(".json")
        assert json.loads(written.read_text(encoding="utf-8")) == record
    assert "grey.png: greyscale converted to RGB" in result.stderr
    assert "empty.png: not an image" in error_of(result)


def test_scores_without_a_finite_value_are_null(semcom: Semcom) -> None:
    PilImage.new("RGB", (64, 48), (128, 128, 128)).save("grey.png")
    record = records_of(send_quickly(semcom, "--json", images=("grey.png",)))[0]
    assert record["psnr_db"] is None
    result = send_quickly(semcom, images=("grey.png",))
    assert result.exit_code == 0
    assert "inf" not in result.stdout


def test_blind_scores_the_same_region(semcom: Semcom) -> None:
    blind, steered = (
        records_of(send_quickly(semcom, "--codec", "hevc", "--json", *flag))[0]
        for flag in (["--blind"], [])
    )
    assert (blind["system"], steered["system"]) == ("blind", "importance")
    assert blind["region_area"] == steered["region_area"] == 16 * 24 / (48 * 64)
    assert steered["region_psnr_db"] > blind["region_psnr_db"]


def test_every_way_to_say_what_matters(semcom: Semcom) -> None:
    rle = {"size": [48, 64], "counts": [100, 200, 48 * 64 - 300]}
    polygon = {"segmentation": [[4, 4, 30, 4, 30, 30, 4, 30]]}
    Path("rle.json").write_text(json.dumps([{"segmentation": rle}]), encoding="utf-8")
    Path("polygon.json").write_text(json.dumps(polygon), encoding="utf-8")
    PilImage.open("m.png").save("a_mask.png")
    for file, area in (("rle.json", 200), ("m.png", 384), ("beside", 384), ("polygon.json", 676)):
        record = records_of(send_quickly(semcom, "--mask", file, "--json"))[0]
        assert record["region_area"] * 48 * 64 == pytest.approx(area, rel=0.05)
        assert len(record["mask_sha256"]) == 64
    prompts = ("--point", "30,20", "--point", "3.5,3.5", "--box", "10,10,30,40")
    record = records_of(semcom("send", "a.png", "--segmenter", "graph", *prompts, "--json"))[0]
    assert record["points"] == [[30, 20], [3.5, 3.5]]
    assert record["boxes"] == [[10, 10, 30, 40]]


def test_seed_and_settings_decide_every_byte(semcom: Semcom) -> None:
    fading = ("--channel", "rayleigh", "--snr-db", "3", "--cbr", "2", "--json", "--seed")
    first, again, other = (
        send_quickly(semcom, *fading, seed, "--out", out)
        for seed, out in (("5", "o1"), ("5", "o2"), ("-6", "o3"))
    )
    assert first.stdout == again.stdout
    for file in Path("o1").iterdir():
        assert file.read_bytes() == (Path("o2") / file.name).read_bytes()
    assert records_of(other)[0]["seed"] == -6


def test_one_thread_or_two_give_the_same_bytes(semcom: Semcom) -> None:
    del semcom  # only its folder is needed
    command = [sys.executable, "-c", "from experiments.cli.main import main; main()"]
    command += ["send", "a.png", "--segmenter", "graph", "--cbr", "1/4", "--json", "--out"]
    running = []
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": str(ROOT)}
        running.append(
            subprocess.Popen([*command, threads], env=environment, stdout=subprocess.PIPE)
        )
    outputs = [process.communicate()[0] for process in running]
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0])["packets_received"] == 1
    one, two = ([path.read_bytes() for path in sorted(Path(out).iterdir())] for out in "12")
    assert len(one) == 3
    assert one == two


def test_a_bad_image_does_not_stop_the_others(semcom: Semcom) -> None:
    PilImage.open("a.png").crop((0, 0, 40, 15)).save("small.png")
    Path("folder").mkdir()
    Path("folder/a.png").write_bytes(Path("a.png").read_bytes())
    Path("broken.png").write_bytes(Path("a.png").read_bytes()[:900])
    images = ("small.png", "broken.png", "a.png", "nope.png", "folder", "folder/a.png")
    result = send_quickly(semcom, "--out", "out", images=images)
    assert result.exit_code == 1
    error = error_of(result)
    assert "small.png: 40x15 is smaller than 16x16" in error
    assert "broken.png: corrupt or unreadable image" in error
    assert "nope.png: no such file" in error
    assert error.endswith("Error: 3 images could not be sent")
    # Equal stems are told apart.
    records = sorted(path.name for path in Path("out").glob("*.json"))
    assert records == ["a-2.json", "a-3.json", "a.json"]
    received = [path.read_bytes() for path in Path("out").glob("*_received.png")]
    assert len(received) == 3
    assert len(set(received)) == 1


def test_a_frame_without_an_object_is_sent_blind_and_said(semcom: Semcom) -> None:
    PilImage.new("L", (64, 48), 0).save("none.png")
    result = send_quickly(semcom, "--mask", "none.png", "--codec", "hevc", "--json")
    assert result.exit_code == 0
    assert "a.png: none.png: holds no object: every pixel is 0" in result.stderr
    (record,), (blind,) = (
        records_of(r)
        for r in (result, send_quickly(semcom, "--blind", "--codec", "hevc", "--json"))
    )
    assert record["psnr_db"] == blind["psnr_db"]
    assert record["background_psnr_db"] == record["psnr_db"]
    for name in ("region_psnr_db", "theta_psnr_db"):
        assert record[name] is None
    assert record["region_area"] == 0
    assert "importance has no effect (w = 1)" in send_quickly(semcom, "--mask", "none.png").stderr


def test_what_a_mask_leaves_out_is_said(semcom: Semcom) -> None:
    labels = np.zeros((48, 64), dtype=np.uint8)
    labels[8:24, 20:44], labels[:4] = 15, 255
    PilImage.fromarray(labels).save("a_mask.png")
    result = send_quickly(semcom, "--mask", "beside", "--json")
    assert "a.png: a_mask.png: 255 beside labels is void, and left out" in result.stderr
    assert records_of(result)[0]["region_area"] == 16 * 24 / (48 * 64)
