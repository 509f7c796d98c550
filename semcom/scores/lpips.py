"""LPIPS: the distance of two pictures in the features of AlexNet.

Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
CVPR 2018, arXiv:1801.03924, version 0.1 of the weights, on RGB in -1 to 1. The package ``lpips``
holds the learned weights of the features. The features are those of torchvision's AlexNet, a file
of 244 MB that is fetched on first use and whose name contains the beginning of its SHA-256.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.checkpoints.torchvision_weights import torchvision_state
from semcom.errors import InputError
from semcom.scores.perceptual import FullReference, as_tensor
from semcom.types import Image

if TYPE_CHECKING:
    from torch import Tensor

NAME = "alexnet-owt-7be5be79.pth"


class Lpips(FullReference):
    """LPIPS with AlexNet; 0 for equal pictures.

    Parameters
    ----------
    over
        ``"picture"`` or ``"region"``.
    weights
        File with the weights of torchvision's AlexNet; empty for the official one, which is fetched
        on first use.

    Raises
    ------
    ValueError
        The weights are damaged or of another network, or cannot be fetched.
    """

    label, better, range, least_side = "LPIPS", "lower", (0.0, math.inf), 64

    def __init__(self, *, over: str = "picture", weights: str = "") -> None:
        super().__init__(over=over)
        self._network = _network(*torchvision_state(NAME, self.label, weights))

    def compare(self, original: Image, received: Image) -> float:
        """Compare two pictures (H, W, 3) uint8."""
        with torch.inference_mode():
            pair = as_tensor(original), as_tensor(received)
            return float(self._network(*pair, normalize=True))


def _network(features: dict[str, Tensor], file: Path) -> Any:
    """Build the network of the package with the features of a state dict."""
    import_torchvision()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls torchvision in an old way
        import lpips

        network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    layers = {
        name: module
        for part in network.net.children()
        for name, module in part.named_children()
        if hasattr(module, "weight")
    }
    try:
        for name, layer in layers.items():
            for kind in ("weight", "bias"):
                getattr(layer, kind).data.copy_(features[f"features.{name}.{kind}"])
    except (KeyError, RuntimeError) as error:
        raise InputError(f"{file} does not hold torchvision's AlexNet ({error})") from error
    return network.eval().requires_grad_(False)
