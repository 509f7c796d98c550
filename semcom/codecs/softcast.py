"""SoftCast with importance: DCT coefficients are the amplitudes of the symbols.

The picture improves with every decibel of SNR, above and below the planned value, since nothing is
quantised or coded: noise on the symbols is noise on the coefficients. The mean of every tile is
sent as side information. The other coefficients are sorted into chunks
(:mod:`semcom.codecs.parts.chunks`), and the receiver is told the variance λ of each. Those with the
largest ``w·λ`` that fit into the bandwidth are sent, each coefficient as one real dimension, with
the power that minimises the weighted squared error at the planned SNR
(:mod:`semcom.codecs.parts.power_allocation`); coefficients that deserve no power are left out.
An interleaver spreads each chunk over the transmission. The receiver computes the linear estimate
of least squared error from the gain and the noise of each symbol.

The size of the tiles and the number of bands minimise the expected error, including the cost of
describing them (:mod:`semcom.codecs.parts.softcast_side_information`).

Leaves out: the Hadamard transform (the peak power is high), prediction between pictures, more than
one symbol per coefficient (excess bandwidth stays silent, and its power goes to the other symbols),
weights within a tile, and any knowledge of the fading at the sender.

References
----------
S. Jakubczak, D. Katabi, "A cross-layer design for scalable mobile video", MobiCom 2011,
DOI 10.1145/2030613.2030646.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.base import grey, only_packet
from semcom.codecs.parts.chunks import Chunks
from semcom.codecs.parts.colour import from_planes, to_planes
from semcom.codecs.parts.power_allocation import Array, lmmse_error
from semcom.codecs.parts.softcast_side_information import (
    LAYOUTS,
    SCALE_UNIT,
    Side,
    chunks_of,
    layouts,
    level_of,
    snr_level_of,
    variance_of,
    weight_level_of,
)
from semcom.types import AnalogSignal, Image, Map, Packet

_MEAN_STEP = 8.0  # for planes with values from 0 to 1023
_SIDE_LOSS_DB = 6.0  # side information is estimated to be sent for an SNR lower by this,
_SIDE_EFFICIENCY = 0.75  # at this share of the capacity
_MAX_SIDE = 0.15  # share of the symbols, if any layout stays below it


class Softcast:
    """DCT coefficients as amplitudes.

    Examples
    --------
    Symbols of mean power 1, and side information; no noise leaves small errors only:

    >>> ramp = np.linspace(0, 255, 64).astype(np.uint8)
    >>> image = np.broadcast_to(ramp[:, None], (64, 64, 3)).copy()
    >>> signal = Softcast().encode(image, np.ones((64, 64), dtype=np.float32), 2000, 20.0)
    >>> x = signal.symbols
    >>> round(float(x.abs().square().mean()), 2)
    1.0
    >>> side = [packet.data for packet in signal.side]
    >>> shown = Softcast().decode(x, torch.ones_like(x), torch.zeros(len(x)), side, 64, 64)
    >>> int(np.abs(shown.astype(int) - image).max()) < 16
    True
    """

    analog: Literal[True] = True
    steerable = True

    def encode(self, image: Image, w: Map, num_symbols: int, snr_db: float) -> AnalogSignal:
        """Send the chunks that are worth their power; see :class:`AnalogCodec`."""
        planes = to_planes(image)
        snr = snr_level_of(snr_db)
        pictures = (_Picture.of(planes, w, k, snr) for k in layouts(*w.shape))
        best = min(pictures, key=lambda picture: picture.expected_error(num_symbols))
        side, symbols = best.send(num_symbols)
        tile, bands = LAYOUTS[side.layout]
        sent = int(np.count_nonzero(side.levels))
        return AnalogSignal(
            torch.from_numpy(symbols),
            (Packet(side.pack()),),
            {"tile": tile, "bands": bands, "chunks": sent},
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
        """Estimate the coefficients; see :class:`AnalogCodec`."""
        packet = only_packet("softcast", side)
        if packet is None:
            return grey(height, width)
        about = Side.unpack(packet, height, width)
        chunks = chunks_of(about.layout, height, width)
        coefficients = _estimate(about, chunks, *(t.numpy(force=True) for t in (y, h, noise_var)))
        tiles = chunks.synthesise(coefficients) + _MEAN_STEP * about.means[..., None, None]
        planes = np.clip(np.rint(chunks.join(tiles)), 0, 1023).astype(np.uint16)
        return from_planes(planes)


class _Picture(NamedTuple):
    """An image in one layout: all chunks, before those to send are chosen."""

    side: Side
    chunks: Chunks
    coefficients: Array
    variance: Array
    """Unquantised variance of each chunk, (3, tiles, bands)."""
    weights: Array
    """Unquantised weight of each tile, (tiles,)."""

    @classmethod
    def of(cls, planes: NDArray[np.uint16], w: Map, layout: int, snr: int) -> _Picture:
        chunks = chunks_of(layout, *w.shape)
        tiles = chunks.cut(planes.astype(np.float64))
        means = np.rint(tiles.mean(axis=(2, 3)) / _MEAN_STEP).astype(np.uint8)
        coefficients = chunks.analyse(tiles - _MEAN_STEP * means[..., None, None])
        weights = chunks.weights(w)
        variance = chunks.variances(coefficients)
        side = Side(layout, snr, 0, weight_level_of(weights), means, level_of(variance))
        return cls(side, chunks, coefficients, variance, weights)

    def choose(self, num_symbols: int) -> Side:
        """Leave out the chunks for which there is no room or no power."""
        served = self.side.powers(self.chunks, num_symbols) > 0
        return self.side._replace(levels=self.side.levels * served)

    def expected_error(self, num_symbols: int) -> tuple[float, float]:
        """Return the expected weighted squared error, and the symbols of the side information.

        The error is that with these symbols taken away. Their number decides between equal errors,
        as in flat pictures.
        """
        snr = 0.5 / self.side.noise_var / 10 ** (_SIDE_LOSS_DB / 10)
        bits = 8 * len(self.choose(num_symbols).pack())
        price = bits / (_SIDE_EFFICIENCY * math.log2(1 + snr))
        left = math.floor(num_symbols - price)
        if price > _MAX_SIDE * num_symbols:
            return math.inf, price
        numbers = self.side.numbers(self.chunks, left)
        power = self.side.powers(self.chunks, left)
        error = numbers * lmmse_error(self.variance, power, self.side.noise_var)
        error += (self.chunks.counts - numbers) * self.variance
        return float((error.sum(axis=(0, 2)) * self.weights).sum()), price

    def send(self, num_symbols: int) -> tuple[Side, NDArray[np.complex64]]:
        """Return the side information, and ``num_symbols`` symbols or none."""
        side = self.choose(num_symbols)
        gain = self.chunks.spread(_gain(side, self.chunks, num_symbols))
        sent = self.chunks.first(side.numbers(self.chunks, num_symbols))
        amplitudes = np.zeros(2 * num_symbols)
        amplitudes[_places(np.count_nonzero(sent), len(amplitudes))] = (
            self.coefficients[sent] * gain[sent]
        )
        power = np.square(amplitudes).sum() / num_symbols
        if not power:
            return side, np.zeros(0, dtype=np.complex64)
        scale = int(np.clip(round(1 / math.sqrt(power) / SCALE_UNIT), 1, 0xFFFF))
        amplitudes *= scale * SCALE_UNIT
        return side._replace(scale=scale), amplitudes.view(np.complex128).astype(np.complex64)


def _estimate(
    side: Side,
    chunks: Chunks,
    y: NDArray[np.complex64],
    h: NDArray[np.complex64],
    noise_var: NDArray[np.float32],
) -> Array:
    """Estimate all coefficients, (3, tiles, coefficients), by least mean squared error."""
    prior = chunks.spread(variance_of(side.levels))
    gain = chunks.spread(_gain(side, chunks, len(y))) * side.scale * SCALE_UNIT
    sent = chunks.first(side.numbers(chunks, len(y)))
    at = _places(np.count_nonzero(sent), 2 * len(y))
    matched = (h.conj() * y.astype(np.complex128)).view(np.float64)[at]
    strength = np.square(np.abs(h.astype(np.complex128))).repeat(2)[at]
    noise = 0.5 * noise_var.astype(np.float64).repeat(2)[at]
    g, variance = gain[sent], prior[sent]
    estimate = np.zeros(prior.shape)
    # Where nothing was received, 0/0 must give 0.
    estimate[sent] = g * variance * matched / (g**2 * variance * strength + noise + 1e-30)
    return estimate


def _gain(side: Side, chunks: Chunks, num_symbols: int) -> Array:
    """Return each chunk's amplitude per unit of a coefficient, before the common scale."""
    power, variance = side.powers(chunks, num_symbols), variance_of(side.levels)
    ratio = np.divide(power, variance, out=np.zeros_like(power), where=variance > 0)
    return np.asarray(np.sqrt(ratio))


def _places(count: int, slots: int) -> NDArray[np.int64]:
    """Spread coefficients over the real dimensions, in golden-ratio steps coprime to them."""
    step = max(1, round(slots * (math.sqrt(5) - 1) / 2))
    while slots and math.gcd(step, slots) != 1:
        step += 1
    return step * np.arange(count) % max(slots, 1)
