"""Weights of torchvision's networks, in the cache of torch, checked by their names.

PyTorch's files end in the first eight digits of their SHA-256, as ``alexnet-owt-7be5be79.pth``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channels.owner import expanded
from semcom.checkpoints.download import load_state_dict
from semcom.checkpoints.torch_cache import cached_file

if TYPE_CHECKING:
    from torch import Tensor

SERVER = "https://download.pytorch.org/models/"


def torchvision_state(name: str, label: str, weights: str = "") -> tuple[dict[str, Tensor], Path]:
    """Load the weights of a score's network.

    Parameters
    ----------
    name
        Name of the file on PyTorch's server, with the beginning of its SHA-256.
    label
        The score, for messages.
    weights
        Another file; empty for that of ``name``.

    Returns
    -------
    dict[str, Tensor], Path
        The state dict, and its file for messages.

    Raises
    ------
    ValueError
        The file is damaged or cannot be fetched.
    """
    file = expanded(weights) if weights else torchvision_weights(name, label)
    return load_state_dict(file), file


def torchvision_weights(name: str, label: str) -> Path:
    """Return the file of that name in torch's cache, fetched and checked if need be.

    Parameters
    ----------
    name
        Name of the file on PyTorch's server, with the beginning of its SHA-256.
    label
        The score that needs it, for messages.

    Raises
    ------
    ValueError
        It is not there and cannot be fetched, or has another hash; the message says where to put
        it.
    """
    digits = name.removesuffix(".pth").rpartition("-")[2]
    return cached_file(SERVER + name, digits, who=label, instead=f"{label.lower()}:weights=FILE")
