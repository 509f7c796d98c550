"""References for simulated curves: closed forms, approximations and limits, by channel."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from channels import theory
from channels.base import Channel, KnownLaw
from channels.models.awgn import Awgn
from channels.models.fading import BlockFading
from channels.models.middleton import Middleton
from channels.models.rayleigh import RayleighLaw
from channels.models.rician import RicianLaw
from channels.models.trace import Trace
from channels.units import linear_to_db

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """A reference error rate."""

    name: str
    rate: Callable[[Array], Array]
    """Error rate as a function of Es/N0 in dB."""

    def shifted(self, shift_db: float) -> Reference:
        """Return the same reference as a function of an SNR that is ``shift_db`` below Es/N0."""
        return Reference(self.name, lambda snr_db: self.rate(snr_db + shift_db))


def exact_ber(channel: Channel, bits_per_symbol: int) -> Reference | None:
    """Return the exact bit error rate, or None if the law of the gain is not known.

    AWGN, impulsive noise, and Rayleigh and Rician fading have closed forms. For other laws it is
    the mean of the AWGN rate over the quantiles of the gain, and for a trace, over its rows.
    """
    rate: functools.partial[Array]
    if isinstance(channel, Awgn):
        rate = functools.partial(theory.ber_awgn, bits_per_symbol)
    elif isinstance(channel, RayleighLaw):
        rate = functools.partial(theory.ber_rayleigh, bits_per_symbol)
    elif isinstance(channel, RicianLaw):
        k_db = linear_to_db(channel.k)
        rate = functools.partial(theory.ber_rician, bits_per_symbol, k_db=k_db)
    elif isinstance(channel, Middleton):
        rate = functools.partial(
            theory.ber_middleton, bits_per_symbol, a=channel.a, gamma=channel.gamma
        )
    elif isinstance(channel, Trace):
        if channel.start != "random":  # only the first rows are sent
            return None
        powers: Array = np.abs(channel.gains_in_time).astype(np.float64) ** 2
        rate = functools.partial(_ber_over_rows, bits_per_symbol, powers)
    elif isinstance(channel, KnownLaw):
        quantile = channel.gain_quantile
        rate = functools.partial(theory.ber_fading, bits_per_symbol, gain_quantile=quantile)
    else:
        return None
    return Reference("theory", rate)


def _ber_over_rows(bits_per_symbol: int, powers: Array, snr_db: Array) -> Array:
    """Return the mean of the AWGN rate over the power gains of a trace's rows."""
    snrs_db = np.asarray(snr_db)[..., None] + linear_to_db(np.maximum(powers, 1e-30))
    return np.asarray(theory.ber_awgn(bits_per_symbol, snrs_db).mean(axis=-1))


def reference_bler(channel: Channel, num_info_bits: int, num_uses: int) -> Reference | None:
    """Return the reference for block error rates, or None if there is none.

    On AWGN it is the normal approximation for the best code of this length. On block fading with
    one gain per block it is the outage probability: the probability that the gain is too low for
    the code rate.
    """
    if isinstance(channel, Awgn):
        rate = functools.partial(theory.normal_approximation_bler, num_info_bits, num_uses)
        return Reference("normal approximation", rate)
    one_gain = isinstance(channel, BlockFading) and (channel.block_length or num_uses) >= num_uses
    if one_gain and isinstance(channel, KnownLaw):
        efficiency = num_info_bits / num_uses
        outage = functools.partial(
            theory.outage_fading, rate=efficiency, gain_quantile=channel.gain_quantile
        )
        return Reference("outage probability", outage)
    return None


def bicm_limit_db(bits_per_symbol: int, efficiency: float, channel: Channel) -> float | None:
    """Return the Es/N0 in dB at which the BICM mutual information equals the efficiency.

    No code behind this demapper works below it. The result is None if the gain outlasts a block, so
    that no such SNR exists, if its law is not known, or if the SNR lies beyond ±60 dB.
    """
    if channel.coherence not in ("none", "fast") or not isinstance(channel, KnownLaw):
        return None

    def surplus(snr_db: float) -> float:
        if channel.coherence == "fast":
            quantile = channel.gain_quantile
            snr_db = theory.effective_snr_db(bits_per_symbol, snr_db, quantile)
        return float(theory.bicm_mutual_information(bits_per_symbol, snr_db)) - efficiency

    if surplus(-60.0) > 0 or surplus(60.0) < 0:
        return None
    return float(brentq(surplus, -60.0, 60.0, xtol=1e-3))
