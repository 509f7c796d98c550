"""The choice of a scheme: among those that meet the target, the one that carries most.

The SNR that the channel offers (:mod:`channels.packets.adaptation`) is compared with the SNR that a
block of this length needs (:mod:`channels.packets.packet_errors`). The difference in dB is the
margin of the scheme.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channels.base import Channel, KnownLaw
from channels.errors import InputError
from channels.models.awgn import Awgn
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
    """Alternative ways to send some blocks, with their costs and margins."""

    costs: NDArray[np.int64]
    """Symbols, (blocks, ways)."""
    margins_db: NDArray[np.float64]
    """Margin in dB of the channel over the SNR that the target requires, (blocks, ways)."""

    def choose(self, margin_db: float) -> NDArray[np.int64]:
        """Return each block's cheapest way with this margin, or the safest if none has it."""
        enough = np.minimum(margin_db, self.margins_db.max(axis=1, keepdims=True))
        # If several ways cost the same, the safer one wins.
        prices = np.where(self.margins_db >= enough, self.costs - 1e-6 * self.margins_db, np.inf)
        return np.asarray(prices.argmin(axis=1))

    def cost(self, margin_db: float) -> int:
        """Return the symbols of all blocks with this margin; a larger margin costs no less."""
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
    """Compare the schemes for packets that must meet the target together.

    Parameters
    ----------
    channel, snr_db
        The sender's knowledge: the channel's distribution and the mean SNR in dB.
    sizes
        Payload bytes of the packets, in the order of transmission, each at least 1.
    num_symbols
        Symbols that the packets share in proportion to their bytes.
    target
        Error rate and outage that the packets must not exceed.
    schemes
        Schemes to compare; they become the ways, in this order.

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
    """Return by how many dB the channel exceeds the SNR that a control block needs.

    Everything that follows depends on it, so it may fail with only a tenth of the accepted error
    rate.

    Parameters
    ----------
    channel, snr_db, target
        As for :func:`packet_ways`.
    num_symbols
        Length of the header whose rate it has (:func:`channels.packets.mcs.header_scheme`).
    num_bytes
        Size of the block in bytes, at least 1.
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
    *,
    schemes: Sequence[Scheme] = SCHEMES,
) -> Scheme:
    """Choose the scheme that carries most in a packet of ``num_symbols`` and meets the target.

    If none of ``schemes`` meets it, the first is returned, which is the most robust. Raises
    ``ValueError`` for an SNR that is not finite.

    Examples
    --------
    Fading costs rate: the sender has to allow for a gain far below the mean.

    >>> from channels.models.awgn import Awgn
    >>> from channels.models.rayleigh import RayleighBlock
    >>> awgn, rayleigh = (select_scheme(c, 20.0, 2000) for c in (Awgn(), RayleighBlock()))
    >>> awgn.efficiency > 1.5 * rayleigh.efficiency
    True
    """
    fitting = []
    for scheme in schemes:
        num_bytes = max(1, int(num_symbols * scheme.efficiency - CRC_BITS) // 8)
        ways = packet_ways(channel, snr_db, [num_bytes], num_symbols, target, schemes=[scheme])
        too_long = scheme.shaped and ways.costs[0, 0] > num_symbols  # padded to half a block
        if ways.margins_db[0, 0] >= 0 and not too_long:
            fitting.append(scheme)
    return max(fitting or schemes[:1], key=lambda scheme: scheme.efficiency)


def select_header(
    channel: Channel,
    snr_db: float,
    target: Target = Target(),  # noqa: B008
) -> int:
    """Choose the length of the header in symbols: the shortest safe one, or else the longest.

    Raises ``ValueError`` for an SNR that is not finite.

    Examples
    --------
    >>> from channels.models.awgn import Awgn
    >>> select_header(Awgn(), 20.0) < select_header(Awgn(), -5.0)
    True
    """
    for num_symbols in HEADER_SYMBOLS:
        if control_margin_db(channel, snr_db, num_symbols, HEADER_BYTES, target) >= 0:
            return num_symbols
    return HEADER_SYMBOLS[-1]


def check_steady(channel: Channel, num_symbols: int = 1 << 40, *, name: str = "") -> None:
    """Refuse shaped schemes where their thresholds do not apply.

    They were measured on AWGN, and apply where one gain of a known law holds for all of
    ``num_symbols``. ``name`` is the user's name of the channel, for the message.

    Raises
    ------
    ValueError
        Any other channel.

    Examples
    --------
    >>> from channels.models.rayleigh import RayleighBlock, RayleighFast
    >>> check_steady(RayleighBlock())
    >>> check_steady(RayleighFast(), name="rayleigh_fast")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    channels.errors.InputError: shaped schemes were measured on AWGN and need one gain ...
    """
    length = int(getattr(channel, "block_length", 0))
    whole = channel.coherence == "block" and (length == 0 or length >= num_symbols)
    if not isinstance(channel, Awgn) and not (whole and isinstance(channel, KnownLaw)):
        raise InputError(
            "shaped schemes were measured on AWGN and need one gain of a known law for the whole "
            f"frame, unlike {name or type(channel).__name__}; use the schemes nr, or awgn, "
            "rayleigh, rician or nakagami without a block length"
        )


def _offered_db(
    channel: Channel,
    snr_db: float,
    scheme: Scheme,
    num_symbols: int,
    target: Target,
    shares: Sequence[float],
) -> float:
    """Return the SNR in dB to compare with :func:`~channels.packets.packet_errors.block_snr_db`."""
    if not math.isfinite(snr_db):
        raise InputError(f"SNR must be a finite number of dB, got {snr_db}")
    if scheme.shaped:
        check_steady(channel, num_symbols)
    if isinstance(channel, RayleighFast):  # its thresholds were measured at the mean SNR
        return snr_db
    bits = scheme.bits_per_symbol
    return effective_snr_db(channel, snr_db, bits, target, num_symbols, shares=shares)
