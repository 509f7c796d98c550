"""The codec of "Segment Anything Meets Semantic Communication", repaired.

A small network maps each cell of 16x16 pixels to 128 latents, and two latents are a symbol. The
paper sends a full frame for every mask. Here one frame has a bandwidth like that of every other
codec, and importance decides how many symbols each cell gets
(:mod:`semcom.codecs.sam_sc.allocation`). The side information is paid for:

    flags (1 byte) │ root mean square of the sent latents (4) │ deflate: symbols per cell

The receiver estimates each latent from its symbols, their gains and their noise, takes latents that
were not sent for 0, and the network maps them back.

The network differs from the published one in these points: it is trained on photos instead of the
image that is sent; 12 dB is a ratio of 15.8 instead of 12; one network serves all SNRs, fading and
all bandwidths, since it is trained for random SNRs and random numbers of sent latents.

Leaves out: a choice of symbols by content, for which the paper has no means.

References
----------
S. Tariq, B. E. Arfeto, C. Zhang, H. Shin, "Segment Anything Meets Semantic Communication",
arXiv:2306.02094.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.parts.cells import deflate, inflate, levels_of
from semcom.codecs.sam_sc.allocation import SYMBOLS, allocate, error_curve
from semcom.codecs.sam_sc.network import CHANNELS, to_latents, to_picture
from semcom.codecs.sam_sc.weights import Weights, load
from semcom.codecs.weights.file import OpenedWeights
from semcom.types import AnalogSignal, Image, Map, Packet

_HEAD = struct.Struct(">Bf")
_OWN = 0x01  # flag: weights of the user's own
_LEAST_NOISE = 1e-6  # a channel without noise
_opened: OpenedWeights[Weights] = OpenedWeights()


class SamSc:
    """The paper's network, with symbols for cells by importance.

    Parameters
    ----------
    weights
        File of weights that ``semcom train sam_sc`` wrote; those of the package by default. A
        packet holds two bytes that identify such a file, but not its path: a receiver in another
        process must have opened the same file.
    device
        Device of the network in this process: ``cpu``, ``cuda``, …

    Raises
    ------
    ValueError
        The file or the device cannot be used.

    Examples
    --------
    >>> import torch
    >>> ramp = np.linspace(40, 215, 64).astype(np.uint8)
    >>> image = np.broadcast_to(ramp[:, None, None], (64, 64, 3)).copy()
    >>> signal = SamSc().encode(image, np.ones((64, 64), dtype=np.float32), 1000, 20.0)
    >>> x, side = signal.symbols, [packet.data for packet in signal.side]
    >>> shown = SamSc().decode(x, torch.ones_like(x), torch.zeros(len(x)), side, 64, 64)
    >>> len(x), bool(np.abs(shown.astype(float) - image).mean() < 16)
    (1000, True)
    """

    analog: Literal[True] = True
    steerable = True

    def __init__(self, *, weights: str = "", device: str = "cpu") -> None:
        self._weights, self._device = load(weights, device), device
        self._identity = _opened.add(weights, self._weights, device)

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Send the latents of each cell that are worth their symbols; see :class:`AnalogCodec`."""
        values = torch.tensor(image, device=self._device).permute(2, 0, 1).float() / 255
        latents = to_latents(self._weights.network, values).cpu()
        counts = allocate(levels_of(w), num_symbols, error_curve(self._weights.errors, snr_db))
        pairs = torch.view_as_complex(_by_cell(latents).reshape(-1, SYMBOLS, 2).contiguous())
        at, places = _places(counts)
        sent = pairs[at, places]
        rms = float(sent.abs().square().mean().sqrt())
        if not rms:  # any symbols will do, since the receiver scales them by 0
            sent = torch.ones_like(sent)
        head = _HEAD.pack(_OWN if self._identity else 0, rms) + self._identity
        packet = head + deflate(counts)
        symbols = sent / (rms or 1.0)
        cells = int(np.count_nonzero(counts))
        return AnalogSignal(symbols, (Packet(packet),), {"cells": cells})

    def decode(
        self,
        y: Tensor,
        h: Tensor,
        noise_var: Tensor,
        side: Sequence[bytes | None],
        height: int,
        width: int,
    ) -> Image:
        """Estimate the latents and show their picture; see :class:`AnalogCodec`."""
        packet = only_packet("sam_sc", side)
        if packet is None:
            return grey(height, width)
        (weights, device), scale, counts = _unpack(packet, height, width)
        if len(y) != counts.sum(dtype=np.int64):
            raise DecodeError(f"sam_sc: {len(y)} symbols arrived, {counts.sum()} are described")
        latents = scale * _by_channel(combine(y, h, noise_var, counts), *counts.shape)
        shown = to_picture(weights.network, latents.to(device), height, width)
        pixels = (255 * shown).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(1, 2, 0).contiguous().numpy(force=True)


def combine(y: Tensor, h: Tensor, noise_var: Tensor, counts: NDArray[np.integer[Any]]) -> Tensor:
    """Estimate the symbols of all cells, complex64 (cells, 64), those that were not sent as 0.

    It is the linear estimate of least mean squared error from all copies of a symbol, whose mean
    power is 1: ``Σ h*·y/N0 / (1 + Σ |h|²/N0)``.
    """
    cells, places = _places(counts)
    at = cells * SYMBOLS + places
    n0 = noise_var.clamp(min=_LEAST_NOISE)
    matched = torch.zeros(counts.size * SYMBOLS, dtype=torch.complex64, device=y.device)
    matched.index_add_(0, at.to(y.device), h.conj() * y / n0)
    gains = torch.zeros(counts.size * SYMBOLS, device=y.device)
    gains.index_add_(0, at.to(y.device), h.abs().square() / n0)
    return (matched / (1 + gains)).reshape(-1, SYMBOLS)


def _places(counts: NDArray[np.integer[Any]]) -> tuple[Tensor, Tensor]:
    """Return the cell of each symbol, and its place among the cell's 64, both int64 (n,)."""
    flat = counts.reshape(-1).astype(np.int64)
    cells = np.repeat(np.arange(len(flat)), flat)
    firsts = np.repeat(np.cumsum(flat) - flat, flat)
    return torch.from_numpy(cells), torch.from_numpy((np.arange(len(cells)) - firsts) % SYMBOLS)


def _by_cell(latents: Tensor) -> Tensor:
    """Reorder latents (128, rows, columns) to (cells, 128)."""
    return latents.reshape(CHANNELS, -1).T


def _by_channel(symbols: Tensor, rows: int, columns: int) -> Tensor:
    """Reorder symbols (cells, 64) to latents (128, rows, columns)."""
    return torch.view_as_real(symbols).reshape(-1, CHANNELS).T.reshape(CHANNELS, rows, columns)


def _unpack(
    packet: bytes, height: int, width: int
) -> tuple[tuple[Weights, str], float, NDArray[np.integer[Any]]]:
    """Read a description: weights and their device, the scale, and the symbols of each cell."""
    if len(packet) < _HEAD.size:
        raise DecodeError("sam_sc: side information is cut off")
    flags, scale = _HEAD.unpack_from(packet)
    start = _HEAD.size + (OpenedWeights.IDENTITY_BYTES if flags == _OWN else 0)
    if flags not in (0, _OWN) or not (0 <= scale < np.inf):
        raise DecodeError("sam_sc: side information has an impossible head")
    opened = _opened.find("sam_sc", packet[_HEAD.size : start])
    return opened, scale, inflate("sam_sc", packet[start:], np.uint8, height, width)
