"""MobileSAM with random weights, the same in every test."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semcom.segmenters.mobile_sam import segmenter
from semcom.segmenters.mobile_sam.network import build_model
from semcom.segmenters.mobile_sam.segmenter import Embedding
from tests.semcom.segmenters.mobile_sam.pictures import SEED, smooth_image


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def model(state: dict[str, torch.Tensor]) -> Any:
    return build_model(state)


@pytest.fixture(scope="session")
def embedding(model: Any) -> Embedding:
    return segmenter.embed(model, smooth_image(167, 251))
