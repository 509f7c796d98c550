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


def mean_network(amplitude: float) -> torch.nn.Module:
    """A network made by hand, whose latents are the means of blocks of 16x16 pixels.

    Its only error is that of rounding latents, which are ``amplitude`` times the means around 1/2.
    Nothing is known of a latent but its standard deviation, 2.
    """
    network = zoo.import_zoo().image.model_architectures["mbt2018-mean"](3, 3)
    half = torch.zeros(3, 3, 5, 5)
    half[range(3), range(3), 2:4, 2:4] = 1  # the places of a pixel at twice the resolution
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                layer.weight.zero_()
                layer.bias.zero_()
            elif type(layer).__name__ == "GDN":
                layer.gamma.copy_(layer.gamma_reparam.init(torch.zeros(3, 3)))
        down = [one for one in network.g_a if isinstance(one, torch.nn.Conv2d)]
        up = [one for one in network.g_s if isinstance(one, torch.nn.ConvTranspose2d)]
        for one in down:
            one.weight.copy_(half / 4)
        for one in up:
            one.weight.copy_(half)
        down[-1].weight.mul_(amplitude)
        down[-1].bias.fill_(-amplitude / 2)
        up[0].weight.div_(amplitude)
        up[-1].bias.fill_(0.5)
        network.h_s[-1].bias[:3] = 2  # the scales; the means are 0
    network.update()
    return network


def encode(codec, image, max_bits=10**7):
    w = np.ones(image.shape[:2], dtype=np.float32)
    (packet,) = codec.encode(image, w, max_bits).packets
    return packet.data
