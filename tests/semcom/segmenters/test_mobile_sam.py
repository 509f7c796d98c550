"""MobileSAM against its reference with random weights, and its "everything" on known scenes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semcom.checkpoints import mobile_sam as weights
from semcom.checkpoints import torchvision_import as _torchvision
from semcom.hashes import sha256_of
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mobile_sam import mask_decoder, segmenter
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.mobile_sam.segmenter import Embedding, Everything, MobileSam
from semcom.types import Image, Mask, Prompts

SEED = 7
POINT, BOX = (130.0, 71.0), (20.0, 30.0, 140.0, 150.0)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads that wait for a busy core are slower than one
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    """Random weights where every tensor counts: no zero biases, no untouched batch norms."""
    build_model()  # makes mobile_sam importable
    from mobile_sam.build_sam import build_sam_vit_t

    rng = torch.Generator().manual_seed(7)
    state = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        initial = build_sam_vit_t().state_dict()
    for name, value in initial.items():
        if not value.is_floating_point():
            state[name] = value
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(value.shape, generator=rng)
        else:
            state[name] = value + 0.03 * torch.randn(value.shape, generator=rng)
    state["mask_decoder.iou_prediction_head.layers.2.bias"] += 0.8
    return state


@pytest.fixture(scope="module")
def model(state: dict[str, torch.Tensor]) -> Any:
    return build_model(state)


@pytest.fixture(scope="module")
def reference(state: dict[str, torch.Tensor]) -> Any:
    """Build the reference's predictor of the same weights."""
    from mobile_sam import SamPredictor
    from mobile_sam.build_sam import build_sam_vit_t

    sam = build_sam_vit_t()
    sam.load_state_dict(state)
    return SamPredictor(sam.eval())


