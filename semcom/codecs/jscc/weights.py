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
from semcom.codecs.refiner.knowledge import MAPS
from semcom.codecs.refiner.network import Refiner
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
from semcom.torch_device import check_device

ARCHITECTURE = "semcom jscc 1"
PACKAGED = Path(__file__).with_name("weights.safetensors")
SHA256 = "a494b1f0cb30b613cf470d94d3001286037e0c6d10c608e49b9497e0492d7ce2"
_CHANNELS = (32, 64, 96)
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
    file, refiner = locate("jscc", path, PACKAGED, SHA256), new_refiner()
    tensors = read_tensors("jscc", file, ARCHITECTURE, shapes_of(refiner) | _SHAPES)
    side = SideModel(*(tensors[name].numpy().astype(np.int64) for name in _SHAPES))
    for name, shares in list(side._asdict().items())[1:]:
        check_shares("jscc", file, name, shares)
    refiner.load_state_dict({name: tensors[name] for name in refiner.state_dict()})
    freeze(refiner, device)
    return Weights(side, refiner)


def new_refiner() -> Refiner:
    """Return a network with random weights."""
    return Refiner(MAPS, _CHANNELS)


def to_bytes(weights: Weights, metadata: Mapping[str, str]) -> bytes:
    """Return the content of a file of weights, with metadata beside the architecture."""
    numbers = whole_tensors(weights.side._asdict())
    return write_tensors(weights.refiner.state_dict() | numbers, ARCHITECTURE, metadata)
