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

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.base import DecodeError, grey, only_packet
from semcom.codecs.jscc.side_coding import SideModel, pack, settle, unpack
from semcom.codecs.jscc.side_kernels import MEAN_STEPS
from semcom.codecs.jscc.weights import Weights, load
from semcom.codecs.linear.code import LinearPicture, estimate
from semcom.codecs.linear.side_information import (
    LAYOUTS,
    NO_COARSE,
    Side,
    layouts,
    snr_level_of,
)
from semcom.codecs.parts.colour import from_planes, to_planes
from semcom.codecs.refiner.knowledge import knowledge_of
from semcom.codecs.refiner.strips import refined
from semcom.codecs.refiner.weight_file import identity
from semcom.codecs.side_margin import SIDE_MARGIN_DB
from semcom.errors import InputError
from semcom.large import in_threads, is_large
from semcom.types import AnalogSignal, Image, Map, Packet

_PLAIN, _OWN = 0x80, 0x40  # bits of the first byte: no network, weights of the user's own
_IDENTITY_BYTES = 2
_PRECISIONS = ("auto", "float32")
_MAX_SIDE = 0.7  # share of the symbols that side information takes at most
_DEPTHS = (0, 4, 6, 8, 10, 12, 14, 16, 18)
"""Levels from the strongest chunk down to the rest of coarse values; 0: none are sent."""
_BEGINNINGS = (_DEPTHS.index(10), 0)
"""Depths with which a layout is tried: the usual one, and none."""
_TRIED = 3  # layouts of which all depths are walked; more gain less than 0.02 dB
_transformed: dict[bytes, list[LinearPicture]] = {}
"""The transforms of the last planes, by the hash of them and of ``w``."""
_opened: dict[bytes, tuple[Weights, str]] = {}
"""Weights with which a codec was made in this process, with their device, by their identity."""


T = TypeVar("T")


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
        self._identity = identity(weights)[:_IDENTITY_BYTES] if weights else b""
        _opened[self._identity] = self._weights, device

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
        start = 1 + (_IDENTITY_BYTES if kind & _OWN else 0)
        opened = _opened.get(packet[1:start])
        if opened is None:
            raise DecodeError("jscc: the weights of this packet are not open here")
        weights, device = opened
        body = bytes([kind & ~(_PLAIN | _OWN)]) + packet[start:]
        about, least = unpack(body, height, width, weights.side)
        found = estimate(about, height, width, y, h, noise_var)
        planes: NDArray[np.floating[Any]] = found.planes
        if not kind & _PLAIN:
            known = knowledge_of(about, least, found).cells(height, width, found.chunks.tile)
            planes = refined(weights.refiner, planes, known, device, fast=self._fast)
        return from_planes(np.clip(np.rint(planes), 0, 1023).astype(np.uint16))


class Transmission(NamedTuple):
    """What is sent of an image."""

    side: Side
    least: int
    """Least ``2·level + weight`` that is sent."""
    packet: bytes
    symbols: Tensor
    """complex64 (n,)"""
    error: float
    """Expected weighted squared error at the planned SNR, summed over the planes."""


def transmission(
    planes: NDArray[np.generic],
    w: Map,
    num_symbols: int,
    snr_db: float,
    side_snr_db: float,
    model: SideModel,
) -> Transmission:
    """Choose the description of least expected error, and send its chunks.

    The planes are (3, H, W), with values from 0 to 1023. The symbols are planned for ``snr_db``,
    and the packet will be protected for ``side_snr_db``.
    """

    def error(picture: LinearPicture) -> tuple[float, float]:
        bits = settle(picture, num_symbols, model).bits
        return picture.expected_error(num_symbols, bits, side_snr_db, _MAX_SIDE)

    walks = (
        walk([_coarse(whole, depth) for depth in _DEPTHS], at, error)
        for whole, at in _promising(planes, w, snr_level_of(snr_db), error)
    )
    _, coarse = min(walks, key=lambda walked: walked[0])
    (expected, _), best = walk([coarse.with_mean_step(step) for step in MEAN_STEPS], 1, error)
    side, least, _ = settle(best, num_symbols, model)
    side, symbols = best.send(side, num_symbols)
    packet = pack(side, least, best.chunks, model)
    return Transmission(side, least, packet, torch.from_numpy(symbols), expected)


Error = Callable[[LinearPicture], tuple[float, float]]


def _promising(
    planes: NDArray[np.generic], w: Map, snr: int, error: Error
) -> list[tuple[LinearPicture, int]]:
    """Try planes in every layout; return some layouts, each with a depth to begin with.

    Each is tried with coarse values of the usual depth and without any, and those of least error
    are returned.
    """
    pictures = [
        picture._replace(side=picture.side._replace(snr=snr)) for picture in _pictures(planes, w)
    ]

    def tried(i: int) -> tuple[tuple[float, float], int]:
        return min((error(_coarse(pictures[i], _DEPTHS[at])), at) for at in _BEGINNINGS)

    found = _each(tried, len(pictures), w)
    best = sorted(range(len(pictures)), key=lambda i: found[i])[:_TRIED]
    return [(pictures[i], found[i][1]) for i in best]


def _pictures(planes: NDArray[np.generic], w: Map) -> list[LinearPicture]:
    """Transform planes in every layout; layouts of equal tiles share the transform.

    The transforms of the last planes are kept, unless they are large: the link asks several times
    how many symbols an image needs.
    """
    key = hashlib.sha256(planes.tobytes() + w.tobytes()).digest()
    if (kept := _transformed.get(key)) is not None:
        return kept
    values = planes.astype(np.float32)
    by_tile = groupby(layouts(*w.shape), key=lambda layout: LAYOUTS[layout][0])
    groups = [list(group) for _, group in by_tile]

    def transformed(i: int) -> list[LinearPicture]:
        first, *others = groups[i]
        picture = LinearPicture.of(values, w, first, 0, MEAN_STEPS[1])
        return [picture, *(picture.with_layout(layout) for layout in others)]

    pictures = [one for group in _each(transformed, len(groups), w) for one in group]
    if not is_large(*w.shape):
        _transformed.clear()
        _transformed[key] = pictures
    return pictures


def _each(do: Callable[[int], T], count: int, w: Map) -> list[T]:
    """Do something for each number: in threads, unless this process shall keep to one thread.

    Large pictures are treated one by one as well, because of the memory.
    """
    if torch.get_num_threads() == 1 or is_large(*w.shape):
        return [do(i) for i in range(count)]
    return in_threads(do, range(count))


def _coarse(picture: LinearPicture, depth: int) -> LinearPicture:
    """Send coarse values of the chunks in the uppermost levels, as many as ``depth`` says."""
    most = int(picture.side.levels.max())
    return picture.with_coarse(max(most - depth, 1) if depth else NO_COARSE)


def walk(
    options: Sequence[T], at: int, cost: Callable[[T], tuple[float, float]]
) -> tuple[tuple[float, float], T]:
    """Go from one option to the better neighbour for as long as there is one."""
    costs: dict[int, tuple[float, float]] = {}
    while True:
        for i in range(max(at - 1, 0), min(at + 2, len(options))):
            if i not in costs:
                costs[i] = cost(options[i])
        best = min(costs, key=lambda i: costs[i])
        if best == at:
            return costs[at], options[at]
        at = best
