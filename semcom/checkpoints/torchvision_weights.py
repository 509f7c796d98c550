"""Weights of torchvision's networks, in the cache of torch, checked by their names.

PyTorch's files end in the first eight digits of their SHA-256, as ``alexnet-owt-7be5be79.pth``.
"""

from __future__ import annotations

from pathlib import Path

from semcom.checkpoints.download import WeightsUnavailable, reason
from semcom.errors import InputError
from semcom.hashes import sha256_of

SERVER = "https://download.pytorch.org/models/"


def torchvision_weights(name: str, *, label: str, option: str) -> Path:
    """Return the file of that name in torch's cache, fetched and checked if need be.

    Parameters
    ----------
    name
        Name of the file on PyTorch's server, with the beginning of its SHA-256.
    label
        Who needs it, for messages.
    option
        How a user names another file, for messages.

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
                f"({reason(error)}): put it at {file}, or name a file with {option}"
            ) from error
    if not sha256_of(file).startswith(digits):
        raise InputError(f"{file} is damaged: its SHA-256 does not begin with {digits}")
    return file
