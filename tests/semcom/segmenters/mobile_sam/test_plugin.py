"""The segmenter: what it refuses, and the real checkpoint where there is one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcom.checkpoints import mobile_sam as weights
from semcom.checkpoints import torchvision_import as _torchvision
from semcom.hashes import sha256_of
from semcom.segmenters.base import SEGMENTERS
from semcom.segmenters.mobile_sam import segmenter
from semcom.segmenters.mobile_sam.segmenter import Embedding, MobileSam
from semcom.types import Prompts
from tests.semcom.segmenters.mobile_sam.pictures import POINT, smooth_image


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
    image, prompts = smooth_image(167, 251), Prompts(points=(POINT,))
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
        ({"precision": "int3"}, "unknown precision 'int3'; choices: float32, auto, bfloat16"),
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
