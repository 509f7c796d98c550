"""``semcom compare``, ``segment`` and what they share with ``send``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image as PilImage

import semcom
from experiments.cli.main import main
from experiments.deliveries import send_files as batch
from semcom.segmenters.from_file.segmenter import read_masks

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in a folder with a.png and b.png (64x48), and masks beside them."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    photo = skimage.data.astronaut()
    for name, top in (("a", 60), ("b", 100)):
        PilImage.fromarray(photo[top : top + 48, 190:254]).save(f"{name}.png")
        mask = np.zeros((48, 64), dtype=np.uint8)
        mask[8:24, 20:44] = 255
        PilImage.fromarray(mask).save(f"{name}_mask.png")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(main, list(arguments))
        assert isinstance(result.exception, SystemExit | None), arguments
        return result

    return run


def test_compare_shows_both_systems_and_the_gain(run: Run) -> None:
    quick = ("--mask", "beside", "--cbr", "1/4")
    result = run("compare", "a.png", *quick, "--json")
    told = json.loads(result.stdout)
    blind, steered = told["records"]
    assert (blind["system"], steered["system"]) == ("blind", "importance")
    assert blind["cbr_budget"] == steered["cbr_budget"]
    gain = steered["region_psnr_db"] - blind["region_psnr_db"]
    assert told["gains"]["region_psnr_db"] == gain > 0
    assert semcom.compare("a.png", mask="beside", cbr="1/4").gains == told["gains"]
    names = {path.name for path in Path("semcom-out").iterdir()}
    assert names == {
        "a.json",
        "a_blind.json",
        "a_received.png",
        "a_blind_received.png",
        "a_comparison.png",
    }
    shown = run("compare", "a.png", *quick)
    row = re.search(r"PSNR over the region, dB.*", shown.stdout)
    assert row is not None
    assert f"{gain:+.2f}" in row[0]
    assert re.search(r"region, % of frame\D+12\.5\D+12\.5", shown.stdout)


def test_several_images_end_with_their_mean(run: Run) -> None:
    result = run("compare", "a.png", "b.png", "--mask", "beside", "--cbr", "1/4", "--codec", "webp")
    assert "codec webp cannot follow the importance map" in result.stderr
    assert "mean of 2" in result.stdout
    mean = result.stdout[result.stdout.index("mean of 2") :]
    assert "+0.00" in mean
    assert not re.search(r"[+-]0\.0[1-9]", mean)


def test_one_bad_image_stops_no_other(run: Run) -> None:
    Path("bad.png").write_bytes(b"no image")
    result = run("compare", "bad.png", "a.png", "--mask", "a_mask.png", "--cbr", "1/4", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["image"] == "a.png"
    assert result.stderr.splitlines()[-1] == "Error: 1 image could not be sent"


@pytest.mark.parametrize("command", ["send", "compare", "segment"])
def test_images_of_which_none_can_be_read_are_refused_first(run: Run, command: str) -> None:
    Path("bad.png").write_bytes(b"no image")
    result = run(command, "bad.png", "--out", "o")
    assert result.stderr.strip() == "Error: bad.png: not an image that Pillow can read"
    result = run(command, "bad.png", "nowhere.png", "--out", "o")
    assert "none of these images can be read:\nbad.png" in result.stderr
    assert "nowhere.png: no such file" in result.stderr
    assert not Path("o").exists()


def test_a_blind_delivery_writes_over_no_other(run: Run) -> None:
    for flags in ([], ["--blind"]):
        run("send", "a.png", "--mask", "beside", "--cbr", "1/4", "--codec", "webp", *flags)
    systems = {
        path.name: json.loads(path.read_text())["system"]
        for path in Path("semcom-out").glob("*.json")
    }
    assert systems == {"a.json": "importance", "a_blind.json": "blind"}


def test_inputs_are_never_written_over(run: Run) -> None:
    for command in ("segment", "compare", "send"):
        before = Path("a_mask.png").read_bytes()
        result = run(command, "a.png", "--mask", "a_mask.png", "--out", ".", "--cbr", "1/4")
        if command == "segment":
            result = run(command, "a.png", "--mask", "a_mask.png", "--out", ".")
            assert "a_mask.png is an input and would be overwritten" in result.stderr
        assert Path("a_mask.png").read_bytes() == before


def test_segment_writes_what_was_found(run: Run) -> None:
    result = run("segment", "a.png", "--segmenter", "graph", "--json")
    told = json.loads(result.stdout)
    region = np.array(PilImage.open("semcom-out/a_mask.png"))
    assert set(np.unique(region)) <= {0, 255}
    assert (region > 0).mean() == told["region_area"]
    with np.load("semcom-out/a_masks.npz") as found:
        masks, scores = found["masks"], found["scores"]
    assert masks.shape == (len(told["masks"]), 48, 64)
    assert [float(score) for score in scores] == [mask["score"] for mask in told["masks"]]
    matter = [mask["matters"] for mask in told["masks"]]
    assert (masks[matter].any(axis=0) == (region > 0)).all()
    # What it writes can be read again, with the scores.
    again = read_masks("semcom-out/a_masks.npz", 48, 64)
    assert [mask.score for mask in again] == pytest.approx(scores)
    assert all((one.pixels == other).all() for one, other in zip(again, masks, strict=True))
    sent = run("send", "a.png", "--mask", "semcom-out/a_mask.png", "--cbr", "1/4", "--json")
    assert json.loads(sent.stdout)["region_area"] == told["region_area"]
    shown = run("segment", "a.png", "--segmenter", "graph")
    assert f"region {told['region_area']:.1%} of the frame" in " ".join(shown.stdout.split())


def test_a_figure_that_fails_stops_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no ink\nat all")

    monkeypatch.setattr(batch, "save_delivery", broken)
    result = run("send", "a.png", "b.png", "--mask", "beside", "--cbr", "1/4", "--codec", "webp")
    assert result.exit_code == 0
    assert "a_figure.png could not be drawn: no ink at all" in " ".join(result.stderr.split())
    assert Path("semcom-out/b_received.png").exists()


@pytest.mark.parametrize("command", ["send", "compare", "segment"])
def test_help_ends_with_examples(run: Run, command: str) -> None:
    assert f"Examples:\n    semcom {command} photo.jpg\n" in run(command, "--help").stdout


def test_an_option_that_begins_alike_is_suggested_first(run: Run) -> None:
    assert "Did you mean '--snr-db'?" in run("send", "a.png", "--snr", "3").stderr
    assert "Did you mean '--codec'?" in run("compare", "a.png", "--codc", "hevc").stderr


def test_outputs_of_two_images_never_meet(run: Run) -> None:
    """The blind delivery of ``a`` would be written where that of ``a_blind`` by importance is."""
    Path("a_blind.png").write_bytes(Path("b.png").read_bytes())
    quick = ("--segmenter", "whole_image", "--codec", "jpeg", "--cbr", "1/4")
    result = run("compare", "a.png", "a_blind.png", *quick)
    assert result.exit_code == 0, result.output
    systems = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))["system"]
        for path in Path("semcom-out").glob("*.json")
    }
    assert systems == {
        "a": "importance",
        "a_blind": "blind",
        "a_blind-2": "importance",
        "a_blind-2_blind": "blind",
    }


def test_files_of_one_name_in_folders_of_one_name_have_a_row_each(run: Run) -> None:
    for folder in ("x/photos", "y/photos"):
        Path(folder).mkdir(parents=True)
        Path(folder, "p.png").write_bytes(Path("a.png").read_bytes())
    quick = ("--segmenter", "whole_image", "--codec", "jpeg", "--cbr", "1/4")
    result = run("compare", "x/photos/p.png", "y/photos/p.png", *quick)
    assert "mean of 2 images" in result.stdout
    assert "y/photos/p.png" in result.stdout


def test_masks_that_are_read_are_not_overwritten(run: Run) -> None:
    before = Path("a_mask.png").read_bytes()
    result = run("segment", "a.png", "--mask", "beside", "--out", ".")
    assert result.exit_code != 0
    assert "a_mask.png is an input and would be overwritten: change --out" in result.stderr
    assert Path("a_mask.png").read_bytes() == before
