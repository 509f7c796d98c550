"""Modulation and coding schemes, and the choice among them.

The schemes are TS 38.214 Table 5.1.3.1-2 (QPSK to 256-QAM), preceded by the low rates of Table
5.1.3.1-3 and refined by code rates between the standard's rows, so that the steps in spectral
efficiency stay near 0.1 bit. How much SNR each needs was measured on AWGN by
``python -m experiments.benchmarks.mcs_thresholds`` and is kept in ``data/awgn_thresholds.json``.

Other channels follow from the AWGN table: a fast fading channel is as good as the AWGN channel of
equal BICM mutual information (:func:`channels.theory.effective_snr_db`), a block fading one as
good as its worst gain at the accepted outage.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from importlib.resources import files

from channels.base import Channel, KnownLaw


@dataclass(frozen=True)
class Scheme:
    """One modulation and code rate."""

    bits_per_symbol: int
    """1 (BPSK), 2 (QPSK), 4, 6 or 8 (256-QAM)."""
    code_rate: float
    """Packet bits with CRC over coded bits, in (0, 0.95)."""

    @property
    def efficiency(self) -> float:
        """Packet bits with CRC per complex symbol."""
        return self.bits_per_symbol * self.code_rate

    @property
    def name(self) -> str:
        """For people: ``"16-QAM 0.602"``."""
        order = {1: "BPSK", 2: "QPSK"}.get(self.bits_per_symbol, f"{2**self.bits_per_symbol}-QAM")
        return f"{order} {self.code_rate:.3f}"


# Code rates times 1024: the standard's rows and, between them, rows of our own.
_RATES = {
    2: (78, 99, 120, 157, 193, 251, 308, 379, 449, 526, 602, 660, 720),
    4: (378, 406, 434, 462, 490, 522, 553, 584, 616, 637, 658, 690, 719),
    6: (466, 492, 517, 542, 567, 592, 616, 641, 666, 692, 719, 746, 772, 797, 822, 848, 873),
    8: (682, 696, 711, 732, 754, 776, 797, 819, 841, 863, 885, 900, 916, 932, 948),
}
SCHEMES: tuple[Scheme, ...] = tuple(
    Scheme(bits, rate / 1024) for bits, rates in _RATES.items() for rate in rates
)
"""Every scheme; a header names one by its index, so the order is part of the format."""

HEADER_SYMBOLS = (96, 192, 384, 768)
"""Lengths of a control block (QPSK), from daring to robust. The receiver tries them in turn, as a
5G terminal tries the aggregation levels of its control channel."""
HEADER_BYTES = 11
_CRC_BITS = 24


def header_scheme(num_symbols: int) -> Scheme:
    """Return the scheme that spreads a header over ``num_symbols``."""
    return Scheme(2, (8 * HEADER_BYTES + _CRC_BITS) / (2 * num_symbols))


@dataclass(frozen=True)
class Threshold:
    """SNR at which a scheme reaches block error rates of 1e-1, 1e-2 and 1e-3 on AWGN."""

    snr_db: tuple[float, float, float]

    def at(self, bler: float) -> float:
        """SNR in dB for a block error rate below 1.

        Linear in log10(BLER) between the measured points; below 1e-3 the last slope goes on,
        which asks for a little more than needed, since the waterfall steepens.
        """
        decade = -math.log10(bler) - 1  # 0, 1, 2 at the measured points
        i = 0 if decade < 1 else 1
        step = self.snr_db[i + 1] - self.snr_db[i]
        return self.snr_db[i] + step * (decade - i)


@functools.cache
def thresholds() -> dict[tuple[Scheme, int], Threshold]:
    """Measured thresholds by scheme and length of the code block in bits."""
    rows = json.loads(files("channels").joinpath("data/awgn_thresholds.json").read_text())["rows"]
    return {
        (Scheme(row["bits_per_symbol"], row["code_rate"]), row["num_bits"]): Threshold(
            (row["snr_db"]["0.1"], row["snr_db"]["0.01"], row["snr_db"]["0.001"])
        )
        for row in rows
    }


@dataclass(frozen=True)
class Target:
    """What a link must reach."""

    bler: float = 1e-3
    """Accepted error rate of the whole transmission, given that the fading allows it."""
    outage: float = 0.1
    """Accepted probability that a block-fading gain is too small."""

    def __post_init__(self) -> None:
        for name, value in (("bler", self.bler), ("outage", self.outage)):
            if not 0 < value < 1:
                raise ValueError(f"target {name} must be in (0, 1), got {value}")


def effective_snr_db(
    channel: Channel, snr_db: float, bits_per_symbol: int, target: Target
) -> float:
    """SNR in dB of the AWGN channel that is as good as ``channel`` at mean SNR ``snr_db``."""
    from channels import theory

    if channel.coherence == "none":
        return snr_db
    if not isinstance(channel, KnownLaw):
        raise ValueError(f"{type(channel).__name__} has no gain_quantile to choose a scheme by")
    if channel.coherence == "block":
        return snr_db + 10 * math.log10(channel.gain_quantile(target.outage))
    return theory.effective_snr_db(bits_per_symbol, snr_db, channel.gain_quantile)


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
    snr = {
        bits: effective_snr_db(channel, _finite(snr_db), bits, target)
        for bits in {scheme.bits_per_symbol for scheme in SCHEMES}
    }
    fitting = [
        scheme
        for scheme in SCHEMES
        if _required_db(scheme, num_symbols, num_packets, target) <= snr[scheme.bits_per_symbol]
    ]
    return max(fitting or SCHEMES[:1], key=lambda scheme: scheme.efficiency)


def select_header(channel: Channel, snr_db: float, target: Target = Target()) -> int:
    """Choose the length of the header in symbols: the shortest that is safe, at most the longest.

    A header is needed by all that follows, so it gets a tenth of the accepted error rate.
    """
    snr = effective_snr_db(channel, _finite(snr_db), 2, target)
    for num_symbols in HEADER_SYMBOLS:
        need = thresholds()[header_scheme(num_symbols), 8 * HEADER_BYTES]
        if need.at(target.bler / 10) <= snr:
            return num_symbols
    return HEADER_SYMBOLS[-1]


def _required_db(scheme: Scheme, num_symbols: int, num_packets: int, target: Target) -> float:
    """SNR on AWGN at which a transmission of ``num_symbols`` reaches the target."""
    measured = _thresholds_by_length()[scheme]
    num_bits = num_symbols / num_packets * scheme.efficiency
    # The longest measured block that is no longer than ours: shorter ones need more SNR.
    length = max((bits for bits in measured if bits <= num_bits), default=min(measured))
    num_blocks = num_packets * max(1, math.ceil(num_bits / max(measured)))
    return measured[length].at(target.bler / num_blocks)


@functools.cache
def _thresholds_by_length() -> dict[Scheme, dict[int, Threshold]]:
    table: dict[Scheme, dict[int, Threshold]] = {}
    for (scheme, num_bits), threshold in thresholds().items():
        table.setdefault(scheme, {})[num_bits] = threshold
    return table


def _finite(snr_db: float) -> float:
    if not math.isfinite(snr_db):
        raise ValueError(f"SNR must be a finite number of dB, got {snr_db}")
    return snr_db
