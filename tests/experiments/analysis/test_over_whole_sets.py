"""Points that are compared or joined are over the same images, and it is said of how many."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.analysis.outages import outage_of
from experiments.analysis.robustness import robustness_table
from experiments.figures.robustness.severity import over_severity
from experiments.intervals import share_interval
from experiments.store.measured import SuiteResults
from tests.experiments.figures.studies import (
    Scores,
    column,
    draw_named,
    point,
    recorded,
    scores,
    study,
    table,
)

EASY, HARD = 0.9, 0.1


def _disturbed() -> SuiteResults:
    """Return ten images that fog does nothing to; at severity 5, only four easy ones are done."""
    every = {f"{i}": EASY if i < 4 else HARD for i in range(10)}
    points = []
    for severity in range(6):
        some = dict(list(every.items())[: 4 if severity == 5 else 10])
        seen = {name: {"iou_truth": value} for name, value in some.items()}
        about = {"disturbance": "fog", "severity": severity} if severity else {}
        points.append(recorded("one", seen, segmenter="graph", sent="nothing", **about))
    return study(points, scores=["iou_truth"])


def test_a_severity_that_lacks_images_is_left_out_and_named() -> None:
    found = robustness_table(_disturbed())
    assert found is not None
    mean = (4 * EASY + 6 * HARD) / 10
    assert column(found, "clean") == column(found, "mPC") == [pytest.approx(mean)]
    assert column(found, "rPC") == [pytest.approx(1)]
    assert column(found, "cells") == [4]
    assert "1 of 6 points of IoU" in found.caption
    (drawing,) = over_severity(_disturbed(), width=4)
    assert column(drawing.data, "iou_truth") == [pytest.approx(mean)] * 5
    assert "1 of 6 points of IoU" in drawing.data.caption


def test_an_image_without_a_region_was_neither_shown_nor_not() -> None:
    points = []
    for snr_db in (5.0, 10.0):
        whole: list[Scores] = [scores(12, 12) for _ in range(20)]
        without: list[Scores] = [{"psnr_db": 12.0, "region_psnr_db": None} for _ in range(20)]
        made = point("one", {"a": whole, "b": without}, channel="rayleigh", snr_db=snr_db)
        for row in made.rows:
            row.record["expected_psnr_db"] = 12.0
        made.rows[1].record["region_area"] = 0.0
        points.append(made)
    assert outage_of(points[0], 25.0) == 1
    found = study(points)
    assert column(table(found, "draws"), "shown, %") == [0, 0]
    drawn = draw_named(found)["outage-snr"].data
    assert column(drawn, "outage") == [1, 1]
    low, high = share_interval(1.0, 20)
    assert column(drawn, "interval_low") == [pytest.approx(low)] * 2
    assert column(drawn, "interval_high") == [pytest.approx(high)] * 2
    assert "Images without a region are left out." in drawn.caption


def test_times_are_told_where_both_bandwidths_are_known() -> None:
    cbrs = ("1/192", "1/96", "1/48")
    reached = {"blind": (0.5, 0.7, 0.95), "text": (0.5, 0.95, 0.97), "much": (0.95, 0.96, 0.97)}
    points = [
        point(name, {"a": [{"mask_iou": value}]}, cbr=cbr)
        for name, values in reached.items()
        for cbr, value in zip(cbrs, values, strict=True)
    ]
    found = table(study(points, scores=["mask_iou"], anchor="blind"), "needed")
    blind = 1 / 96 * 2 ** ((0.9 - 0.7) / (0.95 - 0.7))
    text = 1 / 192 * 2 ** ((0.9 - 0.5) / (0.95 - 0.5))
    assert column(found, "times") == [1, pytest.approx(blind / text), None]
    assert math.isfinite(np.sum(column(found, "CBR")))
