"""Rows of suites with texts: what was found, and by which weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from experiments.datasets.items import find_items
from experiments.running.unit import Job, Unit
from experiments.running.worker import work
from experiments.suites.setting import Setting
from tests.semcom.detectors.tiny import save_owlv2
from tests.semcom.segmenters.hf.tiny import save

pytest.importorskip("transformers", reason="the extra hf is not installed")


def test_a_row_names_the_weights_and_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_owlv2(tmp_path / "owlv2")
    save("sam2", tmp_path / "sam2")
    colours = np.random.default_rng(0).integers(0, 256, (4, 4, 3))
    picture = np.kron(colours, np.ones((16, 16, 1))).astype(np.uint8)
    PilImage.fromarray(picture).save("a.png")
    (item,) = find_items(["a.png"], tmp_path)
    setting = Setting(
        segmenter="hf:model=sam2",
        text="the dog; unicorn",
        detector="owlv2:model=owlv2,threshold=0.5",
        codec="jpeg",
        cbr="1/4",
    )
    setting.check()
    (made,) = work(Unit(item, (Job(setting, 0, 1),)))
    assert not made.error
    record = json.loads(json.dumps(made.record))
    assert record["segmenter"].startswith("hf:model=sam2 (sha256 ")
    assert record["detector"].startswith("owlv2:model=owlv2,threshold=0.5 (sha256 ")
    assert {one["text"] for one in record["found"]} == {"the dog", "unicorn"}

    plain = Setting(segmenter="graph", codec="jpeg", cbr="1/4")
    (before,) = work(Unit(item, (Job(plain, 0, 1),)))
    assert not {"segmenter", "detector", "found", "text"} & before.record.keys()
