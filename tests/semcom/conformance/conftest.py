"""A learned codec without learning: Haar wavelets as weights, for tests without a download."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semcom.checkpoints import compressai as zoo

collect_ignore = ["broken"]  # what it imports is on the path in its tests only
CHANNELS, LATENTS = 48, 128
GAINS = [2 ** (k / 2) for k in range(13)]  # finer and finer


@pytest.fixture(scope="session")
def haar_models(tmp_path_factory: pytest.TempPathFactory, photo: NDArray[np.uint8]) -> Path:
    """A folder of checkpoints of ``bmshj2018-factorized``, one per quality.

    Each layer is one step of a Haar transform that keeps what is strongest in ``photo``; the
    entropy model has logistic laws of the same spread as the latents.
    """
    folder = tmp_path_factory.mktemp("haar")
    x = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    for level, gain in enumerate(GAINS):
        torch.save(haar_model(x, gain).state_dict(), folder / f"{level:02d}.pth.tar")
    return folder


@torch.no_grad()
def haar_model(x: Tensor, gain: float) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        architectures = zoo.import_zoo().image.model_architectures
        model = architectures["bmshj2018-factorized"](CHANNELS, LATENTS)
    y = x
    for step in range(4):
        weight = _haar_step(y, len(model.g_a[2 * step].weight))
        y = nn.functional.conv2d(y, weight, stride=2, padding=2)
        for layer in (model.g_a[2 * step], model.g_s[6 - 2 * step]):
            layer.weight.copy_(weight)
            layer.bias.zero_()
    for layer in (*model.g_a[1::2], *model.g_s[1::2]):  # normalisation by 1
        layer.beta.copy_(layer.beta_reparam.init(torch.ones_like(layer.beta)))
        layer.gamma.copy_(layer.gamma_reparam.init(torch.zeros_like(layer.gamma)))
    model.g_a[6].weight *= gain
    model.g_s[0].weight /= gain
    _fit(model.entropy_bottleneck, gain * y)
    return model


def _haar_step(y: Tensor, num_outputs: int) -> Tensor:
    """Return the kernels of one step that are strongest on ``y``: (outputs, inputs, 5, 5)."""
    haar = torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / math.sqrt(2)
    inputs = y.shape[1]
    mix = torch.eye(inputs)
    if inputs == 3:  # colours first
        mix = torch.linalg.eigh(torch.cov(y[0].flatten(1)))[1].T
    kernels = torch.zeros(max(4 * inputs, num_outputs), inputs, 5, 5)
    pairs = torch.einsum("ci,ah,bw->cabihw", mix, haar, haar)
    kernels[: 4 * inputs, :, 2:4, 2:4] = pairs.reshape(-1, inputs, 2, 2)
    energy = nn.functional.conv2d(y, kernels, stride=2, padding=2)[0].square().sum((1, 2))
    return kernels[energy.argsort(descending=True)[:num_outputs]]


def _fit(bottleneck: nn.Module, y: Tensor) -> None:
    """Give the latents logistic laws: the network of the entropy model computes (y - m) / s."""
    middle = y[0].flatten(1).median(dim=1).values
    scale = 0.72 * (y[0] - middle[:, None, None]).abs().mean((1, 2)).clamp(min=0.02)
    for matrix, bias in zip(bottleneck.matrices, bottleneck.biases, strict=True):
        slope = scale ** (-1 / len(bottleneck.matrices)) / matrix.shape[1]
        matrix.copy_(slope.expm1().log()[:, None, None].expand_as(matrix))
        bias.zero_()
    bias.copy_((-middle / scale)[:, None, None])
    bottleneck.update(force=True, update_quantiles=True)
