"""Random conditions of a training: importance, bandwidth, SNR and fading."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from semcom.codecs.side_margin import SIDE_MARGIN_DB
from semcom.types import Map

_UNCERTAIN = 0.3  # share of transmissions at another SNR than planned
_SIDE_SHARE = 0.06  # typical share of the channel uses that carries side information


class Condition(NamedTuple):
    """How one picture is sent."""

    w: Map
    """Importance, (H, W)."""
    num_symbols: int
    planned_snr_db: float
    snr_db: float
    fading: str = "none"
    """``none``, ``block`` or ``symbol``."""
    side_margin_db: float = SIDE_MARGIN_DB
    """Margin for which the sender expects its side information to be protected."""


def draw_condition(side: int, rng: np.random.Generator) -> Condition:
    """Draw conditions for a square picture.

    The planned SNR is uniform in 0 to 20 dB. The CBR is 1/16 in three cases of ten, and otherwise
    log-uniform in 1/64 to 1/5. Half of the pictures are blind, and a quarter fade. The margin of
    side information is uniform in 0 to 12 dB.
    """
    cbr = 1 / 16 if rng.random() < 0.3 else 2 ** rng.uniform(math.log2(1 / 64), math.log2(1 / 5))
    planned = rng.uniform(0, 20)
    snr_db = planned + (rng.normal(0, 4) if rng.random() < _UNCERTAIN else 0)
    fading = str(rng.choice(["none", "block", "symbol"], p=[0.75, 0.1, 0.15]))
    w = even(side) if rng.random() < 0.5 else draw_importance(side, rng)
    margin = rng.uniform(0, 2 * SIDE_MARGIN_DB)
    return Condition(w, symbols_of(cbr, side), planned, snr_db, fading, margin)


def symbols_of(cbr: float, side: int) -> int:
    """Return the symbols that a square picture has at a CBR, after typical side information."""
    return round(3 * side * side * cbr * (1 - _SIDE_SHARE))


def even(side: int) -> Map:
    """Return the map of a blind sender."""
    return np.ones((side, side), np.float32)


def draw_importance(side: int, rng: np.random.Generator) -> Map:
    """Return the map of an ellipse that gets a share θ of 0.5 to 0.95 of all importance."""
    y, x = np.mgrid[:side, :side] / side
    (cy, cx), (ry, rx) = rng.uniform(0.1, 0.9, 2), rng.uniform(0.08, 0.4, 2)
    inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
    share, theta = inside.mean(), rng.uniform(0.5, 0.95)
    if not 0 < share < 1:  # of few cells, an ellipse may have none
        return even(side)
    return np.where(inside, theta / share, (1 - theta) / (1 - share)).astype(np.float32)


def receive(
    x: Tensor, snr_db: float, fading: str, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Send symbols (n,) through the channel; return ``y``, the gains ``h`` and N0, each (n,)."""
    n, n0 = len(x), 10 ** (-snr_db / 10)
    noise = _normal(n, rng) * math.sqrt(n0)
    h = {
        "none": lambda: torch.ones(n, dtype=torch.complex64),
        "block": lambda: _normal(1, rng).expand(n).contiguous(),
        "symbol": lambda: _normal(n, rng),
    }[fading]()
    return h * x + noise, h, torch.full((n,), n0)


def _normal(n: int, rng: np.random.Generator) -> Tensor:
    """Return circular complex Gaussians of mean power 1."""
    parts = rng.normal(scale=math.sqrt(0.5), size=(n, 2)).astype(np.float32)
    return torch.view_as_complex(torch.from_numpy(parts))
