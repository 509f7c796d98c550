"""Files of weights in safetensors: reading, checking and writing them. Reading cannot run code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from channels.owner import expanded
from semcom.codecs.base import DecodeError
from semcom.codecs.parts.range_coder import TOTAL_BITS
from semcom.errors import InputError
from semcom.hashes import sha256_of

_TYPES = (torch.float32, torch.float16, torch.int32, torch.int64)  # of tensors in files
_MAX_BYTES = 16_000_000

Opened = TypeVar("Opened")


def locate(who: str, path: str, packaged: Path, sha256: str) -> Path:
    """Return a file of weights, or with an empty path that of the package.

    Raises
    ------
    ValueError
        The file is missing, or the packaged one is not the published one.
    """
    file = expanded(path) if path else packaged
    if not file.is_file():
        raise InputError(f"{who}: there are no weights at {file}")
    if not path and sha256_of(file) != sha256:
        raise InputError(f"{who}: {file} is not the file of this version of semcom")
    return file


def content_of(path: str) -> str:
    """Return the SHA-256 of a user's file, which may be another one at each look.

    It is empty if there is no file, or for the file of the package.
    """
    file = expanded(path)
    return sha256_of(file) if path and file.is_file() else ""


def read_tensors(
    who: str, file: Path, architecture: str, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Read the tensors of a file of weights.

    Parameters
    ----------
    who
        Name of the codec in messages.
    file
        The file.
    architecture
        The architecture that the file must name in its metadata.
    shapes
        Names and shapes of all tensors.

    Raises
    ------
    ValueError
        The file is damaged, is of another architecture, has other tensors or types of numbers, or
        holds NaN or infinity.
    """
    if file.stat().st_size > _MAX_BYTES:
        raise InputError(f"{who}: {file} is too large for weights ({file.stat().st_size:,} bytes)")
    try:
        with safe_open(file, "pt") as stored:
            named = (stored.metadata() or {}).get("architecture", "none")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{who}: {file} cannot be read as safetensors: {error}") from error
    if named != architecture:
        raise InputError(f"{who}: {file} is for {named!r}, and this is {architecture!r}")
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != dict(shapes):
        wrong = sorted(dict(found.items() ^ shapes.items()))
        raise InputError(f"{who}: {file} has missing, foreign or misshapen tensors: {wrong[0]}, …")
    for name, tensor in tensors.items():
        if tensor.dtype not in _TYPES:
            raise InputError(f"{who}: {name} of {file} is of {tensor.dtype}")
        if not torch.isfinite(tensor).all():
            raise InputError(f"{who}: {name} of {file} holds NaN or infinity")
    return tensors


def check_shares(who: str, file: Path, name: str, shares: NDArray[np.integer[Any]]) -> None:
    """Raise ``ValueError`` unless the last axis of an array holds shares of the range coder."""
    whole = 1 << TOTAL_BITS
    ends = (shares[..., 0] == 0).all() and (shares[..., -1] == whole).all()
    if not ends or (np.diff(shares, axis=-1) < 1).any():
        raise InputError(f"{who}: {name} of {file} are no shares of 2^{TOTAL_BITS}")


def whole_tensors(numbers: Mapping[str, NDArray[np.integer[Any]]]) -> dict[str, Tensor]:
    """Return whole numbers as a file of weights holds them."""
    return {name: torch.from_numpy(values.astype(np.int32)) for name, values in numbers.items()}


class OpenedWeights(Generic[Opened]):
    """Weights that a codec has opened in this process, by what a packet says of them.

    A packet of the weights of the package says nothing; one of a user's file holds two bytes of its
    SHA-256. A receiver must have opened the same file.
    """

    IDENTITY_BYTES = 2

    def __init__(self) -> None:
        self._opened: dict[bytes, tuple[Opened, str]] = {}

    def add(self, path: str, weights: Opened, device: str) -> bytes:
        """Remember weights with their device, and return what packets say of them."""
        digest = bytes.fromhex(content_of(path))
        identity = digest[: self.IDENTITY_BYTES]
        self._opened[identity] = weights, device
        return identity

    def find(self, who: str, identity: bytes) -> tuple[Opened, str]:
        """Return weights with their device; raise ``DecodeError`` if they are not open here."""
        if identity not in self._opened:
            raise DecodeError(f"{who}: a packet was written with weights that are not open here")
        return self._opened[identity]


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a network's tensors."""
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def freeze(network: nn.Module, device: str) -> None:
    """Make a network ready for use on a device."""
    network.requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.to(device).eval()


def write_tensors(
    tensors: Mapping[str, Tensor], architecture: str, metadata: Mapping[str, str]
) -> bytes:
    """Return the content of a file of weights, with metadata beside the architecture."""
    kept = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(kept, {"architecture": architecture, **metadata})
