"""The table of ``semcom mcs``: schemes, the SNR that each needs, and its gap to capacity."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from channels import theory
from channels.base import Channel, Coherence, KnownLaw
from channels.models.awgn import Awgn
from channels.models.rayleigh import RayleighFast
from channels.packets.adaptation import effective_snr_db
from channels.packets.mcs import CRC_BITS, LEVELS, Scheme, Threshold, thresholds
from channels.packets.packet import num_packet_symbols
from channels.packets.scheme_sets import scheme_set
from channels.packets.selection import check_steady
from channels.packets.target import Target
from channels.shaping.packet import least_symbols
from channels.shaping.schemes import MAX_SYMBOLS, shaped_snr_db
from channels.units import awgn_capacity, linear_to_db
from experiments.link_level.snr_axis import create_channel
from semcom.errors import InputError

Array = NDArray[np.float64]

BLER = 1e-2
"""Block error rate at which gaps are measured."""
_NUM_QUANTILES = 256


@dataclass(frozen=True)
class SchemeRow:
    """One scheme on one channel; SNRs and gaps in dB."""

    number: int
    """Index in the set of schemes (:mod:`channels.packets.scheme_sets`)."""
    scheme: Scheme
    num_bits: int
    """Payload bits of the measured block."""
    num_uses: int
    """Complex channel uses of the measured block with its CRC."""
    snr_db: tuple[float, ...]
    """Es/N0 at block error rates of 0.1, 0.01 and 0.001; on fading channels the mean Es/N0."""
    capacity_db: float
    """Es/N0 at which the channel's capacity equals the efficiency."""
    normal_db: float | None
    """Es/N0 at which the best code of this length reaches 0.01, by the normal approximation; None
    on fast fading."""

    @property
    def efficiency(self) -> float:
        """Bits per use, including the CRC; short blocks may have a lower rate than the scheme."""
        return (self.num_bits + CRC_BITS) / self.num_uses

    @property
    def capacity_gap_db(self) -> float:
        """Gap to capacity in dB."""
        return self.snr_db[LEVELS.index(BLER)] - self.capacity_db

    @property
    def normal_gap_db(self) -> float | None:
        """Gap to the normal approximation in dB."""
        return None if self.normal_db is None else self.snr_db[1] - self.normal_db


class FadingLaw:
    """The coherence of a channel, given by name and options, and the law of its gain."""

    def __init__(self, spec: str) -> None:
        channel = create_channel(spec)
        known = isinstance(channel, Awgn) or channel.coherence in ("block", "fast")
        known = known and not getattr(channel, "block_length", 0)
        if not (known and isinstance(channel, KnownLaw)):
            raise InputError(
                "thresholds are known only for gains of a known law that are constant or fresh for "
                f"every symbol, unlike those of channel {spec!r}: use semcom bler --scheme"
            )
        self.table = "rayleigh_fast" if isinstance(channel, RayleighFast) else "awgn"
        """Class of channels whose thresholds apply."""
        self.coherence: Coherence = channel.coherence
        self.gain_quantile: Callable[[float], float] = functools.cache(channel.gain_quantile)

    def effective_db(self, snr_db: float, bits_per_symbol: int) -> float:
        """Return the SNR of the equivalent AWGN channel.

        On block fading it is taken at the accepted outage, which is the probability that the gain
        is too low for the frame.
        """
        law: Channel = self  # type: ignore[assignment]
        return effective_snr_db(law, snr_db, bits_per_symbol, Target(), 1)

    def needed_db(self, awgn_snr_db: float, bits_per_symbol: int) -> float:
        """Return the mean SNR at which this channel is equivalent to AWGN at ``awgn_snr_db``."""

        def surplus(snr_db: float) -> float:
            return self.effective_db(snr_db, bits_per_symbol) - awgn_snr_db

        return float(brentq(surplus, awgn_snr_db - 1, awgn_snr_db + 60, xtol=1e-3))

    def capacity(self, snr_db: float) -> float:
        """Return the capacity in bits per use.

        It is the ergodic capacity on fast fading, and that at the accepted outage on block fading.
        """
        if self.coherence == "fast":
            p = (np.arange(_NUM_QUANTILES) + 0.5) / _NUM_QUANTILES
            gains = np.array([self.gain_quantile(float(value)) for value in p])
            return float(awgn_capacity(snr_db + np.asarray(linear_to_db(gains))).mean())
        return float(awgn_capacity(self.effective_db(snr_db, 2)))

    def inverse_capacity_db(self, bits_per_use: float) -> float:
        """Return the mean SNR at which the capacity is ``bits_per_use``."""
        return float(brentq(lambda snr: self.capacity(snr) - bits_per_use, -30, 90, xtol=1e-3))

    def bicm(self, bits_per_symbol: int, snr_db: float) -> float:
        """Return the BICM mutual information in bits per use, averaged as in :meth:`capacity`."""
        effective = self.effective_db(snr_db, bits_per_symbol)
        return float(theory.bicm_mutual_information(bits_per_symbol, effective))


