"""Weights of torchvision's networks, in the cache of torch, checked by their names.

PyTorch's files end in the first eight digits of their SHA-256, as ``alexnet-owt-7be5be79.pth``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from semcom.checkpoints.download import WeightsUnavailable, load_state_dict, reason
from semcom.errors import InputError
from semcom.hashes import sha256_of

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
    file = Path(weights).expanduser() if weights else torchvision_weights(name, label)
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
    import torch

    digits = name.removesuffix(".pth").rpartition("-")[2]
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(
                SERVER + name, str(file), hash_prefix=digits, progress=False
            )
        except (OSError, RuntimeError) as error:
            raise WeightsUnavailable(
                f"{label} needs {name}, which could not be fetched from {SERVER}{name} "
                f"({reason(error)}): put it at {file}, or name a file with "
                f"{label.lower()}:weights=FILE"
            ) from error
    if not sha256_of(file).startswith(digits):
        raise InputError(f"{file} is damaged: its SHA-256 does not begin with {digits}")
    return file
