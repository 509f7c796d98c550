"""What is trained of ``jscc``: the code of its side information, and the receiver's network."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from torch import nn

from experiments.saving import save
from experiments.training import refining
from experiments.training.conditions import Condition, draw_condition, even, receive, symbols_of
from experiments.training.models.side_tables import fit
from experiments.training.pairs import Pair, pair_of
from experiments.training.refining import Material, RefinerTrainee, fitted
from semcom.codecs.jscc.side_coding import SideModel
from semcom.codecs.jscc.transmission import transmission
from semcom.codecs.jscc.weights import Weights, new_refiner, to_bytes
from semcom.codecs.linear.code import estimate
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner.knowledge import MAPS, knowledge_of
from semcom.codecs.refiner.network import Refiner
from semcom.types import Image

_CONDITIONS = (
    *((Fraction(1, 16), snr) for snr in (1, 4, 7, 10, 13)),
    (Fraction(1, 48), 10),
    (Fraction(1, 6), 10),
)


class JsccTrainee(RefinerTrainee):
    """The network of ``jscc``, with pairs to train and to validate it on.

    Parameters
    ----------
    material
        What it is trained on; the code of the side information is kept in its folder.
    start
        Weights to start from; without them the network is random and the code is fitted.
    """

    name = "jscc"
    maps = MAPS

    def __init__(self, material: Material, start: Weights | None = None) -> None:
        super().__init__(material, new_refiner)
        if start:
            self.network.load_state_dict(start.refiner.state_dict())
        self.side_model = start.side if start else fitted(material, "side", SideModel, fit)

        def make(image: Image, _: int, rng: np.random.Generator) -> Pair:
            return make_pair(image, draw_condition(refining.SIDE, rng), self.side_model, rng)

        def make_for_validation(image: Image, i: int, rng: np.random.Generator) -> Pair:
            (cbr, snr), side = _CONDITIONS[i], refining.SIDE
            how = Condition(even(side), symbols_of(float(cbr), side), snr, snr)
            return make_pair(image, how, self.side_model, rng)

        names = [f"{cbr} {snr} dB" for cbr, snr in _CONDITIONS]
        self.prepare(make, names, make_for_validation)

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Write the weights as ``jscc`` reads them."""
        assert isinstance(network, Refiner)
        save(file, to_bytes(Weights(self.side_model, network.cpu()), metadata))


def make_pair(image: Image, how: Condition, model: SideModel, rng: np.random.Generator) -> Pair:
    """Send a square picture, and return what the receiver has of it."""
    height, width = image.shape[:2]
    planned, side_snr = how.planned_snr_db, how.planned_snr_db - how.side_margin_db
    sent = transmission(to_planes(image), how.w, how.num_symbols, planned, side_snr, model)
    y, h, n0 = receive(sent.symbols, how.snr_db, how.fading, rng)
    found = estimate(sent.side, height, width, y, h, n0)
    known = knowledge_of(sent.side, sent.least, found).cells(height, width, found.chunks.tile)
    return pair_of(image, how.w, found.planes, known)
