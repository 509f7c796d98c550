"""The report's pictures: which are kept, and how they are drawn."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as PilImage

from experiments.report import pictures
from experiments.report.viewer import _thin
from experiments.store.kept_pictures import Shot
from experiments.store.measured import ImageRow
from experiments.suites.axes import System
from experiments.suites.setting import Setting


def pixels(data: bytes, mode: str = "RGB") -> np.ndarray[Any, Any]:
    return np.asarray(PilImage.open(io.BytesIO(data)).convert(mode)).astype(float)


def image_row(shown: str) -> ImageRow:
    outcomes = ({"draw": 0, "sha256": shown},)
    return ImageRow("i", "", "i.png", shown, 1, 0, {}, {}, outcomes)


def test_the_longest_axis_is_thinned_first_and_evenly() -> None:
    values = {"image": [("i", "")], "cbr": ["1/16", "1/8"], "snr_db": [float(i) for i in range(21)]}
    shots = [
        Shot(System(system), Setting(cbr=cbr, snr_db=snr_db), image_row(f"{system} {cbr} {snr_db}"))
        for system in ("a", "b")
        for cbr in values["cbr"]
        for snr_db in values["snr_db"]
    ]
    kept, left = _thin(values, shots, 21)  # 5 of 21 SNRs by 2 by 2, and the original
    assert kept == {**values, "snr_db": [0, 5, 10, 15, 20]}
    assert {(s.system.name, s.setting.cbr, s.setting.snr_db) for s in left} == {
        (system, cbr, snr_db)
        for system in ("a", "b")
        for cbr in values["cbr"]
        for snr_db in kept["snr_db"]
    }
    kept, left = _thin(values, shots, 0)
    assert len(left) == 2  # both systems, always
    assert _thin(values, shots, 1000) == (values, shots)


def test_the_picture_is_that_of_the_first_draw() -> None:
    outcomes = ({"draw": 3, "sha256": "other"}, {"draw": 0, "sha256": "first"})
    row = replace(image_row(""), outcomes=outcomes)
    assert Shot(System("a"), Setting(), row).key == ("i", "first")


def test_regions_are_drawn_where_they_are() -> None:
    region = np.zeros((40, 60, 3), dtype=np.uint8)
    region[10:30, 20:50] = 255
    inside = region[..., 0] > 0
    picture = PilImage.fromarray(region)
    dark = pixels(pictures.shade(picture), "RGBA")
    assert (dark[..., 3] == 0).tolist() == inside.tolist()
    edge = pixels(pictures.outline(picture), "RGBA")
    drawn = edge[..., 3] > 0
    assert (edge[..., 0][drawn] > 0).tolist() == inside[drawn].tolist()
    assert drawn.sum() == (22 * 32) - (18 * 28)  # a pixel on either side of the border


def test_large_pictures_are_scaled_down() -> None:
    picture = PilImage.new("RGB", (4000, 1000), "red")
    assert pixels(pictures.received(picture)).shape == (320, 1280, 3)
    assert pixels(pictures.error_map(picture, picture), "L").shape == (160, 640)
    assert pixels(pictures.outline(picture), "RGBA").shape == (320, 1280, 4)
