"""A small thing to train: a line through points, by the loop that trains codecs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image as PilImage
from torch import nn

from experiments.cli.main import main
from experiments.training import refining


class Line:
    """A line ``2x + 1`` with noise, and a network with one weight and one bias."""

    name = "line"

    def __init__(self, broken_from=None, broken_until=10**9):
        torch.manual_seed(0)
        self.network = nn.Linear(1, 1)
        self.broken = range(broken_from, broken_until) if broken_from is not None else ()
        self.asked = []

    def batch(self, index, size):
        self.asked.append(index)
        rng = np.random.default_rng(index)
        x = rng.normal(size=(size, 1)).astype(np.float32)
        noise = 0.1 * rng.normal(size=(size, 1)).astype(np.float32)
        y = 2 * x + 1 + noise
        if index in self.broken:
            y[:] = np.nan
            self.broken = range(0)
        return torch.from_numpy(x), torch.from_numpy(y)

    def loss(self, network, batch):
        x, y = batch
        return (network(x) - y).square().mean()

    def validate(self, network, device):
        x = torch.linspace(-1, 1, 9, device=device)[:, None]
        return {"score": -float((network(x) - 2 * x - 1).square().mean().detach())}

    def save(self, network, file, metadata):
        torch.save({"network": network.state_dict(), **metadata}, file)


@pytest.fixture
def line():
    return Line


@pytest.fixture
def train(request, photos, tmp_path, monkeypatch):
    """Run the command of the model that the module names, on small pictures with small squares."""
    monkeypatch.setattr(refining, "SIDE", 96)
    monkeypatch.setattr(refining, "CROP", 64)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        data = [] if "--data" in arguments else ["--data", str(photos)]
        result = CliRunner().invoke(main, ["train", request.module.MODEL, *data, *arguments])
        if not isinstance(result.exception, SystemExit | None):
            raise AssertionError(f"{arguments} ended in a traceback") from result.exception
        return result

    return run


@pytest.fixture
def photos(tmp_path, photo):
    """Twelve small pictures of three sources, a damaged file and a tiny one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(12):
        part = photo[3 * i : 3 * i + 96, 8 * i : 8 * i + 128]
        PilImage.fromarray(part).save(folder / f"p{i:02}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0junk")
    PilImage.fromarray(photo[:20, :20]).save(folder / "tiny.png")
    (folder / "notes.txt").write_text("not an image")
    return folder
