"""The inner loops of :mod:`channels.modulation` for the CPU.

The same arithmetic as there, a few hundred symbols at a time, so that nothing in between leaves the
cache. No gradients: tensors that need them, or live elsewhere, take torch's way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from channels.kernels.jit import kernel

F32 = NDArray[np.float32]

_CHUNK = 256  # symbols


@kernel
def map_bits(
    bits: NDArray[np.uint8], bits_per_symbol: int, constellation: NDArray[np.complex64]
) -> NDArray[np.complex64]:
    """Look symbols up: bits (n,) of 0 and 1, the first the highest of the label, to complex64."""
    symbols = np.empty(bits.size // bits_per_symbol, dtype=np.complex64)
    if bits_per_symbol == 2:  # every bit is the sign of one part, which makes vectors
        unit, parts = constellation[0].real, symbols.view(np.float32)
        for i in range(bits.size):
            parts[i] = -unit if bits[i] else unit
        return symbols
    for i in range(symbols.size):
        label = 0
        for j in range(bits_per_symbol):
            label = 2 * label + bits[i * bits_per_symbol + j]
        symbols[i] = constellation[label]
    return symbols


@kernel
def _match(
    y: F32, h: F32, noise: F32, scale: Any, lowest: Any, matched: F32, gain: F32, inverse: F32
) -> None:
    """Correlate with the gain: interleaved real and imaginary parts; h and noise may be one."""
    if h.size == 2:
        a, b = h[0] * scale, h[1] * scale
        for i in range(y.size // 2):
            matched[2 * i] = a * y[2 * i] + b * y[2 * i + 1]
            matched[2 * i + 1] = a * y[2 * i + 1] - b * y[2 * i]
        gain[:] = a * a + b * b
    else:
        for i in range(y.size // 2):
            a, b = h[2 * i] * scale, h[2 * i + 1] * scale
            matched[2 * i] = a * y[2 * i] + b * y[2 * i + 1]
            matched[2 * i + 1] = a * y[2 * i + 1] - b * y[2 * i]
            gain[2 * i] = gain[2 * i + 1] = a * a + b * b
    if noise.size == 1:
        inverse[:] = np.float32(1) / max(noise[0], lowest)
    else:
        for i in range(y.size // 2):
            inverse[2 * i] = inverse[2 * i + 1] = np.float32(1) / max(noise[i], lowest)


@kernel
def _fold(centred: F32, gain: F32, inverse: F32, levels: int, smallest: Any, llr: F32) -> None:
    """Give the LLRs of one bit per dimension, and fold ``centred`` for the next.

    ``_maxlog`` of :mod:`channels.modulation` says why. The last bit is linear.
    """
    if levels == 2:
        for i in range(centred.size):
            llr[i] = np.float32(-4) * centred[i] * inverse[i]
        return
    one, two, top = np.float32(1), np.float32(2), np.float32(levels - 1)
    half = np.float32(levels // 2)
    for i in range(centred.size):
        value, g = centred[i], gain[i]
        magnitude = abs(value)
        q = min(two * np.floor(magnitude / (two * max(g, smallest))) + one, top)
        distance = (one + q) * (two * magnitude + g * (one - q)) * inverse[i]
        llr[i] = distance if value < 0 else -distance
        centred[i] = g * half - magnitude


@kernel
def demap(
    y: F32, h: F32, noise: F32, num_bits: int, scale: float, lowest: float, smallest: float
) -> F32:
    """Max-log LLRs of Gray QAM.

    Parameters
    ----------
    y
        Received symbols, real and imaginary parts in turn, float32 (2·n,).
    h
        Gains likewise, (2·n,) or (2,) for all.
    noise
        N0, (n,) or (1,) for all.
    num_bits
        Bits per dimension.
    scale, lowest, smallest
        See :mod:`channels.modulation`: half the distance of neighbours, least N0, least
        gain.

    Returns
    -------
    NDArray[np.float32]
        (2·n·num_bits,).
    """
    num_symbols = y.size // 2
    llr = np.empty(num_symbols * 2 * num_bits, dtype=np.float32)
    pairs = llr.view(np.complex64)  # one number of 8 bytes for both dimensions
    room = np.empty((4, 2 * _CHUNK), dtype=np.float32)
    one_h, one_noise = h.size == 2, noise.size == 1
    if num_bits == 1 and one_h and one_noise and h[1] == 0:  # QPSK without fading
        factor = h[0] * np.float32(scale)
        inverse_noise = np.float32(1) / max(noise[0], np.float32(lowest))
        for i in range(y.size):
            llr[i] = np.float32(-4) * (factor * y[i]) * inverse_noise
        return llr
    for start in range(0, num_symbols, _CHUNK):
        end = min(start + _CHUNK, num_symbols)
        count = end - start
        matched, gain, inverse, out = room[:, : 2 * count]
        _match(
            y[2 * start : 2 * end],
            h if one_h else h[2 * start : 2 * end],
            noise if one_noise else noise[start:end],
            np.float32(scale),
            np.float32(lowest),
            matched,
            gain,
            inverse,
        )
        if num_bits == 1:
            _fold(matched, gain, inverse, 2, np.float32(smallest), llr[2 * start : 2 * end])
            continue
        out_pairs = room[3].view(np.complex64)
        for depth in range(num_bits):
            _fold(matched, gain, inverse, 2 ** (num_bits - depth), np.float32(smallest), out)
            for i in range(count):
                pairs[(start + i) * num_bits + depth] = out_pairs[i]
    return llr
