"""Each family of networks: our masks beside those of transformers' own processors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcom.checkpoints.transformers_models import import_transformers
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.everything import distinct, grid
from semcom.segmenters.hf import network as network_module
from semcom.segmenters.hf.network import Seen, prepare, see, segment_prompts
from semcom.segmenters.hf.segmenter import HuggingFace
from semcom.types import Prompts
from tests.semcom.segmenters.hf.tiny import SIDE, save_video

POINTS = ((30.0, 40.0), (100.0, 20.0), (5.0, 90.0), (64.0, 48.0), (127.0, 95.0))
BOXES = ((10.0, 10.0, 60.0, 60.0), (40.0, 0.0, 128.0, 96.0))


def processor(family: str) -> Any:
    """Return the processor that transformers has for a family, at the size of our networks."""
    hf = import_transformers()
    if family in ("sam2", "edgetam"):
        pictures = hf.Sam2ImageProcessor(size={"height": SIDE, "width": SIDE})
        return hf.Sam2Processor(pictures)
    about = {"size": {"longest_edge": SIDE}, "pad_size": {"height": SIDE, "width": SIDE}}
    build = hf.SamProcessor if family == "sam" else hf.SamHQProcessor
    return build(hf.SamImageProcessor(**about))


def their_masks(family: str, model: Any, inputs: Any, *, multimask: bool) -> tuple[Any, Any]:
    """Run a network as its documentation does; return all masks and predicted IoUs."""
    sizes = [inputs.pop("original_sizes")]
    if "reshaped_input_sizes" in inputs:
        sizes.append(inputs.pop("reshaped_input_sizes"))
    with torch.inference_mode():
        out = model(**inputs, multimask_output=multimask)
    about = {"pad_size": {"height": SIDE, "width": SIDE}} if len(sizes) > 1 else {}
    (masks,) = processor(family).post_process_masks(out.pred_masks, *sizes, **about)
    return masks.numpy(), out.iou_scores[0].numpy()


def test_masks_are_those_of_the_own_processor(
    folder: Path, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture is the same to a grey level, and the same picture gives the same masks."""
    ours = HuggingFace(model=str(folder)).network
    theirs = processor(folder.name)
    by_point = theirs(picture, input_points=[[[list(p)] for p in POINTS]], return_tensors="pt")
    by_box = theirs(picture, input_boxes=[[list(b) for b in BOXES]], return_tensors="pt")
    pixels = by_point["pixel_values"]
    level = 1 / 255 / min(ours.std)
    assert float((prepare(ours, picture) - pixels).abs().max()) <= 1.001 * level

    monkeypatch.setattr(network_module, "prepare", lambda *_: pixels)
    found = segment_prompts(see(ours, picture), Prompts(POINTS, BOXES))
    masks, scores = their_masks(folder.name, ours.model, by_point, multimask=True)
    for mask, many, score in zip(found, masks, scores, strict=False):
        best = score.argmax()
        assert np.array_equal(mask.pixels, many[best])
        assert mask.score == pytest.approx(np.clip(score[best], 0, 1), abs=1e-5)
    masks, scores = their_masks(folder.name, ours.model, by_box, multimask=False)
    for mask, one, score in zip(found[len(POINTS) :], masks, scores, strict=True):
        assert np.array_equal(mask.pixels, one[0])
        assert mask.score == pytest.approx(np.clip(score[0], 0, 1), abs=1e-5)


def test_masks_differ_and_do_not_depend_on_other_prompts(folder: Path, picture: Any) -> None:
    segment = HuggingFace(model=str(folder))
    together = segment(picture, Prompts(POINTS, BOXES))
    assert len(together) == len(POINTS) + len(BOXES)
    assert len({mask.pixels.tobytes() for mask in together}) > 3
    alone = [segment(picture, Prompts(points=(point,)))[0] for point in POINTS]
    alone += [segment(picture, Prompts(boxes=(box,)))[0] for box in BOXES]
    for one, other in zip(together, alone, strict=True):
        assert (one.pixels != other.pixels).mean() < 1e-3
        assert one.score == pytest.approx(other.score, abs=1e-5)


@pytest.mark.parametrize("size", [(96, 128), (131, 50)])
def test_everything_is_what_the_grid_finds(
    folder: Path, picture: Any, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The distinct masks of the grid's points; only points in known segments are skipped."""
    height, width = size
    image = np.ascontiguousarray(np.resize(picture, (height, width, 3)))
    spec = f"hf:model={folder},points_per_side=4,min_iou=0,min_stability=0,min_area=1"
    segment: HuggingFace = SEGMENTERS.create(spec)
    asked: list[tuple[float, float]] = []
    at_points = Seen.at_points

    def noting(seen: Seen, points: tuple[tuple[float, float], ...]) -> Any:
        asked.extend(points)
        return at_points(seen, points)

    monkeypatch.setattr(Seen, "at_points", noting)
    found = segment(image)
    seen, tried = see(segment.network, image), tuple(asked)
    with torch.inference_mode():
        answers = [answer for point in tried for answer in seen.at_points((point,))]
    low = torch.cat([answer.low for answer in answers])
    iou = torch.cat([answer.iou for answer in answers])
    rows, columns = seen.valid
    inside = low[:, :rows, :columns] > 0
    some = inside.flatten(1).any(1) & (iou >= 0)
    wanted = [low[some][i] for i in distinct(inside[some], iou[some])]
    assert len(found) == len(wanted)
    for mask, logits in zip(found, wanted, strict=True):
        assert (mask.pixels != seen.enlarge(logits)).mean() < 1e-3
    assert len(tried) >= 4
    for y, x in grid(4):
        covered = bool(inside[some][:, int(y * rows), int(x * columns)].any())
        assert covered or (x * width, y * height) in tried


def test_a_threshold_leaves_masks_out(folder: Path, picture: Any) -> None:
    spec = f"hf:model={folder},points_per_side=3,min_iou=0,min_stability=0,min_area="
    areas = [int(m.pixels.sum()) for m in SEGMENTERS.create(f"{spec}1")(picture)]
    fewer = [int(m.pixels.sum()) for m in SEGMENTERS.create(f"{spec}{max(areas)}")(picture)]
    assert fewer == [area for area in areas if area == max(areas)]
    assert SEGMENTERS.create(f"hf:model={folder},min_iou=1")(picture) == []


@pytest.mark.parametrize("family", ["sam2", "edgetam"])
def test_the_weights_of_a_tracker_serve_as_well(
    folders: dict[str, Path], picture: Any, tmp_path: Path, family: str
) -> None:
    """The hub has SAM 2 and EdgeTAM as networks for video, whose parts for images these are."""
    found = HuggingFace(model=str(save_video(family, tmp_path)))
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == f"{family}_video"
    prompts = Prompts(POINTS, BOXES)
    wanted = HuggingFace(model=str(folders[family]))(picture, prompts)
    for one, other in zip(found(picture, prompts), wanted, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert one.score == other.score
