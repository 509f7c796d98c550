"""Segments of everything, on known scenes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semcom.segmenters.everything import Everything, distinct, grid
from semcom.segmenters.mobile_sam import mask_decoder, segmenter
from semcom.segmenters.mobile_sam.embedding import Embedding
from semcom.types import Prompts


class _Oracle:
    """Stands for the decoder: a point's masks are the regions of ``scene`` that contain it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, regions: list[NDArray[np.bool_]]) -> None:
        self.regions = regions
        self.asked: list[tuple[float, float]] = []
        self.iou = 0.95
        monkeypatch.setattr(segmenter, "embed_prompts", self._points)
        monkeypatch.setattr(mask_decoder, "attend", self._attend)
        monkeypatch.setattr(mask_decoder, "masks", self._masks)

    def _points(self, _model: Any, _embedding: Embedding, prompts: Prompts) -> torch.Tensor:
        self.asked += prompts.points
        return torch.tensor(prompts.points)

    def _attend(
        self, _model: Any, _features: torch.Tensor, points: torch.Tensor, _shared: Any
    ) -> mask_decoder.Decoded:
        iou = torch.full((len(points), 4), self.iou)
        return mask_decoder.Decoded(points, points, iou)

    def _masks(self, _model: Any, decoded: mask_decoder.Decoded) -> torch.Tensor:
        ((x, y),) = decoded.mask_tokens.int().tolist()
        logits = torch.full((1, 4, 256, 256), 9.0)  # also over the padding
        h, w = (round(256 * side / max(self.regions[0].shape)) for side in self.regions[0].shape)
        hit = [region for region in self.regions if region[y, x]]
        for k in range(4):
            region = torch.from_numpy(hit[min(max(k - 1, 0), len(hit) - 1)]).float()[None, None]
            small = torch.nn.functional.interpolate(region, (h, w), mode="area")[0, 0]
            logits[0, k, :h, :w] = 18 * small - 9
        return logits


def _scene(*boxes: tuple[int, int, int, int]) -> list[NDArray[np.bool_]]:
    regions = []
    for y0, y1, x0, x1 in boxes:
        region = np.zeros((256, 512), dtype=bool)
        region[y0:y1, x0:x1] = True
        regions.append(region)
    return regions


@pytest.fixture
def flat() -> Embedding:
    return Embedding(torch.zeros(1, 256, 64, 64), (256, 512), (512, 1024))


def test_everything_finds_each_segment_once(
    model: Any, flat: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = _scene((0, 256, 0, 200), (0, 120, 200, 512), (120, 256, 200, 512))
    oracle = _Oracle(monkeypatch, scene)
    found = segmenter.segment_everything(model, flat, Everything(min_stability=0.9))
    assert len(found) == len(scene)
    for region in scene:
        assert min((mask.pixels != region).mean() for mask in found) < 0.01
    assert all(mask.score == pytest.approx(0.95) for mask in found)
    assert 36 <= len(oracle.asked) <= 48, "points in known segments are to be skipped"


def test_everything_finds_the_part_inside_the_whole(
    model: Any, flat: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = _scene((0, 256, 0, 512), (40, 140, 60, 260))
    _Oracle(monkeypatch, scene)
    found = segmenter.segment_everything(model, flat, Everything(min_stability=0.9))
    areas = sorted(int(mask.pixels.sum()) for mask in found)
    assert areas[-1] == 256 * 512
    assert areas[0] == pytest.approx(100 * 200, rel=0.05)


def test_everything_drops_small_unsure_and_unstable_masks(
    model: Any, flat: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = _Oracle(monkeypatch, _scene((0, 256, 0, 400), (0, 256, 400, 512)))
    found = segmenter.segment_everything(model, flat, Everything(min_area=112 * 256 + 1500))
    assert [mask.pixels.sum() > 300 * 256 for mask in found] == [True]
    monkeypatch.setattr(mask_decoder, "masks", lambda *_: torch.full((1, 4, 256, 256), 0.5))
    assert segmenter.segment_everything(model, flat, Everything()) == []
    oracle.iou = 0.5
    assert segmenter.segment_everything(model, flat, Everything(min_stability=0)) == []


def test_everything_on_the_network(model: Any, embedding: Embedding) -> None:
    lax = Everything(points_per_side=4, min_iou=0, min_stability=0, min_area=50)
    found = segmenter.segment_everything(model, embedding, lax)
    assert len(found) >= 2
    assert [mask.score for mask in found] == sorted((mask.score for mask in found), reverse=True)
    assert all(mask.pixels.shape == (167, 251) for mask in found)
    assert all(mask.pixels.sum() >= 50 for mask in found)
    again = segmenter.segment_everything(model, embedding, lax)
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(found, again, strict=True))


def test_suppression_keeps_the_best_of_alike_masks() -> None:
    masks = torch.zeros(4, 10, 100, dtype=torch.bool)
    masks[0, :, :50] = True
    masks[1, :, :40] = True  # IoU 0.8 with the first
    masks[2, :, :35] = True  # 0.7 with the first, exactly on the threshold
    masks[3, :, 50:] = True
    assert distinct(masks, torch.tensor([0.9, 0.8, 0.7, 0.95])) == [3, 0, 2]
    assert distinct(masks, torch.tensor([0.8, 0.9, 0.7, 0.1])) == [1, 3]
    assert distinct(masks[:0], torch.empty(0)) == []


@pytest.mark.parametrize("per_side", [1, 2, 3, 12, 32])
def test_grid_visits_every_cell_once(per_side: int) -> None:
    cells = grid(per_side) * per_side - 0.5
    visited = {(int(y), int(x)) for y, x in np.rint(cells)}
    assert visited == {(y, x) for y in range(per_side) for x in range(per_side)}
    assert len(cells) == per_side**2
