"""``semcom distance`` on folders, with a network that only averages colours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image as PilImage

from experiments.cli.main import main
from experiments.deliveries import distance
from semcom.scores.sets import inception


@pytest.fixture(autouse=True)
def photos(tmp_path, monkeypatch):
    """A folder ``photos`` with a.png and b.png (64x48), and a small network."""
    import skimage.data

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(distance, "inception", lambda _: lambda x: (x.float().mean((2, 3)) / 255,))
    Path("photos").mkdir()
    for name, top in (("a", 60), ("b", 200)):
        crop = skimage.data.astronaut()[top : top + 48, 190:254]
        PilImage.fromarray(crop).save(f"photos/{name}.png")


def semcom(*arguments):
    return CliRunner().invoke(main, list(arguments))


def measure(*arguments):
    result = semcom("distance", "photos", *arguments, "--patch", "16", "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def error_of(*arguments):
    result = semcom("distance", *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)  # no traceback
    (line,) = result.stderr.splitlines()
    return line


def test_what_compare_writes_is_measured_as_it_is():
    PilImage.fromarray(np.eye(48, 64, dtype=np.uint8) * 255).save("m.png")
    link = ("--mask", "m.png", "--codec", "jpeg", "--cbr", "1/4")
    assert semcom("compare", "photos", *link).exit_code == 0
    before = sorted(Path("semcom-out").iterdir())
    records, said = measure("semcom-out")
    assert [record["system"] for record in records] == ["by importance", "blind"]
    for record in records:
        assert (record["pictures"], record["patches"]) == (2, 2 * (12 + 6))
        assert record["kid_subset_size"] == 18
        assert record["fid"] > 0
    assert said == ""
    assert sorted(Path("semcom-out").iterdir()) == before
    assert measure("semcom-out")[0] == records


def test_what_has_no_counterpart_is_named():
    Path("out").mkdir()
    for name in ("a_blind_received", "b_blind_received", "a_received", "a_figure", "c_received"):
        shutil.copy("photos/a.png", f"out/{name}.png")
    (record,), said = measure("out")
    assert (record["system"], record["pictures"]) == ("blind", 2)
    assert said.splitlines() == [
        "by importance: left out, since b_received.png is missing",
        "out: there is no original of c_received.png",
    ]


def test_the_table_says_how_many_patches_there_are_and_what_that_means(monkeypatch):
    monkeypatch.setattr(distance, "inception", lambda _: lambda x: (x.flatten(1)[:, ::7].float(),))
    result = semcom("distance", "photos", "photos", "--patch", "32")
    assert result.exit_code == 0, result.output
    assert "photos and photos: 2 pictures, 6 patches of 32x32" in result.stdout
    assert "FID ↓" in result.stdout
    assert "deviation of 100 subsets of 3" in result.stdout
    assert "6 patches are fewer than the 439 features of each" in result.stderr
    whole = semcom("distance", "photos", "photos", "--patch", "0")
    assert whole.exit_code == 1
    assert "compare sets of 4 patches or more, and there are 2" in whole.stderr


def test_a_copy_with_another_ending_has_no_distance():
    Path("copies").mkdir()
    for name in "ab":
        PilImage.open(f"photos/{name}.png").save(f"copies/{name}.bmp")
    (record,), _ = measure("copies")
    assert (record["system"], record["fid"]) == ("received", pytest.approx(0, abs=1e-9))


def test_folders_that_cannot_be_compared_are_named():
    Path("empty").mkdir()
    assert error_of("none", "photos") == "Error: none: no such file, expected a folder of pictures"
    assert error_of("photos", "photos/a.png").endswith("is a file, expected a folder of pictures")
    assert error_of("photos", "empty") == "Error: empty: no images in this folder"
    shutil.copy("photos/a.png", "empty/a.png")
    assert error_of("photos", "empty") == (
        "Error: empty: there is no received picture of b; expected b.png or b_received.png or "
        "b_blind_received.png"
    )
    shutil.copy("photos/a.png", "empty/a.bmp")
    assert "empty/a.bmp and empty/a.png have one name" in error_of("photos", "empty")


def test_pictures_that_cannot_be_compared_are_named():
    Path("small").mkdir()
    for name in "ab":
        PilImage.fromarray(np.zeros((24, 32, 3), np.uint8)).save(f"small/{name}_received.png")
    assert "photos/a.png: 64x48 pixels are smaller than a patch of 256x256" in error_of(
        "photos", "photos"
    )
    assert "got 8" in error_of("photos", "photos", "--patch", "8")
    assert error_of("photos", "small", "--patch", "16").startswith(
        "Error: small/a_received.png has 32x24 pixels, but photos/a.png has 64x48: give"
    )


def test_without_a_network_one_line_says_where_to_put_the_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(distance, "inception", inception.inception)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(inception, "SERVER", "http://127.0.0.1:1/")
    said = error_of("photos", "photos", "--patch", "16")
    assert f"put it at {tmp_path / 'hub' / 'checkpoints' / inception.NAME}, or name" in said
    assert error_of("photos", "photos", "--weights", "photos/a.png").startswith(
        "Error: cannot read photos/a.png as a checkpoint"
    )
