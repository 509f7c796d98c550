"""Scores of masks against closed forms and against definitions written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from semcom.scores.masks import ber, boundary_f, f_beta, iou_or_none, mae, mask_scores

EMPTY, FULL = np.zeros((40, 60), bool), np.ones((40, 60), bool)


def box(top, left, height, width):
    mask = EMPTY.copy()
    mask[top : top + height, left : left + width] = True
    return mask


def test_boxes_that_overlap_by_half():
    """20x20 pixels each, 20x10 in common."""
    mask, truth = box(10, 10, 20, 20), box(10, 20, 20, 20)
    assert iou_or_none(mask, truth) == pytest.approx(200 / 600)
    assert mae(mask, truth) == pytest.approx(400 / 2400)
    assert f_beta(mask, truth) == pytest.approx(0.5)  # precision and recall are 1/2
    assert ber(mask, truth) == pytest.approx(1 - 0.5 * (200 / 400 + 1800 / 2000))


def test_precision_weighs_more_than_recall():
    """F-beta with precision 1 and recall 1/4, and with both exchanged."""
    small, large = box(10, 10, 10, 10), box(10, 10, 20, 20)
    assert f_beta(small, large) == pytest.approx(1.3 * 0.25 / (0.3 + 0.25))
    assert f_beta(large, small) == pytest.approx(1.3 * 0.25 / (0.3 * 0.25 + 1))


def test_against_counting_pixel_by_pixel():
    rng = np.random.default_rng(0)
    mask, truth = rng.random((2, 40, 60)) < 0.4
    pairs = list(zip(mask.ravel().tolist(), truth.ravel().tolist(), strict=True))
    tp, fp = pairs.count((True, True)), pairs.count((True, False))
    fn, tn = pairs.count((False, True)), pairs.count((False, False))
    assert iou_or_none(mask, truth) == pytest.approx(tp / (tp + fp + fn))
    assert mae(mask, truth) == pytest.approx((fp + fn) / len(pairs))
    assert ber(mask, truth) == pytest.approx((fn / (tp + fn) + fp / (tn + fp)) / 2)
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    assert f_beta(mask, truth) == pytest.approx(
        1.3 * precision * recall / (0.3 * precision + recall)
    )


def test_what_is_undefined_is_none():
    assert iou_or_none(EMPTY, EMPTY) is None
    assert iou_or_none(EMPTY, FULL) == 0
    assert ber(FULL, FULL) is None
    assert ber(FULL, EMPTY) is None
    assert f_beta(FULL, EMPTY) is None
    assert f_beta(EMPTY, FULL) == 0
    assert boundary_f(EMPTY, FULL) is None
    assert boundary_f(EMPTY, box(5, 5, 9, 9)) == 0


def test_boundaries_are_found_within_the_tolerance():
    """Of a frame of 40x60, 0.8 % of the diagonal are 0.6 pixels, and so one pixel counts."""
    truth = box(10, 10, 20, 20)
    assert boundary_f(truth, truth) == 1
    assert boundary_f(box(11, 11, 18, 18), truth) > 0.85  # but for the corners
    assert boundary_f(box(14, 14, 12, 12), truth) == 0
    # One side of four is found, with the neighbourhood of its ends.
    assert 0.2 < boundary_f(box(10, 10, 20, 35), truth) < 0.85


def test_only_what_is_given_is_scored():
    truth = box(10, 10, 20, 20)
    assert mask_scores(truth) == {}
    assert mask_scores(truth, clean=truth) == {"iou_clean": 1.0}
    names = {"iou_truth", "boundary_f", "f_beta", "mae", "ber", "iou_mirrored"}
    assert mask_scores(truth, truth=truth).keys() == names


def test_the_mirrored_iou_is_that_with_the_mirror_image():
    truth = box(4, 2, 12, 10)
    mirrored = np.ascontiguousarray(truth[:, ::-1])
    assert mask_scores(mirrored, truth=truth)["iou_mirrored"] == 1
    assert mask_scores(truth, truth=truth)["iou_mirrored"] == iou_or_none(truth, mirrored)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_against_an_independent_implementation(seed, share):
    """PySODMetrics, which papers on salient objects, glass and mirrors use."""
    judge = pytest.importorskip("py_sod_metrics")
    mask, truth = np.random.default_rng(seed).random((2, 40, 60)) < share
    seen = {"pred": np.uint8(255) * mask, "gt": np.uint8(255) * truth}
    how = {"with_dynamic": False, "with_adaptive": False, "with_binary": True}
    handlers = {
        "f_beta": judge.FmeasureHandler(beta=0.3, **how),
        "iou": judge.IOUHandler(**how),
        "ber": judge.BERHandler(**how),
    }
    several, error = judge.FmeasureV2(metric_handlers=handlers), judge.MAE()
    several.step(**seen)
    error.step(**seen)
    expected = {name: found["binary"] for name, found in several.get_results().items()}
    assert f_beta(mask, truth) == pytest.approx(expected["f_beta"])
    assert iou_or_none(mask, truth) == pytest.approx(expected["iou"])
    assert ber(mask, truth) == pytest.approx(expected["ber"])
    assert mae(mask, truth) == pytest.approx(error.get_results()["mae"])
