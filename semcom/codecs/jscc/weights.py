"""The weights of ``jscc``: reading, checking and writing one safetensors file.

The file holds the network and the whole numbers of the side information's code; its metadata names
the architecture. Reading it cannot run code.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from semcom.codecs.jscc.refiner import Refiner
from semcom.codecs.jscc.side_coding import SideModel
from semcom.codecs.jscc.side_kernels import (
    FEATURES,
    FIELD_CONTEXTS,
    FIELD_REACH,
    LEVEL_CONTEXTS,
    LEVEL_REACH,
    VALUE_CONTEXTS,
    VALUE_REACH,
)
from semcom.codecs.linear.side_information import LAYOUTS
from semcom.errors import InputError
from semcom.hashes import sha256_of
from semcom.torch_device import check_device

ARCHITECTURE = "semcom jscc 1"
PACKAGED = Path(__file__).with_name("weights.safetensors")
SHA256 = "dd80d0e17f22d8cc8e665b567c111b0d22fb559588c8b6ef8e8f51836205fae1"
_MAX_BYTES = 16_000_000
_WHOLE = 1 << 15
_SHAPES = {
    "predictors": (len(LAYOUTS), 2, 3, 3, FEATURES),
    "level_shares": (LEVEL_CONTEXTS, 2 * LEVEL_REACH + 2),
    "field_shares": (FIELD_CONTEXTS, 2 * FIELD_REACH + 2),
    "value_shares": (VALUE_CONTEXTS, 2 * VALUE_REACH + 2),
}


class Weights(NamedTuple):
    """All that was learned."""

    side: SideModel
    refiner: Refiner


@functools.lru_cache(4)
def load(path: str = "", device: str = "cpu") -> Weights:
    """Read a file of weights, or those of the package.

    Raises
    ------
    ValueError
        The file is missing or damaged, is of another architecture, or holds numbers that no
        training writes; or the packaged file is not the published one.
    """
    file = Path(path).expanduser() if path else PACKAGED
    if not file.is_file():
        raise InputError(f"jscc: there are no weights at {file}")
    check_device(device)
    if not path and sha256_of(file) != SHA256:
        raise InputError(f"jscc: {file} is not the file of this version of semcom")
    if file.stat().st_size > _MAX_BYTES:
        raise InputError(f"jscc: {file} has {file.stat().st_size:,} bytes, which no weights have")
    try:
        with safe_open(file, "pt") as stored:
            architecture = (stored.metadata() or {}).get("architecture", "none")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"jscc: {file} cannot be read as safetensors: {error}") from error
    if architecture != ARCHITECTURE:
        raise InputError(f"jscc: {file} is for {architecture!r}, and this is {ARCHITECTURE!r}")
    return _checked(file, tensors, device)


def identity(path: str) -> bytes:
    """Return the SHA-256 of a file of weights."""
    return bytes.fromhex(sha256_of(Path(path).expanduser()))


def _checked(file: Path, tensors: Mapping[str, Tensor], device: str) -> Weights:
    refiner = Refiner()
    expected = {name: tuple(tensor.shape) for name, tensor in refiner.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if found != expected | _SHAPES:
        wrong = sorted(dict(found.items() ^ (expected | _SHAPES).items()))
        raise InputError(f"jscc: {file} has missing, foreign or misshapen tensors: {wrong[0]}, …")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise InputError(f"jscc: {name} of {file} holds NaN or infinity")
    side = SideModel(*(tensors[name].numpy().astype(np.int64) for name in _SHAPES))
    for name, shares in list(side._asdict().items())[1:]:
        ends = (shares[:, 0] == 0).all() and (shares[:, -1] == _WHOLE).all()
        if not ends or (np.diff(shares, axis=1) < 1).any():
            raise InputError(f"jscc: {name} of {file} are no shares of 2^15")
    refiner.load_state_dict({name: tensors[name] for name in expected})
    for convolution in refiner.modules():
        convolution.requires_grad_(False)
    refiner.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Weights(side, refiner.to(device).eval())


def to_bytes(weights: Weights, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file of weights, with metadata beside the architecture."""
    tensors = {name: tensor.contiguous() for name, tensor in weights.refiner.state_dict().items()}
    for name, numbers in zip(_SHAPES, weights.side, strict=True):
        tensors[name] = torch.from_numpy(numbers.astype(np.int32))
    return save(tensors, {"architecture": ARCHITECTURE, **metadata})
