"""What a sender knows about a channel: the AWGN channel of equal quality.

The sender knows the channel's distribution and the mean SNR, but never the realisation. Every
channel is reduced to an AWGN channel of equal quality, and the thresholds measured on AWGN
(:mod:`channels.packets.packet_errors`) then decide about the scheme
(:mod:`channels.packets.selection`):

- AWGN: the SNR itself;
- an independent gain for every symbol: the SNR of equal BICM mutual information. Rayleigh fading
  has measured thresholds of its own and needs no equivalent;
- one gain for the whole transmission: the gain that is exceeded with probability 1 - outage;
- anything in between (several blocks, motion, OFDM, MIMO, traces): the channel is simulated, and
  the mutual information of each realisation gives its SNR. The outage target applies to these
  SNRs. Each code block only sees its own symbols, and nothing averages over code blocks, so the
  worst block decides.

Reference: K. Brueninghaus et al., "Link performance models for system level simulations of
broadband radio access systems", PIMRC 2005, DOI 10.1109/PIMRC.2005.1651855: mutual information as
the measure of a block whose symbols have different SNRs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from channels import theory
from channels.base import Channel, KnownInformation, KnownLaw
from channels.models.rayleigh import RayleighFast
from channels.modulation import constellation
from channels.packets.target import Target
from channels.units import noise_var_from_snr_db

NUM_DRAWS = 200
"""Simulated realisations of a channel without a closed form; they resolve an outage of 10 % to
±2 %."""
NUM_STATES = 1000
"""Quantiles that represent a known distribution of the gain."""
_MAX_KEPT = 16_384  # symbols of a realisation that are evaluated, evenly spaced
_BATCH_SYMBOLS = 1 << 20


def effective_snr_db(
    channel: Channel,
    snr_db: float,
    bits_per_symbol: int,
    target: Target,
    num_symbols: int,
    *,
    shares: Sequence[float] = (1.0,),
) -> float:
    """Return the SNR in dB of the AWGN channel that is as good as ``channel`` at ``snr_db``.

    Parameters
    ----------
    channel
        Any channel. One without a closed form is simulated :data:`NUM_DRAWS` times from a fixed
        seed; the realisations are cached.
    snr_db
        Mean SNR in dB.
    bits_per_symbol
        Bits per symbol of the modulation.
    target
        Its ``outage`` is the share of realisations that may be worse.
    num_symbols, shares
        Length of the transmission in symbols, and the share of it that each code block takes, in
        the order of transmission. The worst block decides.

    Examples
    --------
    Rayleigh block fading exceeds a power gain of -ln(1 - 0.1), or -9.8 dB, in 90 % of all cases:

    >>> from channels.models.rayleigh import RayleighBlock
    >>> round(effective_snr_db(RayleighBlock(), 20.0, 2, Target(outage=0.1), 1000), 1)
    10.2
    """
    constant = _constant_snr_db(channel, snr_db, bits_per_symbol)
    if constant is not None:
        return constant
    if isinstance(channel, KnownLaw) and _lasts(channel, num_symbols):
        law: KnownLaw = channel
        return snr_db + 10 * math.log10(law.gain_quantile(target.outage))
    worst = _worst_information(channel, snr_db, bits_per_symbol, num_symbols, shares)
    return float(theory.snr_db_of_information(bits_per_symbol, np.quantile(worst, target.outage)))


def snr_states_db(
    channel: Channel,
    snr_db: float,
    bits_per_symbol: int,
    num_symbols: int,
    *,
    shares: Sequence[float] = (1.0,),
) -> NDArray[np.float64]:
    """Return equally likely SNRs of AWGN channels that represent the states of ``channel``.

    :func:`effective_snr_db` is the quantile of this distribution at the accepted outage.

    Parameters
    ----------
    channel, snr_db, bits_per_symbol, num_symbols, shares
        As for :func:`effective_snr_db`.

    Returns
    -------
    NDArray[np.float64]
        SNRs in dB, ascending: one if nothing fades slowly, :data:`NUM_STATES` for a known
        distribution, :data:`NUM_DRAWS` for a simulated channel. Fast Rayleigh fading gives its
        mean SNR, for which there is a table of thresholds.
    """
    if isinstance(channel, RayleighFast):
        return np.array([snr_db])
    constant = _constant_snr_db(channel, snr_db, bits_per_symbol)
    if constant is not None:
        return np.array([constant])
    if isinstance(channel, KnownLaw) and _lasts(channel, num_symbols):
        law: KnownLaw = channel
        levels = (np.arange(NUM_STATES) + 0.5) / NUM_STATES
        return snr_db + 10 * np.log10([law.gain_quantile(level) for level in levels.tolist()])
    worst = _worst_information(channel, snr_db, bits_per_symbol, num_symbols, shares)
    return np.sort(theory.snr_db_of_information(bits_per_symbol, worst))


def is_steady(channel: Channel) -> bool:
    """Tell whether all transmissions over a channel have the same quality at a given SNR.

    Examples
    --------
    >>> from channels import CHANNELS
    >>> [is_steady(CHANNELS.create(name)) for name in ("awgn", "rayleigh_fast", "rayleigh")]
    [True, True, False]
    """
    if channel.coherence == "none" and not getattr(channel, "noise_varies", False):
        return True
    fast = isinstance(channel, KnownLaw) and channel.coherence == "fast"
    return fast or isinstance(channel, KnownInformation)


def _constant_snr_db(channel: Channel, snr_db: float, bits_per_symbol: int) -> float | None:
    """Return the equivalent SNR in dB of a channel of constant quality, None for others."""
    if not is_steady(channel):
        return None
    if isinstance(channel, KnownInformation):
        information = channel.information(bits_per_symbol, snr_db)
        return float(theory.snr_db_of_information(bits_per_symbol, information))
    if channel.coherence == "fast":
        law: Any = channel
        return theory.effective_snr_db(bits_per_symbol, snr_db, law.gain_quantile)
    return snr_db


def _lasts(channel: Channel, num_symbols: int) -> bool:
    """Tell whether one gain holds for the whole transmission."""
    length = int(getattr(channel, "block_length", 0))
    return channel.coherence == "block" and (length == 0 or length >= num_symbols)


def _worst_information(
    channel: Channel,
    snr_db: float,
    bits_per_symbol: int,
    num_symbols: int,
    shares: Sequence[float],
) -> NDArray[np.float64]:
    """Return the mutual information per symbol of each realisation's worst block, (NUM_DRAWS,)."""
    model: Any = channel
    information = _sampled_information(model, snr_db, bits_per_symbol, num_symbols)
    ends = np.cumsum(shares) / math.fsum(shares) * (information.shape[1] - 1)
    edges = np.unique([0, *np.rint(ends).astype(int)])  # drops blocks shorter than one symbol
    worst: NDArray[np.float64] = (np.diff(information[:, edges]) / np.diff(edges)).min(axis=1)
    return worst


@functools.lru_cache(maxsize=4)
def _sampled_snrs(channel: Any, snr_db: float, num_symbols: int) -> NDArray[np.float32]:
    """Return the SNR in dB of the symbols of every realisation, (NUM_DRAWS, symbols)."""
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
    """Return the mutual information of the first 0, 1, … symbols of every realisation, in bits."""
    snrs = _sampled_snrs(channel, snr_db, num_symbols)
    total = np.cumsum(theory.information_of_snr_db(bits_per_symbol, snrs), axis=1)
    return np.pad(total, ((0, 0), (1, 0)))
