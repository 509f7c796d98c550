"""A linear analog code: chunks of DCT coefficients as amplitudes, and their linear estimate.

The coefficients of an image are sorted into chunks (:mod:`semcom.codecs.linear.chunks`), and both
ends know the variance λ of each (:mod:`semcom.codecs.linear.side_information`). The chunks with the
largest ``w·λ`` that fit into the bandwidth are sent, each coefficient as one real dimension, with
the power that minimises the weighted squared error at the planned SNR
(:mod:`semcom.codecs.linear.power_allocation`). An interleaver spreads each chunk over the
transmission. The receiver computes the linear estimate of least squared error from the gain and the
noise of each symbol.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from semcom.codecs.linear.chunks import Chunks
from semcom.codecs.linear.power_allocation import Array, lmmse_error
from semcom.codecs.linear.side_information import (
    SCALE_UNIT,
    Side,
    chunks_of,
    level_of,
    variance_of,
    weight_level_of,
)
from semcom.codecs.side_margin import usual_side_rate
from semcom.types import Map

_LEAST_POWER = (0xFFFF * SCALE_UNIT) ** -2  # less is so little that it is not sent
_MAX_SIDE = 0.15  # share of the symbols, if any layout stays below it


class LinearPicture(NamedTuple):
    """An image in one layout: all chunks, before those to send are chosen."""

    side: Side
    chunks: Chunks
    coefficients: Array
    variance: Array
    """Unquantised variance of each chunk, (3, tiles, bands)."""
    weights: Array
    """Unquantised weight of each tile, (tiles,)."""

    @classmethod
    def of(
        cls, planes: NDArray[np.floating[Any]], w: Map, layout: int, snr: int, mean_step: int = 8
    ) -> LinearPicture:
        """Transform planes (3, H, W) with values from 0 to 1023; see :class:`Side` for the rest."""
        chunks = chunks_of(layout, *w.shape)
        tiles = chunks.cut(planes)
        means = np.rint(tiles.mean(axis=(2, 3)) / mean_step).astype(np.uint8)
        shift = mean_step * means[..., None, None].astype(tiles.dtype)
        coefficients = chunks.analyse(tiles - shift)
        weights = chunks.weights(w)
        variance = chunks.variances(coefficients)
        levels = level_of(variance)
        side = Side(layout, snr, 0, weight_level_of(weights), means, levels, mean_step)
        return cls(side, chunks, coefficients, variance, weights)

    def with_layout(self, layout: int) -> LinearPicture:
        """Divide the same tiles into other bands, whose coefficients are in the same order."""
        chunks = chunks_of(layout, self.chunks.height, self.chunks.width)
        variance = chunks.variances(self.coefficients)
        side = replace(self.side, layout=layout, levels=level_of(variance))
        return self._replace(side=side, chunks=chunks, variance=variance)

    def with_mean_step(self, mean_step: int) -> LinearPicture:
        """Describe the means in other steps; the rest of them stays among the coefficients."""
        side, first = self.side, self.coefficients[..., 0]
        size = math.sqrt(np.prod(self.chunks.tile))  # of a tile's mean in its first coefficient
        whole = first + (side.mean_step * size) * side.means
        means = np.rint(whole / (size * mean_step)).astype(np.uint8)
        rest = whole - (mean_step * size) * means
        variance, coefficients = self.variance.copy(), self.coefficients.copy()
        variance[..., 0] += (rest**2 - first**2) / self.chunks.counts[0]
        coefficients[..., 0] = rest
        levels = level_of(variance)
        side = replace(side, means=means, levels=levels, mean_step=mean_step)
        return self._replace(side=side, coefficients=coefficients, variance=variance)

    def with_coarse(self, rest: int) -> LinearPicture:
        """Send coefficients of large variance as coarse values and rests of this level."""
        return self._replace(side=replace(self.side, coarse_rest=rest))

    def valued(self, side: Side) -> Side:
        """Return side information with its coarse values."""
        coarse, steps = side.coarse(self.chunks)
        kept = self.coefficients[..., : coarse.shape[-1]][coarse]
        return replace(side, values=np.rint(kept / steps).astype(np.int64))

    def choose(self, num_symbols: int) -> Side:
        """Leave out the chunks for which there is no room or no power."""
        numbers = self.side.numbers(self.chunks, num_symbols)
        served = (self.side.powers(numbers, num_symbols) > 0) | self.side.is_coarse
        return replace(self.side, levels=self.side.levels * served)

    def expected_error(
        self, num_symbols: int, num_bits: float, side_snr_db: float, max_side: float = _MAX_SIDE
    ) -> tuple[float, float]:
        """Return the expected weighted squared error, and the symbols of the side information.

        The side information has ``num_bits`` and is protected for ``side_snr_db``. The error is
        that with its symbols taken away; their number decides between equal errors, as in flat
        pictures. It is infinite if the side information takes more than the share ``max_side`` of
        the symbols.
        """
        price = num_bits / usual_side_rate(side_snr_db)
        if price > max_side * num_symbols:
            return math.inf, price
        left = math.floor(num_symbols - price)
        numbers = self.side.numbers(self.chunks, left)
        power = self.side.powers(numbers, left)
        variance = np.where(self.side.is_coarse, variance_of(self.side.rest), self.variance)
        error = numbers * lmmse_error(variance, power, self.side.noise_var)
        error += (self.chunks.counts - numbers) * variance
        return float((error.sum(axis=(0, 2)) * self.weights).sum()), price

    def send(self, side: Side, num_symbols: int) -> tuple[Side, NDArray[np.complex64]]:
        """Return the chosen side information with its scale, and the symbols, or none of them."""
        numbers = side.numbers(self.chunks, num_symbols)
        gain = np.repeat(amplitudes_of(side, numbers, num_symbols).ravel(), numbers.ravel())
        sent = self.chunks.first(numbers)
        carried = self.coefficients.ravel()[sent].astype(np.float64)
        if len(side.values):
            carried -= coarse_part(side, self.chunks).ravel()[sent]
        amplitudes = np.zeros(2 * num_symbols)
        amplitudes[places_of(len(sent), len(amplitudes))] = carried * gain
        power = np.square(amplitudes).sum() / num_symbols
        if power < _LEAST_POWER:
            return side, np.zeros(0, dtype=np.complex64)
        scale = max(round(1 / math.sqrt(power) / SCALE_UNIT), 1)
        amplitudes *= scale * SCALE_UNIT
        return replace(side, scale=scale), amplitudes.view(np.complex128).astype(np.complex64)


class Estimate(NamedTuple):
    """The receiver's linear estimate of an image."""

    planes: Array
    """(3, H, W), neither rounded nor clipped."""
    chunks: Chunks
    numbers: NDArray[np.int64]
    """Number of coefficients of each chunk of which something was sent, (3, tiles, bands)."""
    error: Array
    """Expected squared error of all these coefficients, (3, tiles, bands)."""


