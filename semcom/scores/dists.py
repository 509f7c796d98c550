"""DISTS: similarity of two pictures in structure and in texture, from the features of VGG16.

For every channel of the picture and of five stages of VGG16 (after relu1_2, 2_2, 3_3, 4_3, 5_3),
the means of both pictures are compared, which is texture, and their covariance, which is structure.
DISTS is 1 minus the weighted sum of these similarities. Maxima are replaced by means in the sense
of L2 (a Hann window of 3x3, stride 2), so that small shifts matter little. As the authors do, a
picture whose shorter side exceeds 256 pixels is reduced to that first.

Reference: Ding et al., "Image Quality Assessment: Unifying Structure and Texture Similarity", IEEE
TPAMI 2020, arXiv:2004.07728. ``dists.safetensors`` holds the authors' weights of the channels
(``alpha`` and ``beta`` of ``weights.pt`` in their package DISTS-pytorch 0.1; copyright 2020 Keyan
Ding, MIT licence, in ``dists.LICENSE``). The features are those of torchvision's VGG16, a file of
528 MB that is fetched on first use.
"""

from __future__ import annotations

import functools
import math
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Picture

from semcom.checkpoints.download import load_state_dict
from semcom.checkpoints.torchvision_weights import torchvision_state
from semcom.errors import InputError
from semcom.scores.perceptual import FullReference, as_tensor
from semcom.types import Image

if TYPE_CHECKING:
    from torch import Tensor

NAME = "vgg16-397923af.pth"
STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""Convolutions of each stage, by their places in torchvision's network."""
_WIDTHS = (64, 128, 256, 512, 512)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-6
_SIDE = 256  # pixels of the shorter side


class Dists(FullReference):
    """DISTS with VGG16; 0 for equal pictures.

    Parameters
    ----------
    over
        ``"picture"`` or ``"region"``.
    weights
        File with the weights of torchvision's VGG16; empty for the official one, which is fetched
        on first use.

    Raises
    ------
    ValueError
        The weights are damaged or of another network, or cannot be fetched.
    """

    label, better, range, least_side = "DISTS", "lower", (0.0, math.inf), 32

    def __init__(self, *, over: str = "picture", weights: str = "") -> None:
        super().__init__(over=over)
        self._layers = _convolutions(*torchvision_state(NAME, self.label, weights))

    def compare(self, original: Image, received: Image) -> float:
        """Compare two pictures (H, W, 3) uint8."""
        import torch

        with torch.inference_mode():
            pair = (features(_reduced(image), self._layers) for image in (original, received))
            return max(float(distance(*pair)), 0.0)  # rounding may take a copy below 0


def features(x: Tensor, layers: list[list[tuple[Tensor, Tensor]]]) -> list[Tensor]:
    """Return the picture (1, 3, H, W), 0 to 1, and its features after every stage."""
    import torch
    from torch.nn import functional

    hann = torch.outer(*[torch.tensor([0.5, 1.0, 0.5])] * 2)
    found = [x]
    y = (x - torch.tensor(_MEAN).view(1, 3, 1, 1)) / torch.tensor(_STD).view(1, 3, 1, 1)
    for stage, convolutions in enumerate(layers):
        if stage:
            channels = y.shape[1]
            window = (hann / hann.sum()).expand(channels, 1, 3, 3)
            squares = functional.conv2d(y.square(), window, stride=2, padding=1, groups=channels)
            y = (squares + 1e-12).sqrt()
        for weight, bias in convolutions:
            y = functional.conv2d(y, weight, bias, padding=1).relu()
        found.append(y)
    return found


def distance(one: list[Tensor], other: list[Tensor]) -> Tensor:
    """Return 1 minus the weighted similarity of two lists of features, a scalar."""
    import torch

    weights = _weights()
    similar = []
    for kind in ("alpha", "beta"):
        parts = []
        for x, y in zip(one, other, strict=True):
            mean_x, mean_y = x.mean((2, 3)), y.mean((2, 3))
            if kind == "alpha":
                both, apart = mean_x * mean_y, mean_x.square() + mean_y.square()
            else:
                both = (x * y).mean((2, 3)) - mean_x * mean_y
                apart = x.var((2, 3), correction=0) + y.var((2, 3), correction=0)
            parts.append((2 * both + _EPSILON) / (apart + _EPSILON))
        similar.append((torch.cat(parts, dim=1) * weights[kind]).sum())
    return 1 - (similar[0] + similar[1]) / (weights["alpha"].sum() + weights["beta"].sum())


def _reduced(image: Image) -> Tensor:
    """Convert a picture (H, W, 3) uint8 to (1, 3, H', W'), 0 to 1, whose shorter side is 256."""
    height, width = image.shape[:2]
    short = min(height, width)
    if short > _SIDE:
        size = width * _SIDE // short, height * _SIDE // short
        image = np.asarray(Picture.fromarray(image).resize(size, Picture.Resampling.BILINEAR))
    return as_tensor(image)


@functools.cache
def _weights() -> dict[str, Tensor]:
    """Load the authors' weights of the channels, (1475,) each."""
    with as_file(files("semcom.scores").joinpath("dists.safetensors")) as file:
        return load_state_dict(file)


def _convolutions(state: dict[str, Tensor], file: Path) -> list[list[tuple[Tensor, Tensor]]]:
    """Pick the convolutions of every stage from a state dict of VGG16."""
    inputs, stages = 3, []
    for places, width in zip(STAGES, _WIDTHS, strict=True):
        stage = []
        for place in places:
            weight, bias = (state.get(f"features.{place}.{kind}") for kind in ("weight", "bias"))
            if weight is None or bias is None or weight.shape != (width, inputs, 3, 3):
                raise InputError(f"{file} does not hold torchvision's VGG16 (features.{place})")
            stage.append((weight, bias))
            inputs = width
        stages.append(stage)
    return stages
