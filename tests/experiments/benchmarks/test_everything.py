"""The benchmark of MobileSAM's search: what it counts and compares."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from experiments.benchmarks.everything import agreement, counted_points, fastest, suppress
from semcom.segmenters.mobile_sam import mask_decoder


def test_boxes_are_suppressed_as_in_torchvision():
    """Expected by hand; of equal boxes, the one with the highest score is kept."""
    boxes = torch.tensor(
        [[0, 0, 10, 10], [0, 0, 10, 8], [0, 0, 10, 7], [20, 0, 30, 10], [0, 0, 10, 10]],
        dtype=torch.float32,
    )
    scores = torch.tensor([0.9, 0.8, 0.7, 0.95, 0.1])
    categories = torch.zeros(5)
    assert suppress(boxes, scores, categories, 0.7).tolist() == [3, 0, 2]  # 0.7 is not above
    assert suppress(boxes[:0], scores[:0], categories[:0], 0.7).tolist() == []


def test_agreement_is_that_of_the_nearest_masks():
    left, right, all_ = (np.zeros((4, 4), bool) for _ in range(3))
    left[:, :2], right[:, 2:], all_[:] = True, True, True
    assert agreement([left, right], [right, left]) == 1
    assert agreement([left, all_], [left]) == pytest.approx(0.75)
    assert agreement([left], []) == 0


def test_prompts_are_counted_and_the_decoder_is_put_back(monkeypatch):
    monkeypatch.setattr(mask_decoder, "attend", lambda _model, _features, sparse: len(sparse))
    before = mask_decoder.attend
    with counted_points() as asked:
        seconds, found = fastest(lambda: mask_decoder.attend(None, None, torch.zeros(4, 2, 256)))
    assert (asked, found) == ([4, 4, 4], 4)
    assert seconds.clock >= 0
    assert mask_decoder.attend is before
