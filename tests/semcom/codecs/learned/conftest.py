"""Checkpoints of untrained networks, and a picture for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semcom.checkpoints import compressai as zoo
from semcom.codecs.learned.weights import MODELS
from tests.semcom.codecs.learned.networks import SIZE, new_model


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("untrained")
    files = {model: folder / f"{model}.pth.tar" for model in MODELS}
    for model, file in files.items():
        torch.save(new_model(model).state_dict(), file)
    return files


@pytest.fixture(scope="session")
def picture(photo):
    return np.ascontiguousarray(photo[: SIZE[0], : SIZE[1]])


@pytest.fixture(scope="session")
def trained(tmp_path_factory, photo) -> Path:
    """A mean-scale hyperprior that has seen the photo for some seconds."""
    network = zoo.import_zoo().image.model_architectures["mbt2018-mean"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = network(16, 24).train()
        x = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
        optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
        for step in range(200):
            top, left = (37 * step) % 32, (61 * step) % 112
            crop = x[..., top : top + 128, left : left + 128]
            out = network(crop)
            bits = sum(-p.log2().sum() for p in out["likelihoods"].values()) / 128**2
            loss = bits + 0.02 * 255**2 * (out["x_hat"] - crop).square().mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
    network.update(force=True, update_quantiles=True)
    file = tmp_path_factory.mktemp("trained") / "tiny.pth.tar"
    torch.save(network.state_dict(), file)
    return file
