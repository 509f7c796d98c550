"""The choice of a scheme: by the known SNR, by an outage target, or for a channel that is sampled.

The sender knows the channel's law and the mean SNR, never the realisation. Every channel is reduced
to the AWGN channel that is as good, whose measured thresholds (:mod:`channels.mcs`) then decide:

- AWGN: the SNR itself;
- a fresh gain for every symbol: the SNR of equal BICM mutual information; for Rayleigh fading the
  thresholds were measured as such, and no equivalent is needed;
- one gain for the whole transmission: the gain that is exceeded with probability 1 - outage;
- anything in between (several blocks, motion, OFDM, MIMO, traces): the channel is run, and the
  mutual information of each realisation gives its SNR. The outage target is held over these. A code
  block sees the symbols that it takes, and nothing averages over code blocks: the worst counts.

Reference: K. Brueninghaus et al., "Link performance models for system level simulations of
broadband radio access systems", PIMRC 2005, DOI 10.1109/PIMRC.2005.1651855: mutual information as
the measure of a block whose symbols differ.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from channels import theory
from channels.base import Channel, KnownLaw
from channels.mcs import (
    CRC_BITS,
    HEADER_BYTES,
    HEADER_SYMBOLS,
    SCHEMES,
    Scheme,
    Threshold,
    header_scheme,
    thresholds,
)
from channels.modulation import constellation
from channels.rayleigh import RayleighFast
from channels.units import noise_var_from_snr_db

NUM_DRAWS = 200
"""Realisations of a channel that is sampled; an outage of 10 % is then known to ±2 %."""
NUM_STATES = 1000
"""Quantiles that stand for a known law of the gain."""
_MAX_KEPT = 16_384  # symbols of a realisation that are looked at, evenly spread
_BATCH_SYMBOLS = 1 << 20


@dataclass(frozen=True)
class Target:
    """What a link must reach."""

    bler: float = 1e-3
    """Accepted error rate of the whole transmission, given that the fading allows it."""
    outage: float = 0.1
    """Accepted probability that the fading does not allow it."""

    def __post_init__(self) -> None:
        for name, value in (("bler", self.bler), ("outage", self.outage)):
            if not 0 < value < 1:
                raise ValueError(f"target {name} must be in (0, 1), got {value}")


def effective_snr_db(
    channel: Channel,
    snr_db: float,
    bits_per_symbol: int,
    target: Target,
    num_symbols: int,
    *,
    num_blocks: int = 1,
) -> float:
    """SNR in dB of the AWGN channel that is as good as ``channel`` at mean SNR ``snr_db``.

    Parameters
    ----------
    channel
        Any channel. One that is sampled is run :data:`NUM_DRAWS` times, from a seed of its own; the
        realisations are kept.
    snr_db
        Mean SNR in dB.
    bits_per_symbol
        Of the modulation.
    target
        Its ``outage`` is the share of realisations that may be worse.
    num_symbols, num_blocks
        Length of the transmission in symbols, and code blocks that share it evenly.
    """
    constant = _constant_snr_db(channel, snr_db, bits_per_symbol)
    if constant is not None:
        return constant
    if isinstance(channel, KnownLaw) and _lasts(channel, num_symbols):
        law: KnownLaw = channel
        return snr_db + 10 * math.log10(law.gain_quantile(target.outage))
    worst = _worst_information(channel, snr_db, bits_per_symbol, num_symbols, num_blocks)
    return float(theory.snr_db_of_information(bits_per_symbol, np.quantile(worst, target.outage)))


def snr_states_db(
    channel: Channel, snr_db: float, bits_per_symbol: int, num_symbols: int, *, num_blocks: int = 1
) -> NDArray[np.float64]:
    """Equally likely SNRs of AWGN channels that are as good as ``channel`` is at one time each.

    The law of which :func:`effective_snr_db` gives the quantile at the accepted outage.

    Parameters
    ----------
    channel, snr_db, bits_per_symbol, num_symbols, num_blocks
        As for :func:`effective_snr_db`.

    Returns
    -------
    NDArray[np.float64]
        SNRs in dB, ascending: one where nothing fades slowly, :data:`NUM_STATES` of a known law,
        :data:`NUM_DRAWS` of a channel that is sampled. Of fast Rayleigh fading the mean SNR, for
        which it has a table of thresholds.
    """
    if isinstance(channel, RayleighFast):
        return np.array([snr_db])
    constant = _constant_snr_db(channel, snr_db, bits_per_symbol)
    if constant is not None:
        return np.array([constant])
    if isinstance(channel, KnownLaw) and _lasts(channel, num_symbols):
        law: KnownLaw = channel
        shares = (np.arange(NUM_STATES) + 0.5) / NUM_STATES
        return snr_db + 10 * np.log10([law.gain_quantile(share) for share in shares.tolist()])
    worst = _worst_information(channel, snr_db, bits_per_symbol, num_symbols, num_blocks)
    return np.sort(theory.snr_db_of_information(bits_per_symbol, worst))


def _constant_snr_db(channel: Channel, snr_db: float, bits_per_symbol: int) -> float | None:
    """Equivalent SNR in dB of a channel that is as good at all times; None for others."""
    if channel.coherence == "none" and not getattr(channel, "noise_varies", False):
        return snr_db
    if isinstance(channel, KnownLaw) and channel.coherence == "fast":
        law: KnownLaw = channel
        return theory.effective_snr_db(bits_per_symbol, snr_db, law.gain_quantile)
    return None


def packet_error_rates(
    channel: Channel, states_db: NDArray[np.float64], scheme: Scheme, num_bytes: int
) -> NDArray[np.float64]:
    """Probability that a packet is lost in each state.

    Parameters
    ----------
    channel
        Says which table of thresholds holds.
    states_db
        Equivalent SNRs in dB, any shape (:func:`snr_states_db`).
    scheme, num_bytes
        Of the packet. It is lost with any of its code blocks.
    """
    table = "rayleigh_fast" if isinstance(channel, RayleighFast) else "awgn"
    num_bits = 8 * num_bytes + CRC_BITS
    num_blocks = math.ceil(num_bits / (max(_thresholds_by_length(table)[scheme]) + CRC_BITS))
    rates = _threshold(table, scheme, num_bits / num_blocks - CRC_BITS).bler(states_db)
    return np.asarray(1 - (1 - rates) ** num_blocks)


def _lasts(channel: Channel, num_symbols: int) -> bool:
    """Whether one gain holds for the whole transmission."""
    length = int(getattr(channel, "block_length", 0))
    return channel.coherence == "block" and (length == 0 or length >= num_symbols)


def _worst_information(
    channel: Channel, snr_db: float, bits_per_symbol: int, num_symbols: int, num_blocks: int
) -> NDArray[np.float64]:
    """Mutual information per symbol of the worst block of every realisation, (NUM_DRAWS,)."""
    model: Any = channel
    information = _sampled_information(model, snr_db, bits_per_symbol, num_symbols)
    edges = np.linspace(0, information.shape[1] - 1, min(num_blocks, information.shape[1] - 1) + 1)
    at_edges = information[:, edges.astype(int)]
    worst: NDArray[np.float64] = (np.diff(at_edges) / np.diff(edges.astype(int))).min(axis=1)
    return worst


@functools.lru_cache(maxsize=4)
def _sampled_snrs(channel: Any, snr_db: float, num_symbols: int) -> NDArray[np.float32]:
    """SNR in dB of the symbols of every realisation, (NUM_DRAWS, symbols)."""
    rng = torch.Generator().manual_seed(0)
    stride = -(-num_symbols // _MAX_KEPT)
    points = constellation(2)
    size = max(1, _BATCH_SYMBOLS // num_symbols)
    parts = []
    for start in range(0, NUM_DRAWS, size):
        shape = (min(size, NUM_DRAWS - start), num_symbols)
        x = points[torch.randint(len(points), shape, generator=rng)]
        _, h, noise_var = channel(x, noise_var_from_snr_db(snr_db), rng)
        gain = h.real.square() + h.imag.square()
        snr = (gain / noise_var.clamp_min(1e-30)).expand(shape)[:, ::stride]
        parts.append(10 * torch.log10(snr.clamp_min(1e-10)))
    return torch.cat(parts).numpy()


@functools.lru_cache(maxsize=16)
def _sampled_information(
    channel: Any, snr_db: float, bits_per_symbol: int, num_symbols: int
) -> NDArray[np.float64]:
    """Mutual information of the first 0, 1, … symbols of every realisation, in bits."""
    snrs = _sampled_snrs(channel, snr_db, num_symbols)
    total = np.cumsum(theory.information_of_snr_db(bits_per_symbol, snrs), axis=1)
    return np.pad(total, ((0, 0), (1, 0)))


def select_scheme(
    channel: Channel,
    snr_db: float,
    num_symbols: int,
    target: Target = Target(),
    *,
    num_packets: int = 1,
) -> Scheme:
    """Choose the scheme that carries most and meets the target.

    ``num_symbols`` are shared by ``num_packets`` packets, each coded on its own; short codes need
    more SNR, and the target is for all packets together.

    Where none does, the most robust one is the sender's best try. Raises ``ValueError`` for an
    SNR that is not finite.
    """
    _check_finite(snr_db)
    fitting = []
    for scheme in SCHEMES:
        num_blocks = num_packets * _num_blocks(scheme, num_symbols / num_packets)
        table, snr = _offer(channel, snr_db, scheme, num_symbols, target, num_blocks)
        if _required_db(table, scheme, num_symbols / num_blocks, target.bler / num_blocks) <= snr:
            fitting.append(scheme)
    return max(fitting or SCHEMES[:1], key=lambda scheme: scheme.efficiency)


def select_header(channel: Channel, snr_db: float, target: Target = Target()) -> int:
    """Choose the length of the header in symbols: the shortest that is safe, at most the longest.

    A header is needed by all that follows, so it gets a tenth of the accepted error rate.
    """
    _check_finite(snr_db)
    for length in HEADER_SYMBOLS:
        scheme = header_scheme(length)
        table, snr = _offer(channel, snr_db, scheme, length, target, 1)
        if thresholds(table)[scheme, 8 * HEADER_BYTES].at(target.bler / 10) <= snr:
            return length
    return HEADER_SYMBOLS[-1]


def _offer(
    channel: Channel,
    snr_db: float,
    scheme: Scheme,
    num_symbols: int,
    target: Target,
    num_blocks: int,
) -> tuple[str, float]:
    """Name the table of thresholds, and the SNR in dB to compare with it."""
    if isinstance(channel, RayleighFast):  # as it was measured
        return "rayleigh_fast", snr_db
    bits = scheme.bits_per_symbol
    snr = effective_snr_db(channel, snr_db, bits, target, num_symbols, num_blocks=num_blocks)
    return "awgn", snr


def _num_blocks(scheme: Scheme, num_symbols: float) -> int:
    """Code blocks of a packet of so many symbols."""
    longest = max(_thresholds_by_length("awgn")[scheme]) + CRC_BITS
    return max(1, math.ceil(num_symbols * scheme.efficiency / longest))


def _required_db(table: str, scheme: Scheme, num_symbols: float, bler: float) -> float:
    """SNR at which a code block of ``num_symbols`` reaches this error rate."""
    return _threshold(table, scheme, num_symbols * scheme.efficiency - CRC_BITS).at(bler)


def _threshold(table: str, scheme: Scheme, num_bits: float) -> Threshold:
    """Return the threshold of a code block with ``num_bits`` payload bits."""
    measured = _thresholds_by_length(table)[scheme]
    # The longest measured block that is hardly longer than ours: shorter ones need more SNR, but a
    # tenth less in length is some 0.01 dB.
    length = max((bits for bits in measured if 0.9 * bits <= num_bits), default=min(measured))
    return measured[length]


@functools.cache
def _thresholds_by_length(table: str) -> dict[Scheme, dict[int, Threshold]]:
    by_length: dict[Scheme, dict[int, Threshold]] = {}
    for (scheme, num_bits), threshold in thresholds(table).items():
        by_length.setdefault(scheme, {})[num_bits] = threshold
    return by_length


def _check_finite(snr_db: float) -> None:
    if not math.isfinite(snr_db):
        raise ValueError(f"SNR must be a finite number of dB, got {snr_db}")
