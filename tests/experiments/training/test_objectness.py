"""The fit of the weights of ``graph``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.optimize import check_grad

from experiments.training.objectness import (
    Regions,
    chosen_iou,
    expected_iou,
    fit,
    left_out_iou,
    main,
    regions_of,
)
from semcom.segmenters.graph.objectness import WEIGHTS


@pytest.fixture
def pictures():
    """Twelve pictures of twenty regions, whose IoU one feature says and the other does not."""
    rng = np.random.default_rng(1)
    made = []
    for _ in range(12):
        overlap = rng.random(20)
        made.append(Regions(np.stack([7 * overlap, rng.normal(size=20)], axis=1), overlap))
    return made


def test_the_gradient_is_that_of_the_expectation(pictures):
    weights = np.array([0.3, -0.2])
    off = check_grad(
        lambda w: expected_iou(w, pictures)[0], lambda w: expected_iou(w, pictures)[1], weights
    )
    assert off < 1e-5


def test_equal_weights_draw_every_region_alike(pictures):
    mean, _ = expected_iou(np.zeros(2), pictures)
    assert mean == pytest.approx(np.mean([p.overlap.mean() for p in pictures]))


def test_the_fit_finds_the_feature_that_tells(pictures):
    weights = fit(pictures)
    assert weights[0] * 7 > 5 * abs(weights[1])
    best = np.array([p.overlap.max() for p in pictures])
    assert left_out_iou(pictures, 4).mean() > 0.9 * best.mean()
    assert chosen_iou(np.array([1.0, 0.0]), pictures) == pytest.approx(best)


def test_regions_of_a_square():
    """The best region of a bright square is the square; a point admits only what is around it."""
    image = np.full((120, 160, 3), 40, dtype=np.uint8)
    image[40:80, 60:100] = (220, 60, 60)
    truth = image[..., 0] > 100
    all_of_them, around = (regions_of(image, truth, point=point) for point in (False, True))
    assert 0.95 < all_of_them.overlap.max() <= 1
    assert around.overlap.max() == all_of_them.overlap.max()
    assert len(around.overlap) < len(all_of_them.overlap)
    assert all_of_them.features.shape[1] == len(WEIGHTS)
    assert regions_of(np.full((64, 64, 3), 9, dtype=np.uint8), truth[:64, :64], point=False) is None


def test_the_command(tmp_path):
    outlines = {}
    for k in range(2):
        image = np.full((96, 128, 3), 40, dtype=np.uint8)
        image[30:66, 30 + 20 * k : 70 + 20 * k] = (220, 60, 60)
        Image.fromarray(image).save(tmp_path / f"{k}.png")
        left, right = 30 + 20 * k, 69 + 20 * k
        outlines[f"{k}.png"] = [f"{left},30 {right},30 {right},65 {left},65"]
    (tmp_path / "outlines.json").write_text(json.dumps(outlines))
    asked = [str(tmp_path), "--outlines", str(tmp_path / "outlines.json"), "--folds"]
    done = CliRunner().invoke(main, [*asked, "2"])
    assert done.exit_code == 0, done.output
    assert "without prompts, 2 pictures" in done.output
    assert float(done.output.split()[-1]) > 0.9  # the best region around a point
    few = CliRunner().invoke(main, [*asked, "3"])
    assert few.exit_code == 1
    assert "3 folds need as many pictures, got 2" in few.output