def scheme_rows(channel: str, num_bits: int, schemes: str = "nr") -> list[SchemeRow]:
    """Compute the row of every scheme.

    Parameters
    ----------
    channel
        Name and options of a channel whose gain has a known law. The thresholds are those measured
        on AWGN, converted as the sender converts them
        (:func:`channels.packets.adaptation.effective_snr_db`); for ``rayleigh_fast`` they were
        measured on that channel.
    num_bits
        Payload bits of a code block; the longest measured block that does not exceed it is used.
    schemes
        Set of schemes by name (:func:`channels.packets.scheme_sets.scheme_set`).

    Raises
    ------
    ValueError
        If the channel or the set is unknown, the channel has no known law, or ``num_bits`` is below
        the shortest measured block of a scheme.
    """
    known, law = scheme_set(schemes), FadingLaw(channel)
    if schemes == "shaped":
        check_steady(create_channel(channel), name=f"channel {channel!r}")
    measured = [_shaped(one) if one.shaped else _unshaped(law.table, one) for one in known]
    least = max(min(blocks) for blocks in measured)
    if num_bits < least:
        raise InputError(
            f"num_bits must be at least {least}, the shortest length at which each of these "
            f"schemes was measured, got {num_bits}"
        )
    rows = []
    for number, (scheme, blocks) in enumerate(zip(known, measured, strict=True)):
        length = max(size for size in blocks if size <= num_bits)
        (num_uses, threshold), bits = blocks[length], scheme.bits_per_symbol
        snrs: tuple[float, ...] = threshold.snr_db
        if law.table == "awgn":
            snrs = tuple(law.needed_db(snr_db, bits) for snr_db in threshold.snr_db)
        capacity_db = law.inverse_capacity_db((length + CRC_BITS) / num_uses)
        normal_db = None
        if law.coherence != "fast":
            normal_db = law.needed_db(_normal_db(length + CRC_BITS, num_uses), bits)
        rows.append(SchemeRow(number, scheme, length, num_uses, snrs, capacity_db, normal_db))
    return rows


def _unshaped(table: str, scheme: Scheme) -> dict[int, tuple[int, Threshold]]:
    """Return channel uses and threshold of all measured blocks by their payload bits."""
    return {
        num_bits: (num_packet_symbols(num_bits // 8, scheme), threshold)
        for (one, num_bits), threshold in thresholds(table).items()
        if one == scheme
    }


def _shaped(scheme: Scheme) -> dict[int, tuple[int, Threshold]]:
    """Return the same of the two lengths at which shaped blocks were measured."""
    bits, efficiency = scheme.bits_per_symbol, scheme.efficiency
    return {
        int(efficiency * uses) - CRC_BITS: (uses, Threshold(shaped_snr_db(bits, efficiency, uses)))
        for uses in (least_symbols(bits), MAX_SYMBOLS[bits])
    }


def _normal_db(num_info_bits: int, num_uses: int) -> float:
    """Return the SNR on AWGN at which the normal approximation reaches ``BLER``."""

    def surplus(snr_db: float) -> float:
        rate = float(theory.normal_approximation_bler(num_info_bits, num_uses, snr_db))
        return math.log(max(rate, 1e-300)) - math.log(BLER)

    return float(brentq(surplus, -30.0, 60.0, xtol=1e-3))
