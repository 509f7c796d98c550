"""bfloat16 beside float32, on a small network whose mask head learned here to find bright discs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from semcom.processor import has_bfloat16
from semcom.segmenters.mobile_sam import mask_decoder
from semcom.segmenters.mobile_sam.embedding import embed, embed_prompts, to_input
from semcom.segmenters.mobile_sam.encoder import PREFIX, build_encoder
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.mobile_sam.segmenter import MobileSam
from semcom.segmenters.overlap import iou
from semcom.types import Image, Prompts
from tests.experiments.training.sam_teachers import STUDENT, state_of

SIDE = 128


def scene(seed: int) -> tuple[Image, NDArray[np.bool_], Prompts]:
    """Draw a bright disc on a dark, noisy ground; return it with its mask and a point in it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    cy, cx, radius = *rng.uniform(40, SIDE - 40, 2), rng.uniform(18, 30)
    mask = np.hypot(y - cy, x - cx) < radius
    level = np.where(mask, 190.0, 70.0)[..., None] + rng.normal(0, 12, (SIDE, SIDE, 3))
    image = np.clip(level, 0, 255).astype(np.uint8)
    return image, mask, Prompts(points=((float(cx), float(cy)),))


def with_statistics(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Measure what the batch norms see, without which random layers lose the picture."""
    model, encoder = build_model(state), build_encoder(STUDENT)
    encoder.load_state_dict(
        {name.removeprefix(PREFIX): x for name, x in state.items() if PREFIX in name}
    )
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.ones_(module.weight)
    with torch.no_grad():
        encoder(torch.cat([to_input(model, scene(seed)[0])[0] for seed in range(2)]))
    return state | {PREFIX + name: x for name, x in encoder.state_dict().items()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: Any) -> Path:
    """Train what makes masks of image vectors, on four scenes; the rest is random."""
    state = with_statistics(state_of(STUDENT))
    model = build_model(state).requires_grad_(False)
    seen = []
    for seed in range(4):
        image, mask, prompts = scene(seed)
        embedding = embed(model, image)
        with torch.no_grad():
            features = embedding.features.clone()
            decoded = mask_decoder.attend(model, features, embed_prompts(model, embedding, prompts))
        truth = torch.from_numpy(mask).float().repeat_interleave(2, 0).repeat_interleave(2, 1)
        seen.append((decoded, truth.expand(4, -1, -1)))
    head = nn.ModuleList(
        [model.mask_decoder.output_upscaling, model.mask_decoder.output_hypernetworks_mlps]
    ).requires_grad_(True)
    optimizer = torch.optim.Adam(head.parameters(), 3e-3)
    for step in range(60):
        decoded, truth = seen[step % len(seen)]
        logits = mask_decoder.masks(model, decoded)[0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    learned = {name: x for name, x in model.state_dict().items() if name.startswith("mask_decoder")}
    file: Path = tmp_path_factory.mktemp("trained") / "own.pt"
    torch.save(state | learned, file)
    return file


@pytest.mark.slow
def test_masks_in_bfloat16_are_those_in_float32(trained: Path) -> None:
    exact, reduced = (
        MobileSam(weights=str(trained), precision=precision)
        for precision in ("float32", "bfloat16")
    )
    assert reduced.provenance == f"{exact.provenance}-bfloat16"
    alike, right = [], []
    for seed in (10, 11):
        image, mask, prompts = scene(seed)
        (ours,), (theirs,) = reduced(image, prompts), exact(image, prompts)
        alike.append(iou(ours.pixels, theirs.pixels))
        right.append(iou(theirs.pixels, mask))
        assert ours.score == pytest.approx(theirs.score, abs=0.05)
    assert min(right) > 0.7, "a network that finds nothing proves nothing"
    assert np.mean(alike) > 0.95
    assert max(alike) < 1, "bfloat16 is not float32"


@pytest.mark.slow
def test_auto_is_bfloat16_where_the_processor_has_it(trained: Path) -> None:
    used = MobileSam(weights=str(trained), precision="auto").provenance.endswith("-bfloat16")
    assert used == has_bfloat16()
    assert "bfloat16" not in MobileSam(weights=str(trained)).provenance
