"""Rows of one results file are made with one content of each file that plug-ins read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from channels.catalogue import CHANNELS
from channels.registry import spec_of
from experiments import read_results
from experiments.read_files import file_versions, versions_here
from experiments.running.runner import run
from experiments.store.merge import merge
from experiments.suites.suite import Suite


def _suite(folder: Path, **about: object) -> Suite:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    PilImage.fromarray(pixels).save(folder / "a.png")
    shared = {"segmenter": "whole_image", "codec": "jpeg", "cbr": "1/2", "blind": True}
    channel = f"trace:file={folder / 'gains.csv'}"
    return Suite.model_validate(
        {"images": str(folder / "a.png"), "channel": channel, **shared, **about}
    )


def test_a_trace_that_has_changed_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    gains = tmp_path / "gains.csv"
    gains.write_text("gain_db\n0\n1\n")
    run(_suite(tmp_path), tmp_path / "out")
    before = read_results(tmp_path / "out")
    assert (
        before.versions[f"file {gains}"] == file_versions([f"trace:file={gains}"])[f"file {gains}"]
    )
    gains.write_text("gain_db\n-9\n-9\n")
    with pytest.raises(ValueError, match=r"gains\.csv has changed since rows of .*results\.db"):
        run(_suite(tmp_path, snr_db=[10, 20]), tmp_path / "out")
    assert len(read_results(tmp_path / "out").points) == len(before.points)
    run(_suite(tmp_path), tmp_path / "other")
    gains.write_text("gain_db\n0\n1\n")
    run(_suite(tmp_path, snr_db=[10, 20]), tmp_path / "out")


@pytest.mark.parametrize("name", ["g=1.csv", "g,2.csv", "snr=10, x/g.csv", 'say "g".csv'])
def test_names_of_files_may_hold_what_separates_options(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("gain_db\n0\n")
    spec = spec_of("trace", file=file, hold=2)
    assert list(file_versions([spec])) == [f"file {file}"]
    assert CHANNELS.parse(spec)[1]["file"] == str(file)
    if "," not in name:
        assert list(file_versions([f"ofdm:over=cir:file={file}"])) == [f"file {file}"]


def test_files_are_found_wherever_a_channel_names_them(tmp_path: Path) -> None:
    file = tmp_path / "cir.npz"
    file.write_bytes(b"x")
    found = file_versions([f"ofdm:over=cir:file={file}", "awgn", f'trace:hold=2,file="{file}"'])
    assert list(found) == [f"file {file}"]
    assert versions_here({"torch": "2", **found}) == found
    file.unlink()
    assert versions_here(found) == {}


def test_masks_and_traces_of_another_content_are_not_mixed(tmp_path: Path) -> None:
    """Neither in a run nor in a merge; folders of results may be merged."""
    gains, mask = tmp_path / "gains.csv", tmp_path / "m.png"
    gains.write_text("gain_db\n0\n1\n")
    PilImage.fromarray(np.eye(32, 48, dtype=np.uint8) * 255).save(mask)
    about = {"segmenter": f"from_file:path={mask}", "blind": False}
    run(_suite(tmp_path, **about), tmp_path / "one")
    merge(tmp_path / "all.db", [tmp_path / "one"], salvage=False, say=print)
    PilImage.fromarray(255 - np.eye(32, 48, dtype=np.uint8) * 255).save(mask)
    with pytest.raises(ValueError, match=r"m\.png has changed since rows of"):
        run(_suite(tmp_path, **about), tmp_path / "one")
    run(_suite(tmp_path, **about), tmp_path / "two")
    with pytest.raises(ValueError, match=r"another content of file .*m\.png than those of"):
        merge(tmp_path / "all.db", [tmp_path / "two"], salvage=False, say=print)