def _image(height: int, width: int) -> Image:
    """Smooth colours and a few edges, so that resizing matters."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(7 * x + 3 * y), np.cos(5 * x * y), np.sign(np.sin(9 * y - 4 * x))]
    return np.asarray(np.stack([127 + 120 * w for w in waves], axis=-1), dtype=np.uint8)


@pytest.fixture(scope="module")
def embedding(model: Any) -> Embedding:
    return segmenter.embed(model, _image(167, 251))


@pytest.mark.parametrize(("height", "width"), [(1100, 1500), (301, 97)])
def test_masks_equal_the_references(model: Any, reference: Any, height: int, width: int) -> None:
    image = _image(height, width)
    embedding = segmenter.embed(model, image)
    reference.set_image(image)
    torch.testing.assert_close(embedding.features, reference.features, rtol=1e-3, atol=1e-3)

    point, box = (0.7 * width, 0.4 * height), (0.1 * width, 0.2 * height, 0.6 * width, 0.9 * height)
    ours = segmenter.segment_prompts(model, embedding, Prompts((point,), (box,)))
    masks, iou, _ = reference.predict(np.array([point]), np.array([1]))
    _assert_same(ours[0], masks[iou.argmax()], iou.max())
    masks, iou, _ = reference.predict(box=np.array(box), multimask_output=False)
    _assert_same(ours[1], masks[0], iou[0])


def _assert_same(ours: Mask, mask: NDArray[np.bool_], iou: float) -> None:
    assert ours.pixels.shape == mask.shape
    assert ours.pixels.dtype == np.bool_
    assert 0.02 < mask.mean() < 0.98, "a mask that is trivial proves nothing"
    assert (ours.pixels != mask).mean() < 1e-3
    assert ours.score == pytest.approx(min(1, max(0, iou)), abs=1e-4)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (3, 4000)])
def test_any_size_is_segmented(model: Any, height: int, width: int) -> None:
    embedding = segmenter.embed(model, _image(height, width))
    found = segmenter.segment_prompts(model, embedding, Prompts(((width - 1.0, height - 1.0),)))
    assert [mask.pixels.shape for mask in found] == [(height, width)]
    assert embedding.features.isfinite().all()


def test_decoder_equals_the_references(model: Any, embedding: Embedding) -> None:
    prompts = Prompts(points=(POINT, (3.0, 160.0)), boxes=(BOX,))
    with torch.inference_mode():
        sparse = segmenter._embed_prompts(model, embedding, prompts)
        decoded = mask_decoder.attend(model, embedding.features, sparse)
        logits = mask_decoder.masks(model, decoded)
        dense = model.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(3, -1, 64, 64)
        pe = model.prompt_encoder.get_dense_pe()
        expected = model.mask_decoder.predict_masks(embedding.features, pe, sparse, dense)
        for i in range(3):
            alone = mask_decoder.attend(model, embedding.features, sparse[i : i + 1])
            torch.testing.assert_close(alone.iou, decoded.iou[i : i + 1], rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(alone.vectors[0], decoded.vectors[i], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits, expected[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(decoded.iou, expected[1], rtol=1e-4, atol=1e-5)
    assert (logits[0] - logits[1]).abs().max() > 100 * (logits - expected[0]).abs().max()


def test_one_mask_per_prompt_in_order_and_repeatable(model: Any, embedding: Embedding) -> None:
    points = tuple((float(x), 40.0 + x / 9) for x in range(10, 240, 40))
    prompts = Prompts(points=points, boxes=(BOX, (0.0, 0.0, 251.0, 167.0)))
    found = segmenter.segment_prompts(model, embedding, prompts)
    again = segmenter.segment_prompts(model, embedding, prompts)
    assert len(found) == len(points) + 2
    for mask, twin in zip(found, again, strict=True):
        np.testing.assert_array_equal(mask.pixels, twin.pixels)
        assert mask.score == twin.score
    singles = [Prompts(points=(p,)) for p in points] + [Prompts(boxes=(b,)) for b in prompts.boxes]
    for mask, single in zip(found, singles, strict=True):
        (alone,) = segmenter.segment_prompts(model, embedding, single)
        assert (mask.pixels != alone.pixels).mean() < 1e-3
        assert mask.score == pytest.approx(alone.score, abs=1e-4)


def test_random_weights_follow_the_seed_and_leave_torch_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (build_model(seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


# "Everything": the bookkeeping, on a decoder that knows the scene.


class _Oracle:
    """Stands for the decoder: a point's masks are the regions of ``scene`` that contain it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, regions: list[NDArray[np.bool_]]) -> None:
        self.regions = regions
        self.asked: list[tuple[float, float]] = []
        self.iou = 0.95
        monkeypatch.setattr(segmenter, "_embed_prompts", self._points)
        monkeypatch.setattr(mask_decoder, "attend", self._attend)
        monkeypatch.setattr(mask_decoder, "masks", self._masks)

    def _points(self, _model: Any, _embedding: Embedding, prompts: Prompts) -> torch.Tensor:
        self.asked += prompts.points
        return torch.tensor(prompts.points)

    def _attend(
        self, _model: Any, _features: torch.Tensor, points: torch.Tensor
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
    assert segmenter._distinct(masks, torch.tensor([0.9, 0.8, 0.7, 0.95])) == [3, 0, 2]
    assert segmenter._distinct(masks, torch.tensor([0.8, 0.9, 0.7, 0.1])) == [1, 3]
    assert segmenter._distinct(masks[:0], torch.empty(0)) == []


@pytest.mark.parametrize("per_side", [1, 2, 3, 12, 32])
def test_grid_visits_every_cell_once(per_side: int) -> None:
    cells = segmenter._grid(per_side) * per_side - 0.5
    visited = {(int(y), int(x)) for y, x in np.rint(cells)}
    assert visited == {(y, x) for y in range(per_side) for x in range(per_side)}
    assert len(cells) == per_side**2


# The plugin: options, checkpoints, bad input.


@pytest.fixture(scope="module")
def plugin(state: dict[str, torch.Tensor], tmp_path_factory: Any) -> MobileSam:
    file = tmp_path_factory.mktemp("weights") / "own.pt"
    torch.save(state, file)
    made: MobileSam = SEGMENTERS.create(f"mobile_sam:weights={file},points_per_side=2,min_iou=0")
    assert made.provenance == f"mobile_sam:{sha256_of(file)[:8]}"
    return made


def test_plugin_segments_as_the_functions_do(
    plugin: MobileSam, model: Any, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, prompts = _image(167, 251), Prompts(points=(POINT,))
    (mask,) = plugin(image, prompts)
    (expected,) = segmenter.segment_prompts(model, embedding, prompts)
    np.testing.assert_array_equal(mask.pixels, expected.pixels)
    assert mask.score == expected.score
    monkeypatch.setattr(segmenter, "embed", lambda *_: embedding)
    found = plugin(image)
    assert len(found) == len(segmenter.segment_everything(model, embedding, plugin.settings))


def test_plugin_refuses_bad_images_and_prompts(plugin: MobileSam) -> None:
    for image in (np.zeros((9, 9)), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8, got"):
            plugin(image)
    with pytest.raises(ValueError, match="point 9,1 lies outside the 9x9 image"):
        plugin(np.zeros((9, 9, 3), np.uint8), Prompts(points=((9.0, 1.0),)))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"points_per_side": 0}, "points_per_side must be 1 to 32, got 0"),
        ({"min_iou": 1.5}, "min_iou must be 0 to 1, got 1.5"),
        ({"min_stability": float("nan")}, "min_stability must be 0 to 1, got nan"),
        ({"min_area": 0}, "min_area must be 1 to 50000000 pixels, got 0"),
        ({"device": "abacus"}, "device 'abacus' is not available"),
        ({"weights": "/nowhere/own.pt"}, "/nowhere/own.pt.*No such file"),
    ],
)
def test_plugin_refuses_bad_options_in_one_line(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        MobileSam(**options)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    name = "mask_decoder.iou_token.weight"
    rest = {k: v for k, v in state.items() if k != name}
    wrong = {
        "1 missing": rest,
        "1 unknown": state | {"extra": torch.ones(1)},
        "1 of another shape": rest | {name: torch.ones(1, 255)},
    }
    for match, weird in wrong.items():
        torch.save(weird, tmp_path / "own.pt")
        with pytest.raises(ValueError, match=rf"own\.pt.*not MobileSAM's.*{match}") as caught:
            MobileSam(weights=str(tmp_path / "own.pt"))
        assert "\n" not in str(caught.value)


def test_torchvision_imports_and_its_other_failures_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _torchvision.import_torchvision()
    assert "torchvision.transforms" in sys.modules

    def fail(_name: str) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(RuntimeError, match="something else"):
        _torchvision.import_torchvision()


# With the real checkpoint.


@pytest.fixture(scope="module")
def real() -> MobileSam:
    if not weights.available():
        pytest.skip(f"no MobileSAM checkpoint at {weights.path()}: semcom weights fetch")
    return MobileSam()


@pytest.mark.weights
def test_checkpoint_is_the_official_one(real: MobileSam) -> None:
    weights.check()
    assert real.provenance == "mobile_sam:6dbb9052"


@pytest.mark.weights
def test_a_point_on_the_face_finds_it(real: MobileSam) -> None:
    from skimage.data import astronaut

    (mask,) = real(astronaut(), Prompts(points=((220.0, 100.0),)))
    assert mask.pixels[100, 220]
    assert mask.score > 0.8
    assert 0.01 < mask.pixels.mean() < 0.6


@pytest.mark.weights
def test_everything_finds_segments(real: MobileSam) -> None:
    from skimage.data import astronaut

    assert len(real(astronaut())) >= 5
