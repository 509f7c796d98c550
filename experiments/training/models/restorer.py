"""What is trained of the restorer: the network behind the decoders of several codecs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from experiments.saving import save
from experiments.training import refining
from experiments.training.conditions import (
    Condition,
    draw_condition,
    draw_importance,
    even,
    receive,
    symbols_of,
)
from experiments.training.pairs import Pair, pair_of
from experiments.training.refining import Material, RefinerTrainee
from semcom.codecs import hevc, jpeg, jpeg2000
from semcom.codecs.hevc import Hevc
from semcom.codecs.hybrid import CENTRE, residual_of
from semcom.codecs.jpeg import Jpeg
from semcom.codecs.jpeg2000 import Jpeg2000
from semcom.codecs.jscc.transmission import transmission
from semcom.codecs.jscc.weights import load
from semcom.codecs.linear.code import estimate
from semcom.codecs.parts.colour import to_planes
from semcom.codecs.refiner.network import Refiner
from semcom.codecs.restorer.restorable import RESTORABLE, Restorable
from semcom.codecs.restorer.restorer import (
    ALL_MAPS,
    linear_knowledge,
    new_network,
    softcast_knowledge,
    to_bytes,
    uniform_knowledge,
)
from semcom.codecs.softcast import Softcast, unpack
from semcom.types import Image, Map

_SHARES: dict[Restorable, float] = {
    "jpeg": 0.15,
    "hevc": 0.3,
    "softcast": 0.15,
    "jpeg2000": 0.2,
    "hybrid": 0.2,
}
"""Shares of the pairs: most are of codecs that leave little to restore."""
_QUALITIES = {"jpeg": (4, 90), "hevc": (22, 46), "jpeg2000": (0.1, 2)}
"""Qualities, QPs, and bits per pixel of ``jpeg2000``."""
_LOGARITHMIC = "jpeg", "jpeg2000"
_BASE_QPS = 26, 46
_BASE_QP = 36
_HEADROOM_DB = 6.0
_ANALOG_CBR = 1 / 16
_CONDITIONS: tuple[tuple[Restorable, float], ...] = (
    ("jpeg", 10),
    ("jpeg", 30),
    ("hevc", 38),
    ("hevc", 32),
    ("softcast", 10),
    ("jpeg2000", 0.25),
    ("jpeg2000", 0.75),
    ("hybrid", 4),
)
"""Codecs with their quality; for ``softcast`` and ``hybrid``, the SNR in dB."""


class RestorerTrainee(RefinerTrainee):
    """The restorer's network, with pairs to train and to validate it on.

    Parameters
    ----------
    material
        What it is trained on.
    start
        Network to start from; without it, the network is random.
    """

    name = "restorer"
    maps = ALL_MAPS

    def __init__(self, material: Material, start: Refiner | None = None) -> None:
        super().__init__(material, new_network)
        if start:
            self.network.load_state_dict(start.state_dict())
        names = [f"{codec} {quality:g}" for codec, quality in _CONDITIONS]
        self.prepare(_make_random, names, _make_for_validation)

    def validate(self, network: nn.Module, device: torch.device) -> Mapping[str, float]:
        """Return the mean gain in PSNR in dB over the codec alone, under each condition."""
        psnrs = self._psnrs(network, device)
        return {name: after - before for name, (before, after) in psnrs.items()}

    def save(self, network: nn.Module, file: Path, metadata: Mapping[str, str]) -> None:
        """Write the weights as the codecs read them."""
        assert isinstance(network, Refiner)
        save(file, to_bytes(network.cpu(), metadata))


def _make_random(image: Image, _: int, rng: np.random.Generator) -> Pair:
    codec = RESTORABLE[rng.choice(len(RESTORABLE), p=[_SHARES[name] for name in RESTORABLE])]
    if codec == "softcast":
        return _sent(image, draw_condition(refining.SIDE, rng), rng)
    if codec == "hybrid":
        return _refined(image, draw_condition(refining.SIDE, rng), rng.uniform(*_BASE_QPS), rng)
    steered = codec in ("hevc", "jpeg2000") and rng.random() < 0.5
    w = draw_importance(refining.SIDE, rng) if steered else even(refining.SIDE)
    least, most = _QUALITIES[codec]
    share = rng.random()
    if codec in _LOGARITHMIC:
        return _coded(codec, image, w, least * (most / least) ** share)
    return _coded(codec, image, w, least + (most - least) * share)


def _make_for_validation(image: Image, i: int, rng: np.random.Generator) -> Pair:
    codec, quality = _CONDITIONS[i]
    blind = even(refining.SIDE)
    if codec in ("softcast", "hybrid"):
        how = Condition(blind, symbols_of(_ANALOG_CBR, refining.SIDE), quality, quality)
        return (
            _sent(image, how, rng) if codec == "softcast" else _refined(image, how, _BASE_QP, rng)
        )
    return _coded(codec, image, blind, quality)


def _sent(image: Image, how: Condition, rng: np.random.Generator) -> Pair:
    """Send a square picture by ``softcast``."""
    height, width = image.shape[:2]
    sent = Softcast().encode(image, how.w, how.num_symbols, how.planned_snr_db)
    side = unpack(sent.side[0].data, height, width)
    found = estimate(side, height, width, *receive(sent.symbols, how.snr_db, how.fading, rng))
    known = softcast_knowledge(side, found)
    assert known is not None  # a photo has chunks that are worth a symbol
    return pair_of(image, how.w, found.planes, known)


def _refined(image: Image, how: Condition, qp: float, rng: np.random.Generator) -> Pair:
    """Send a square picture by ``hybrid`` with a base of ``hevc``."""
    height, width = image.shape[:2]
    packet = hevc.packet_at(image, how.w, hevc.level_of(qp))
    base = to_planes(Hevc().decode([packet], height, width))
    lacking, planned = residual_of(image, base), how.planned_snr_db + _HEADROOM_DB
    side_snr, model = how.planned_snr_db - how.side_margin_db, load().side
    sent = transmission(lacking, how.w, how.num_symbols, planned, side_snr, model)
    found = estimate(sent.side, height, width, *receive(sent.symbols, how.snr_db, how.fading, rng))
    known = linear_knowledge("hybrid", sent.side, sent.least, found)
    return pair_of(image, how.w, base + found.planes - CENTRE, known)


def _coded(codec: Restorable, image: Image, w: Map, quality: float) -> Pair:
    """Code a square picture by a digital codec."""
    height, width = image.shape[:2]
    if codec == "jpeg":
        quality = round(quality)
        decoded = Jpeg().decode([jpeg.packet_of(image, quality)], height, width)
    elif codec == "hevc":
        level = hevc.level_of(quality)
        quality = hevc.qp_of(level)
        decoded = Hevc().decode([hevc.packet_at(image, w, level)], height, width)
    else:
        stream = Jpeg2000(layers=1).encode(image, w, round(quality * height * width))
        decoded = Jpeg2000().decode([packet.data for packet in stream.packets], height, width)
        quality = jpeg2000.told_psnr_db(image, decoded)
    known = uniform_knowledge(codec, quality, height, width)
    return pair_of(image, w, to_planes(decoded), known)
