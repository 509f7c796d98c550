"""The weights of ``tiny``: reading, checking and writing one safetensors file.

The file holds the network and the whole numbers of the entropy coder; its metadata names the
architecture. Reading it cannot run code.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from semcom.codecs.refiner.network import Refiner
from semcom.codecs.tiny.coding import Tables
from semcom.codecs.tiny.context_kernels import CLASSES, FEATURES, PHASES, WEIGHT_BITS
from semcom.codecs.tiny.number_kernels import LENGTHS, SIZES
from semcom.codecs.tiny.quantised import LEVELS_PER_DOUBLING, MAX_LEVEL
from semcom.codecs.tiny.repair import new_refiner
from semcom.codecs.tiny.wavelet import LEVELS, ORIENTATIONS, PLANES
from semcom.codecs.weights.file import (
    check_shares,
    content_of,
    freeze,
    locate,
    read_tensors,
    shapes_of,
    whole_tensors,
    write_tensors,
)
from semcom.errors import InputError
from semcom.torch_device import check_device

ARCHITECTURE = "semcom tiny 1"
PACKAGED = Path(__file__).with_name("weights.safetensors")
SHA256 = "6c3ccd790f91f3bcfd1d7bacf837be0d21a76b46067a9560966e780568147272"
_SHAPES = {
    "weights": (LEVELS, PLANES, ORIENTATIONS, PHASES, FEATURES),
    "detail_shares": (LEVELS, 2, 2, CLASSES, SIZES + 1),
    "coarsest_shares": (MAX_LEVEL // LEVELS_PER_DOUBLING + 1, PLANES, LENGTHS + 1),
    "offset_shares": (2, LENGTHS + 1),
}
_MAX_WEIGHT = 4 << WEIGHT_BITS


class Weights(NamedTuple):
    """All that was learned."""

    tables: Tables
    refiner: Refiner


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
    file, refiner = locate("tiny", path, PACKAGED, SHA256), new_refiner()
    tensors = read_tensors("tiny", file, ARCHITECTURE, shapes_of(refiner) | _SHAPES)
    weights, *shares = (tensors[name].numpy() for name in _SHAPES)
    if weights.min() < 0 or weights.max() > _MAX_WEIGHT:
        raise InputError(f"tiny: weights of {file} are not in 0 to {_MAX_WEIGHT}")
    for name, values in zip(list(_SHAPES)[1:], shares, strict=True):
        check_shares("tiny", file, name, values)
    tables = Tables(weights.astype(np.int32), *(values.astype(np.int64) for values in shares))
    refiner.load_state_dict({name: tensors[name] for name in refiner.state_dict()})
    freeze(refiner, device)
    return Weights(tables, refiner)


def to_bytes(weights: Weights, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file of weights, with metadata beside the architecture."""
    numbers = whole_tensors(weights.tables._asdict())
    return write_tensors(weights.refiner.state_dict() | numbers, ARCHITECTURE, metadata)