def estimate(
    side: Side, height: int, width: int, y: Tensor, h: Tensor, noise_var: Tensor
) -> Estimate:
    """Estimate an image by least mean squared error; see :class:`AnalogCodec` for the symbols."""
    chunks = chunks_of(side.layout, height, width)
    numbers = side.numbers(chunks, len(y))
    coefficients, error = estimate_coefficients(
        side, chunks, numbers, *(t.numpy(force=True) for t in (y, h, noise_var))
    )
    if len(side.values):
        coefficients += coarse_part(side, chunks)
        unsent = np.where(side.is_coarse, chunks.counts - numbers, 0)
        error += unsent * variance_of(side.rest)
        numbers = numbers + unsent
    tiles = chunks.synthesise(coefficients)
    tiles += float(side.mean_step) * side.means[..., None, None]
    return Estimate(chunks.join(tiles), chunks, numbers, error)


def coarse_part(side: Side, chunks: Chunks) -> Array:
    """Return what the coarse values say of the coefficients, (3, tiles, coefficients)."""
    coarse, steps = side.coarse(chunks)
    found = np.zeros((*coarse.shape[:2], len(chunks.order)))
    found[..., : coarse.shape[-1]][coarse] = side.values * steps
    return found


def estimate_coefficients(
    side: Side,
    chunks: Chunks,
    numbers: NDArray[np.int64],
    y: NDArray[np.complex64],
    h: NDArray[np.complex64],
    noise_var: NDArray[np.float32],
) -> tuple[Array, Array]:
    """Estimate all coefficients, (3, tiles, coefficients), with the errors of :class:`Estimate`."""
    gains = amplitudes_of(side, numbers, len(y)) * side.scale * SCALE_UNIT
    g = np.repeat(gains.ravel(), numbers.ravel())
    variance = np.repeat(variance_of(side.analog_levels).ravel(), numbers.ravel())
    at = places_of(len(g), 2 * len(y))
    matched = (h.conj() * y.astype(np.complex128)).view(np.float64)[at]
    strength = np.square(np.abs(h.astype(np.complex128))).repeat(2)[at]
    noise = 0.5 * noise_var.astype(np.float64).repeat(2)[at]
    power = g**2 * variance * strength + noise + 1e-30  # where nothing was received, 0/0 gives 0
    found = np.zeros((*numbers.shape[:2], len(chunks.order)))
    found.ravel()[chunks.first(numbers)] = g * variance * matched / power
    some, error = numbers > 0, np.zeros(numbers.shape)
    if some.any():
        starts = np.cumsum(numbers[some]) - numbers[some]
        error[some] = np.add.reduceat(variance * noise / power, starts)
    return found, error


def amplitudes_of(side: Side, numbers: NDArray[np.int64], num_symbols: int) -> Array:
    """Return each chunk's amplitude per unit of a coefficient, before the common scale."""
    power = side.powers(numbers, num_symbols)
    variance = variance_of(side.analog_levels)
    ratio = np.divide(power, variance, out=np.zeros_like(power), where=variance > 0)
    return np.asarray(np.sqrt(ratio))


def places_of(count: int, slots: int) -> NDArray[np.int64]:
    """Spread coefficients over the real dimensions, in golden-ratio steps coprime to them."""
    step = max(1, round(slots * (math.sqrt(5) - 1) / 2))
    while slots and math.gcd(step, slots) != 1:
        step += 1
    return step * np.arange(count) % max(slots, 1)
