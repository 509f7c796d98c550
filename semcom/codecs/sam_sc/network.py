"""The network: four convolutions to latents at 1/16 of the resolution, and four back.

The encoder is that of the paper: four times a convolution of 3x3, ReLU, batch normalisation and
max-pooling by 2, with 16, 32, 64 and 128 channels. The decoder mirrors it by transposed
convolutions of 4x4 with stride 2, with ReLU between them.

References
----------
S. Tariq, B. E. Arfeto, C. Zhang, H. Shin, "Segment Anything Meets Semantic Communication",
arXiv:2306.02094.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from semcom.codecs.parts.cells import CELL

CHANNELS = 128
"""Real latents of a cell; two are a symbol."""
_SIZES = (3, 16, 32, 64, CHANNELS)
_STRIP_PIXELS = 1 << 20  # seen at once, which bounds the memory
_CONTEXT = 2  # cells beside a strip that change it


class SamSc(nn.Module):
    """The encoder and the decoder."""

    def __init__(self) -> None:
        super().__init__()
        down = [
            layer
            for before, after in pairwise(_SIZES)
            for layer in (
                nn.Conv2d(before, after, 3, padding=1),
                nn.ReLU(),
                nn.BatchNorm2d(after),
                nn.MaxPool2d(2),
            )
        ]
        up = [
            layer
            for before, after in pairwise(reversed(_SIZES))
            for layer in (nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.ReLU())
        ]
        self.encoder, self.decoder = nn.Sequential(*down), nn.Sequential(*up[:-1])


def to_latents(network: SamSc, image: Tensor) -> Tensor:
    """Return the latents (128, ⌈H/16⌉, ⌈W/16⌉) of an image (3, H, W) with values from 0 to 1."""
    _, height, width = image.shape
    padding = (0, -width % CELL, 0, -height % CELL)
    padded = functional.pad(image[None], padding, mode="replicate")
    return _in_strips(network.encoder, padded, CELL, 1)


def to_picture(network: SamSc, latents: Tensor, height: int, width: int) -> Tensor:
    """Return the picture (3, height, width) of latents; its values may leave 0 to 1."""
    return _in_strips(network.decoder, latents[None], 1, CELL)[:, :height, :width]


def _in_strips(part: nn.Module, values: Tensor, cell: int, scale: int) -> Tensor:
    """Apply a part of the network to strips of rows, without seams.

    ``cell`` is the number of rows of a cell in ``values``, and ``scale`` that in the result if it
    has more.
    """
    rows = values.shape[2] // cell
    width = values.shape[3] // cell * CELL
    strip = max(1, _STRIP_PIXELS // (width * CELL))
    found = []
    for top in range(0, rows, strip):
        end = min(rows, top + strip)
        first, last = max(0, top - _CONTEXT), min(rows, end + _CONTEXT)
        with torch.inference_mode():
            shown: Tensor = part(values[:, :, first * cell : last * cell])[0]
        found.append(shown[:, (top - first) * scale : (end - first) * scale])
    return torch.cat(found, dim=1)
