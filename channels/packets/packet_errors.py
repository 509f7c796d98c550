"""The loss rate of a packet at an SNR, from the measured thresholds of its code blocks.

Thresholds (:mod:`channels.packets.mcs`) were measured for code blocks from 8 payload bits to the
longest. A length in between takes the higher threshold of its two neighbours that have the same
base graph, usually that of the shorter one. Short blocks get a small extra margin, since the
lifting size of the code grows in steps and may fit a particular length badly. The blocks of a
packet of several have a CRC each, for which they get no more symbols: their code has a slightly
higher rate than the one measured.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from channels import theory
from channels.base import Channel
from channels.fec.ldpc.base_graph import choose_base_graph
from channels.models.rayleigh import RayleighFast
from channels.packets.mcs import CRC_BITS, Scheme, Threshold, packet_scheme, thresholds
from channels.packets.packet import num_code_blocks, num_packet_symbols
from channels.shaping.packet import block_symbols
from channels.shaping.schemes import shaped_snr_db

_LONG_BITS = 2000  # from this block length on, 10 % in length changes the threshold by 0.01 dB
_ALIKE = 0.9
_BETWEEN_DB = 0.2  # extra margin of short blocks, for the steps of the lifting size


def packet_error_rates(
    channel: Channel, states_db: NDArray[np.float64], scheme: Scheme, num_bytes: int
) -> NDArray[np.float64]:
    """Return the probability that a packet is lost in each state.

    Parameters
    ----------
    channel
        Determines which table of thresholds applies.
    states_db
        Equivalent SNRs in dB, any shape (:func:`channels.packets.adaptation.snr_states_db`).
    scheme, num_bytes
        Scheme and size of the packet, which is lost if any of its code blocks is.

    Examples
    --------
    >>> from channels.models.awgn import Awgn
    >>> from channels.packets.mcs import find_scheme
    >>> rates = packet_error_rates(Awgn(), np.array([0.0, 20.0]), find_scheme("16-QAM 0.602"), 100)
    >>> bool(rates[0] == 1), bool(rates[1] < 1e-6)
    (True, True)
    """
    rates = _threshold(channel, scheme, num_bytes).bler(states_db)
    return np.asarray(1 - (1 - rates) ** num_code_blocks(num_bytes, scheme))


def block_snr_db(channel: Channel, scheme: Scheme, num_bytes: int, bler: float) -> float:
    """Return the SNR in dB at which each code block of a packet is lost with probability ``bler``.

    ``channel`` determines which table of thresholds applies.
    """
    return _threshold(channel, scheme, num_bytes).at(bler)


def _threshold(channel: Channel, scheme: Scheme, num_bytes: int) -> Threshold:
    table = "rayleigh_fast" if isinstance(channel, RayleighFast) else "awgn"
    if scheme.shaped:
        symbols = num_packet_symbols(num_bytes, scheme)
        return _of_shaped(scheme, block_symbols(symbols, scheme.bits_per_symbol)[0])
    return _measured(table, scheme, num_bytes)


@functools.lru_cache(maxsize=1 << 16)
def _of_shaped(scheme: Scheme, num_symbols: int) -> Threshold:
    """Return the threshold of a shaped code block."""
    return Threshold(shaped_snr_db(scheme.bits_per_symbol, scheme.efficiency, num_symbols))


@functools.lru_cache(maxsize=1 << 16)
def _measured(table: str, scheme: Scheme, num_bytes: int) -> Threshold:
    """Return the threshold of the code blocks of a packet."""
    blocks = num_code_blocks(num_bytes, scheme)  # with several blocks, each has its own CRC
    num_bits = (8 * num_bytes + CRC_BITS) / blocks - (CRC_BITS if blocks == 1 else 0)
    by_length = _by_length(table)[packet_scheme(scheme, 8 * num_bytes)]
    if scheme.block_bits:  # all blocks have the length that was measured
        return next(iter(by_length.values()))
    by_length = _with_graph_of(num_bits, scheme, by_length)
    no_longer = [n for n in by_length if (_ALIKE if n > _LONG_BITS else 1) * n <= num_bits]
    no_shorter = [n for n in by_length if n >= num_bits]
    lengths = max(no_longer, default=min(by_length)), min(no_shorter, default=max(by_length))
    worst = np.max([by_length[length].snr_db for length in lengths], axis=0)
    margin_db = _BETWEEN_DB if num_bits < _LONG_BITS and num_bits not in by_length else 0.0
    if blocks > 1:
        margin_db += _own_crc_db(table, scheme, num_bits, worst[1])
    return Threshold(tuple((worst + margin_db).tolist()))


def _with_graph_of(
    num_bits: float, scheme: Scheme, by_length: dict[int, Threshold]
) -> dict[int, Threshold]:
    """Keep the lengths whose blocks have the base graph of a block of ``num_bits`` bits.

    Blocks of base graph 1 need up to 0.3 dB more than those of base graph 2 that are shorter. If
    no block of this graph was measured that is as short, all lengths are kept.
    """
    graph = choose_base_graph(int(num_bits), scheme.code_rate)
    alike = {
        n: threshold
        for n, threshold in by_length.items()
        if choose_base_graph(n, scheme.code_rate) == graph
    }
    return alike if min(alike, default=math.inf) <= num_bits else by_length


def _own_crc_db(table: str, scheme: Scheme, num_bits: float, threshold_db: float) -> float:
    """Return by how many dB a block of ``num_bits`` bits needs more because of its own CRC.

    The mutual information that its code needs rises with the rate.
    """
    bits = scheme.bits_per_symbol
    information = scheme.efficiency * np.array([1, 1 + CRC_BITS / num_bits])
    more_db = float(np.diff(theory.snr_db_of_information(bits, information))[0])
    if table == "awgn":
        return more_db
    law = RayleighFast().gain_quantile
    around = [theory.effective_snr_db(bits, threshold_db + step, law) for step in (-0.5, 0.5)]
    return more_db / (around[1] - around[0])


@functools.cache
def _by_length(table: str) -> dict[Scheme, dict[int, Threshold]]:
    by_length: dict[Scheme, dict[int, Threshold]] = {}
    for (scheme, num_bits), threshold in thresholds(table).items():
        by_length.setdefault(scheme, {})[num_bits] = threshold
    return by_length
