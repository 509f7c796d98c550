"""A learned analog codec: the picture's coefficients as amplitudes, refined by a small network.

One model serves every SNR, bandwidth and size. The sender is the linear code of
:mod:`semcom.codecs.linear.code`: the content decides which coefficients get symbols and power, by
``w·λ``. Its description is coded with learned probabilities
(:mod:`semcom.codecs.jscc.side_coding`), which makes a finer description worth its price. The
receiver computes the linear estimate, and a network (:mod:`semcom.codecs.refiner.network`), told
how large the error of each part is, removes some of that error.

Leaves out: a learned encoder, and a sender that chooses its layout by the result of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.jscc.side_coding import unpack
from semcom.codecs.jscc.transmission import transmission
from semcom.codecs.jscc.weights import Weights, load
from semcom.codecs.linear.code import estimate
from semcom.codecs.linear.side_information import LAYOUTS
from semcom.codecs.parts.colour import from_planes, round_planes, to_planes
from semcom.codecs.refiner.knowledge import NOTHING_SENT, knowledge_of
from semcom.codecs.refiner.strips import refined
from semcom.codecs.side_margin import SIDE_MARGIN_DB
from semcom.codecs.weights.file import OpenedWeights
from semcom.errors import InputError
from semcom.types import AnalogSignal, Image, Map, Packet

_PLAIN, _OWN = 0x80, 0x40  # bits of the first byte: no network, weights of the user's own
_PRECISIONS = ("auto", "float32")
_opened: OpenedWeights[Weights] = OpenedWeights()


class Jscc:
    """A linear code with a learned description and a learned receiver.

    Parameters
    ----------
    weights
        File of weights that ``semcom train jscc`` wrote; those of the package by default. A packet
        holds two bytes that identify such a file, but not its path: a receiver in another process
        must have opened the same file.
    refine
        Whether the receiver uses the network; without it, it shows the linear estimate.
    device
        Device of the network in this process: ``cpu``, ``cuda``, …
    precision
        ``auto``: the network multiplies in bfloat16 where the device has it, which is faster and
        changes the PSNR by less than 0.05 dB. ``float32``: it never does.

    Raises
    ------
    ValueError
        The file or the device cannot be used, or the precision is unknown.

    Examples
    --------
    >>> import torch
    >>> ramp = np.linspace(0, 255, 64).astype(np.uint8)
    >>> image = np.broadcast_to(ramp[:, None, None], (64, 64, 3)).copy()
    >>> signal = Jscc().encode(image, np.ones((64, 64), dtype=np.float32), 2000, 20.0)
    >>> x, side = signal.symbols, [packet.data for packet in signal.side]
    >>> shown = Jscc().decode(x, torch.ones_like(x), torch.zeros(len(x)), side, 64, 64)
    >>> int(np.abs(shown.astype(int) - image).max()) < 16
    True
    """

    analog: Literal[True] = True
    steerable = True

    def __init__(
        self,
        *,
        weights: str = "",
        refine: bool = True,
        device: str = "cpu",
        precision: str = "auto",
    ) -> None:
        if precision not in _PRECISIONS:
            choices = ", ".join(_PRECISIONS)
            raise InputError(f"jscc: unknown precision {precision!r}; choices: {choices}")
        self._fast = precision == "auto"
        self._weights = load(weights, device)
        self._flags = (0 if refine else _PLAIN) | (_OWN if weights else 0)
        self._identity = _opened.add(weights, self._weights, device)

    def encode(
        self,
        image: Image,
        w: Map,
        num_symbols: int,
        snr_db: float,
        side_snr_db: float | None = None,
    ) -> AnalogSignal:
        """Send the chunks that are worth their power; see :class:`AnalogCodec`."""
        side_snr = snr_db - SIDE_MARGIN_DB if side_snr_db is None else side_snr_db
        planes, model = to_planes(image), self._weights.side
        sent = transmission(planes, w, num_symbols, snr_db, side_snr, model)
        packet = bytes([sent.packet[0] | self._flags]) + self._identity + sent.packet[1:]
        tile, bands = LAYOUTS[sent.side.layout]
        chunks = int(np.count_nonzero(sent.side.levels))
        return AnalogSignal(
            sent.symbols, (Packet(packet),), {"tile": tile, "bands": bands, "chunks": chunks}
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
        if not packet:
            raise DecodeError("jscc: side information is empty")
        kind = packet[0]
        start = 1 + (OpenedWeights.IDENTITY_BYTES if kind & _OWN else 0)
        weights, device = _opened.find("jscc", packet[1:start])
        body = bytes([kind & ~(_PLAIN | _OWN)]) + packet[start:]
        about, least = unpack(body, height, width, weights.side)
        found = estimate(about, height, width, y, h, noise_var)
        planes: NDArray[np.floating[Any]] = found.planes
        if not kind & _PLAIN and least != NOTHING_SENT:
            known = knowledge_of(about, least, found).cells(height, width, found.chunks.tile)
            planes = refined(weights.refiner, planes, known, device, fast=self._fast)
        return from_planes(round_planes(planes))
