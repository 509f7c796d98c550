"""Untrained networks, and what a codec makes of an image with them."""

from __future__ import annotations

import numpy as np
import torch

from semcom.checkpoints import compressai as zoo

SIZE = (70, 100)


def new_model(model: str, seed: int = 0) -> torch.nn.Module:
    """An untrained network, with latents large enough to carry something."""
    build = zoo.import_zoo().image.model_architectures[model]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = build(8) if model.startswith("cheng") else build(8, 12)
        [p for p in network.g_a.parameters() if p.ndim == 4][-1].mul_(30)
    network.update()
    return network


def encode(codec, image, max_bits=10**7):
    w = np.ones(image.shape[:2], dtype=np.float32)
    (packet,) = codec.encode(image, w, max_bits).packets
    return packet.data
