"""The weights of ``sam_sc``: reading, checking and writing one safetensors file.

The file holds the network and the errors that were measured for the allocation; its metadata names
the architecture. Reading it cannot run code.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from semcom.codecs.sam_sc.allocation import COUNTS, SNRS_DB, Array
from semcom.codecs.sam_sc.network import SamSc
from semcom.codecs.weights.file import (
    content_of,
    freeze,
    locate,
    read_tensors,
    write_tensors,
)
from semcom.errors import InputError
from semcom.torch_device import check_device

ARCHITECTURE = "semcom sam_sc 1"
PACKAGED = Path(__file__).with_name("weights.safetensors")
SHA256 = "1260ca2993788760fad9acb890e58f9da98d28e10202e33b7289db902adea4db"
_ERRORS = "errors"


class Weights(NamedTuple):
    """All that was learned."""

    errors: Array
    """Mean squared error of a cell for ``COUNTS`` and ``SNRS_DB``, values from 0 to 1."""
    network: SamSc


def load(path: str = "", device: str = "cpu") -> Weights:
    """Read a file of weights, or those of the package.

    Raises
    ------
    ValueError
        The file is missing or damaged, is of another architecture, or holds numbers that no
        training writes; or the packaged file is not the published one.
    """
    return _opened(path, content_of(path), device)


@functools.lru_cache(4)
def _opened(path: str, content: str, device: str) -> Weights:  # noqa: ARG001 - a key
    check_device(device)
    file, network = locate("sam_sc", path, PACKAGED, SHA256), SamSc()
    kept = _kept(network)
    shapes = {name: tuple(tensor.shape) for name, tensor in kept.items()}
    tensors = read_tensors(
        "sam_sc", file, ARCHITECTURE, shapes | {_ERRORS: (len(COUNTS), len(SNRS_DB))}
    )
    errors = tensors.pop(_ERRORS).numpy().astype(np.float64)
    variances = [values for name, values in tensors.items() if name.endswith("running_var")]
    if errors.min() <= 0 or any(values.min() < 0 for values in variances):
        raise InputError(f"sam_sc: errors or variances of {file} are negative")
    network.load_state_dict(tensors, strict=False)
    freeze(network, device)
    return Weights(errors, network)


def to_bytes(weights: Weights, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file of weights, with metadata beside the architecture."""
    errors = {_ERRORS: torch.from_numpy(weights.errors.astype(np.float32))}
    return write_tensors(_kept(weights.network) | errors, ARCHITECTURE, metadata)


def _kept(network: SamSc) -> dict[str, torch.Tensor]:
    """Return what is used of a network: all but the number of batches that it saw."""
    state = network.state_dict()
    return {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
