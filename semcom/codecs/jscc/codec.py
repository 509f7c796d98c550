"""A learned analog codec: the picture's coefficients as amplitudes, refined by a small network.

One model serves every SNR, bandwidth and size. The sender is the linear code of
:mod:`semcom.codecs.linear.code`: the content decides which coefficients get symbols and power, by
``w·λ``. Its description is coded with learned probabilities
(:mod:`semcom.codecs.jscc.side_coding`), which makes a finer description worth its price. The
receiver computes the linear estimate, and a network (:mod:`semcom.codecs.jscc.refiner`), told how
large the error of each part is, removes some of that error.

Leaves out: a learned encoder, and a sender that chooses its layout by the result of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from semcom.codecs.base import grey, only_packet
from semcom.codecs.jscc.knowledge import knowledge_of
from semcom.codecs.jscc.refiner import Refiner
from semcom.codecs.jscc.side_coding import (
    MEAN_STEPS,
    Grid,
    Settled,
    SideModel,
    pack,
    settle,
    unpack,
)
from semcom.codecs.jscc.weights import load
from semcom.codecs.linear.code import Estimate, LinearPicture, estimate
from semcom.codecs.linear.power_allocation import Array
from semcom.codecs.linear.side_information import LAYOUTS, Side, layouts, snr_level_of
from semcom.codecs.parts.colour import from_planes, to_planes
from semcom.types import AnalogSignal, Image, Map, Packet


class Jscc:
    """A linear code with a learned description and a learned receiver.

    Parameters
    ----------
    weights
        File of weights that ``semcom train jscc`` wrote; those of the package by default.
    refine
        Whether the receiver's network is used; without it, the linear estimate is shown.
    device
        Device of the network: ``cpu``, ``cuda``, …
    """

    analog: Literal[True] = True
    steerable = True

    def __init__(self, *, weights: str = "", refine: bool = True, device: str = "cpu") -> None:
        self._weights = load(weights, device)
        self._refine, self._device = refine, device

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Send the chunks that are worth their power; see :class:`AnalogCodec`."""
        sent = transmission(image, w, num_symbols, snr_db, self._weights.side)
        tile, bands = LAYOUTS[sent.side.layout]
        return AnalogSignal(
            sent.symbols,
            (Packet(sent.packet),),
            {"tile": tile, "bands": bands, "chunks": int(np.count_nonzero(sent.side.levels))},
        )

    def decode(
        self,
        y: Tensor,
        h: Tensor,
        noise_var: Tensor,
        side: Sequence[bytes | None],
        height: int,
        width: int,
    ) -> Image:
        """Estimate and refine the picture; see :class:`AnalogCodec`."""
        packet = only_packet("jscc", side)
        if packet is None:
            return grey(height, width)
        about, least = unpack(packet, height, width, self._weights.side)
        found = estimate(about, height, width, y, h, noise_var)
        planes = found.planes
        if self._refine:
            planes = refined(self._weights.refiner, about, least, found, self._device)
        return from_planes(np.clip(np.rint(planes), 0, 1023).astype(np.uint16))


class Transmission(NamedTuple):
    """What is sent of an image."""

    side: Side
    least: int
    """Least ``2·level + weight`` that is sent."""
    packet: bytes
    symbols: Tensor
    """complex64 (n,)"""


def transmission(
    image: Image, w: Map, num_symbols: int, snr_db: float, model: SideModel
) -> Transmission:
    """Choose the layout of least expected error, and send its chunks."""
    planes, snr = to_planes(image).astype(np.float32), snr_level_of(snr_db)

    def settled(picture: LinearPicture) -> Settled:
        return settle(picture.choose(num_symbols), _grid(picture), model)

    def error(picture: LinearPicture) -> tuple[float, float]:
        return picture.expected_error(num_symbols, settled(picture).bits)

    pictures = (LinearPicture.of(planes, w, k, snr, MEAN_STEPS[1]) for k in layouts(*w.shape))
    best = min(pictures, key=error)
    best = min((best.with_mean_step(step) for step in MEAN_STEPS), key=error)
    side, least, _ = settled(best)
    side, symbols = best.send(side, num_symbols)
    packet = pack(side, least, _grid(best), model)
    return Transmission(side, least, packet, torch.from_numpy(symbols))


def refined(refiner: Refiner, side: Side, least: int, found: Estimate, device: str) -> Array:
    """Return refined planes, (3, H, W), of an estimate."""
    _, height, width = found.planes.shape
    known = knowledge_of(side, least, found).cells(height, width, found.chunks.tile)
    planes = torch.from_numpy(found.planes.astype(np.float32))[None]
    planes = functional.pad(planes, (0, -width % 8, 0, -height % 8), mode="replicate")
    with torch.inference_mode():
        better: Tensor = refiner(
            *(t.to(device) for t in (planes, known.maps[None], known.rms[None]))
        )
    return better[0, :, :height, :width].numpy(force=True).astype(np.float64)


def _grid(picture: LinearPicture) -> Grid:
    return picture.chunks.rows, picture.chunks.columns
