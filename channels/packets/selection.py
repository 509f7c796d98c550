"""The choice of a scheme: the one that carries most of those that reach the target.

What the channel offers (:mod:`channels.packets.adaptation`) is compared with what a block of its
length needs (:mod:`channels.packets.packet_errors`). The difference in dB is the margin of a way to
send it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channels.base import Channel
from channels.models.rayleigh import RayleighFast
from channels.packets.adaptation import effective_snr_db
from channels.packets.mcs import (
    CRC_BITS,
    HEADER_BYTES,
    HEADER_SYMBOLS,
    SCHEMES,
    Scheme,
    header_scheme,
)
from channels.packets.packet import num_code_blocks, num_packet_symbols
from channels.packets.packet_errors import block_snr_db
from channels.packets.target import Target


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways to send some blocks."""

    costs: NDArray[np.int64]
    """Symbols, (blocks, ways)."""
    margins_db: NDArray[np.float64]
    """By how many dB the channel exceeds what the target asks for, (blocks, ways)."""

    def choose(self, margin_db: float) -> NDArray[np.int64]:
        """Return the cheapest way of each block with this margin; the safest where none has it."""
        enough = np.minimum(margin_db, self.margins_db.max(axis=1, keepdims=True))
        # Of ways that cost the same, the safer one.
        prices = np.where(self.margins_db >= enough, self.costs - 1e-6 * self.margins_db, np.inf)
        return np.asarray(prices.argmin(axis=1))

    def cost(self, margin_db: float) -> int:
        """Symbols of all blocks with this margin; they do not fall with it."""
        return int(self.costs[np.arange(len(self.costs)), self.choose(margin_db)].sum())


def packet_ways(
    channel: Channel,
    snr_db: float,
    sizes: Sequence[int],
    num_symbols: int,
    target: Target,
    *,
    schemes: Sequence[Scheme] = SCHEMES,
) -> Ways:
    """Compare the schemes for some packets, of which the target asks together.

    Parameters
    ----------
    channel, snr_db
        What the sender knows: the law and the mean SNR in dB.
    sizes
        Payload bytes of the packets, in the order of transmission, each at least 1.
    num_symbols
        Symbols that they share, in proportion to their bytes.
    target
        What is to be reached.
    schemes
        Those to compare: the ways, in this order.

    Raises
    ------
    ValueError
        An SNR that is not finite.
    """
    costs = np.array([[num_packet_symbols(size, scheme) for scheme in schemes] for size in sizes])
    margins = np.empty(costs.shape)
    for k, scheme in enumerate(schemes):
        blocks = [num_code_blocks(size, scheme) for size in sizes]
        shares = [size / n for size, n in zip(sizes, blocks, strict=True) for _ in range(n)]
        offered = _offered_db(channel, snr_db, scheme, num_symbols, target, shares)
        bler = target.bler / len(shares)
        margins[:, k] = [offered - block_snr_db(channel, scheme, size, bler) for size in sizes]
    return Ways(costs, margins)


def control_margin_db(
    channel: Channel, snr_db: float, num_symbols: int, num_bytes: int, target: Target
) -> float:
    """By how many dB the channel exceeds what a control block needs.

    All that follows needs it, so it gets a tenth of the accepted error rate.

    Parameters
    ----------
    channel, snr_db, target
        As for :func:`packet_ways`.
    num_symbols
        It has the rate of a header of so many symbols (:func:`channels.packets.mcs.header_scheme`).
    num_bytes
        Its length, at least 1.
    """
    scheme = header_scheme(num_symbols)
    offered = _offered_db(channel, snr_db, scheme, num_symbols, target, (1.0,))
    blocks = num_code_blocks(num_bytes, scheme)
    return offered - block_snr_db(channel, scheme, num_bytes, target.bler / 10 / blocks)


def select_scheme(
    channel: Channel,
    snr_db: float,
    num_symbols: int,
    target: Target = Target(),  # noqa: B008
) -> Scheme:
    """Choose the scheme that carries most in one packet of ``num_symbols`` and meets the target.

    Where none does, the most robust one is the sender's best try. Raises ``ValueError`` for an
    SNR that is not finite.
    """
    fitting = []
    for scheme in SCHEMES:
        num_bytes = max(1, int(num_symbols * scheme.efficiency - CRC_BITS) // 8)
        ways = packet_ways(channel, snr_db, [num_bytes], num_symbols, target, schemes=[scheme])
        if ways.margins_db[0, 0] >= 0:
            fitting.append(scheme)
    return max(fitting or SCHEMES[:1], key=lambda scheme: scheme.efficiency)


def select_header(
    channel: Channel,
    snr_db: float,
    target: Target = Target(),  # noqa: B008
) -> int:
    """Choose the length of the header in symbols: the shortest that is safe, at most the longest.

    Raises ``ValueError`` for an SNR that is not finite.
    """
    for num_symbols in HEADER_SYMBOLS:
        if control_margin_db(channel, snr_db, num_symbols, HEADER_BYTES, target) >= 0:
            return num_symbols
    return HEADER_SYMBOLS[-1]


def _offered_db(
    channel: Channel,
    snr_db: float,
    scheme: Scheme,
    num_symbols: int,
    target: Target,
    shares: Sequence[float],
) -> float:
    """SNR in dB to compare with :func:`channels.packets.packet_errors.block_snr_db`."""
    if not math.isfinite(snr_db):
        raise ValueError(f"SNR must be a finite number of dB, got {snr_db}")
    if isinstance(channel, RayleighFast):  # as it was measured
        return snr_db
    bits = scheme.bits_per_symbol
    return effective_snr_db(channel, snr_db, bits, target, num_symbols, shares=shares)
