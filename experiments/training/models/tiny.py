"""What is trained of ``tiny``: the tables of its entropy coder, and the network of its receiver."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from experiments.saving import save
from experiments.training.conditions import draw_importance, even
from experiments.training.models.tiny_tables import QUALITIES, fit
from experiments.training.pairs import Pair, pair_of
from experiments.training.refining import Material, RefinerTrainee, fitted
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner.network import Refiner
from semcom.codecs.tiny.coding import Tables, encode
from semcom.codecs.tiny.repair import MAPS, knowledge_of, new_refiner
from semcom.codecs.tiny.transform import Source, rebuild
from semcom.codecs.tiny.weights import Weights, to_bytes
from semcom.types import Image, Map

_CONDITIONS = (192, 277, 361)
"""Levels of the step: 32, 80 and 200."""


class TinyTrainee(RefinerTrainee):
    """The network of ``tiny``, with pairs to train and to validate it on.

    Parameters
    ----------
    material
        What it is trained on; the tables of the entropy coder are kept in its folder.
    start
        Weights to start from; without them, the network is random and the tables are fitted.
    """

    name = "tiny"
    maps = MAPS

    def __init__(self, material: Material, start: Weights | None = None) -> None:
        # A wavelet keeps even places: a mirrored picture would have kept the odd ones.
        super().__init__(material, new_refiner, turn=False)
        if start:
            self.network.load_state_dict(start.refiner.state_dict())
        self.tables = start.tables if start else fitted(material, "tables", Tables, fit)

        def make(image: Image, _: int, rng: np.random.Generator) -> Pair:
            side = len(image)
            w = even(side) if rng.random() < 0.5 else draw_importance(side, rng)
            return make_pair(image, w, int(rng.integers(*QUALITIES)), self.tables)

        def make_for_validation(image: Image, i: int, _: np.random.Generator) -> Pair:
            return make_pair(image, even(len(image)), _CONDITIONS[i], self.tables)

        self.prepare(make, [f"level {level}" for level in _CONDITIONS], make_for_validation)

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return the mean gain in PSNR in dB over the codec without it, for each quality."""
        psnrs = self._psnrs(network, device)
        return {name: after - before for name, (before, after) in psnrs.items()}

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Write the weights as ``tiny`` reads them."""
        assert isinstance(network, Refiner)
        save(file, to_bytes(Weights(self.tables, network.cpu()), metadata))


def make_pair(image: Image, w: Map, level: int, tables: Tables) -> Pair:
    """Code a square picture, and return what the receiver has of it."""
    source, size = Source.of(image, w), image.shape[:2]
    _, sent = encode(source.wavelet, level, source.offsets, tables)
    decoded = to_planes(rebuild(sent, source.turn, *size))
    return pair_of(image, w, decoded, knowledge_of(sent, *size))
