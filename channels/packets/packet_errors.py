"""How often a packet is lost at an SNR: the measured thresholds of its code blocks.

Thresholds (:mod:`channels.packets.mcs`) were measured for code blocks from 8 payload bits to the
longest. One in between takes the higher of its neighbours' thresholds, those of the shorter one as
a rule, and where it is short a little more: the code's lifting goes in steps, which it may hit
badly.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from channels.base import Channel
from channels.models.rayleigh import RayleighFast
from channels.packets.mcs import CRC_BITS, Scheme, Threshold, packet_scheme, thresholds
from channels.packets.packet import num_code_blocks

_LONG_BITS = 2000  # of a block from which on a tenth in length is some 0.01 dB
_ALIKE = 0.9
_BETWEEN_DB = 0.2  # that short blocks may need more than both neighbours: lifting goes in steps


def packet_error_rates(
    channel: Channel, states_db: NDArray[np.float64], scheme: Scheme, num_bytes: int
) -> NDArray[np.float64]:
    """Probability that a packet is lost in each state.

    Parameters
    ----------
    channel
        Says which table of thresholds holds.
    states_db
        Equivalent SNRs in dB, any shape (:func:`channels.packets.adaptation.snr_states_db`).
    scheme, num_bytes
        Of the packet. It is lost with any of its code blocks.
    """
    rates = _threshold(channel, scheme, num_bytes).bler(states_db)
    return np.asarray(1 - (1 - rates) ** num_code_blocks(num_bytes, scheme))


def block_snr_db(channel: Channel, scheme: Scheme, num_bytes: int, bler: float) -> float:
    """SNR in dB at which each code block of a packet is lost with probability ``bler``.

    ``channel`` says which table of thresholds holds.
    """
    return _threshold(channel, scheme, num_bytes).at(bler)


def _threshold(channel: Channel, scheme: Scheme, num_bytes: int) -> Threshold:
    table = "rayleigh_fast" if isinstance(channel, RayleighFast) else "awgn"
    return _measured(table, scheme, num_bytes)


@functools.lru_cache(maxsize=1 << 16)
def _measured(table: str, scheme: Scheme, num_bytes: int) -> Threshold:
    """Return the threshold of the code blocks of a packet."""
    blocks = num_code_blocks(num_bytes, scheme)  # each of several has a CRC of its own
    num_bits = (8 * num_bytes + CRC_BITS) / blocks - (CRC_BITS if blocks == 1 else 0)
    by_length = _by_length(table)[packet_scheme(scheme, 8 * num_bytes)]
    no_longer = [n for n in by_length if (_ALIKE if n > _LONG_BITS else 1) * n <= num_bits]
    no_shorter = [n for n in by_length if n >= num_bits]
    lengths = max(no_longer, default=min(by_length)), min(no_shorter, default=max(by_length))
    worst = np.max([by_length[length].snr_db for length in lengths], axis=0)
    between = num_bits < _LONG_BITS and num_bits not in by_length
    return Threshold(tuple((worst + between * _BETWEEN_DB).tolist()))


@functools.cache
def _by_length(table: str) -> dict[Scheme, dict[int, Threshold]]:
    by_length: dict[Scheme, dict[int, Threshold]] = {}
    for (scheme, num_bits), threshold in thresholds(table).items():
        by_length.setdefault(scheme, {})[num_bits] = threshold
    return by_length
