"""The network of FID and KID: Inception v3 as TensorFlow published it in 2015.

The package torch-fidelity holds its port to PyTorch, which resizes pictures to 299x299 pixels as
TensorFlow 1 did. Values of FID depend on both, so that other networks of that name do not do. The
weights, a file of 96 MB, are fetched on first use from that package's releases and checked against
their hash. The features are the 2048 means of the last layer before the classifier.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from channels.owner import expanded
from semcom.checkpoints.download import load_state_dict
from semcom.checkpoints.torch_cache import cached_file
from semcom.checkpoints.torchvision_import import import_torchvision
from semcom.errors import InputError
from semcom.scores.sets.patches import SIDE, patches
from semcom.types import Image

DIMENSIONS = 2048
SERVER = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
NAME = "weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_INSTEAD = "--weights FILE (in Python weights=FILE)"
_BATCH = 32  # patches, of some 30 MB each within the network

Network = Callable[[torch.Tensor], tuple[torch.Tensor]]
"""From pictures (N, 3, H, W) uint8 to their features (N, D) float32, in a tuple."""


def inception(weights: str = "") -> Network:
    """Build the network.

    Parameters
    ----------
    weights
        File with its weights, a state dict; empty for the official one, which is fetched on first
        use.

    Raises
    ------
    ValueError
        The package torch-fidelity is not installed, or the weights are damaged, of another
        network, or cannot be fetched.
    """
    if importlib.util.find_spec("torch_fidelity") is None:
        raise InputError("FID and KID need torch_fidelity: pip install 'semcom[scores]'")
    if weights:
        file = expanded(weights)
    else:
        file = cached_file(SERVER + NAME, SHA256, who="the network of FID", instead=_INSTEAD)
    tensors = io.BytesIO()  # some releases of the package would run what is in the file
    torch.save(load_state_dict(file), tensors)
    tensors.seek(0)
    import_torchvision()
    from torch_fidelity import FeatureExtractorInceptionV3

    try:
        network = FeatureExtractorInceptionV3(
            "inception", [str(DIMENSIONS)], feature_extractor_weights_path=tensors
        )
    except RuntimeError as error:
        raise InputError(f"{file} does not hold torch-fidelity's Inception v3") from error
    built: Network = network.eval()
    return built


def features_of(
    pictures: Iterable[Image], network: Network, *, patch: int = SIDE
) -> NDArray[np.float64]:
    """Return the features of the patches of pictures.

    Parameters
    ----------
    pictures
        (H, W, 3) uint8 each; they may have different sizes, and come from a generator.
    network
        That of :func:`inception`, or any other that gives features.
    patch
        Side of the patches in pixels; 0 takes whole pictures.

    Returns
    -------
    NDArray[np.float64]
        (N, D) for N patches; D is 2048 for :func:`inception`.

    Raises
    ------
    ValueError
        There is no picture, one is smaller than a patch, or the weights of the network are
        damaged.
    """
    found = []
    with torch.inference_mode():
        for picture in pictures:
            cut = torch.from_numpy(patches(picture, patch)).permute(0, 3, 1, 2)
            starts = range(0, len(cut), _BATCH)
            found += [network(cut[start : start + _BATCH])[0] for start in starts]
    if not found:
        raise InputError("there are no pictures")
    features = np.asarray(torch.cat(found).double())
    if not np.isfinite(features).all():
        raise InputError("features are not finite, so the weights of the network are damaged")
    return features
