"""Modulation and coding schemes (MCS), and the SNR that each was measured to need.

The schemes are those of TS 38.214 Table 5.1.3.1-2 (QPSK to 256-QAM), with 1024 times the rate
rounded down to a whole number, preceded by low rates of Table 5.1.3.1-3, from 78/1024 on. Further
code rates between the standard's rows and beyond their ends keep the steps in spectral efficiency
below 0.1 bit and make neighbouring modulations overlap.

The SNR that each scheme needs was measured with
``python -m experiments.benchmarks.mcs_thresholds``. The file ``data/thresholds.json`` holds it by
code block length and class of channel, with the error counts behind it.
:mod:`channels.packets.adaptation` chooses schemes from these thresholds.
"""

from __future__ import annotations

import difflib
import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from channels.errors import InputError


@dataclass(frozen=True)
class Scheme:
    """A modulation and a code rate.

    Examples
    --------
    >>> scheme = Scheme(4, 0.5)
    >>> scheme.name, scheme.efficiency
    ('16-QAM 0.500', 2.0)
    """

    bits_per_symbol: int
    """1 (BPSK), 2 (QPSK), 4, 6 or 8 (256-QAM)."""
    code_rate: float
    """Packet bits including the CRC over coded bits, in (0, 0.95)."""
    block_bits: int = 0
    """Coded bits of every code block of a packet, the last of which is padded
    (:mod:`channels.fec.equal_blocks`); 0: the blocks of 5G NR, which depend on the packet
    (:mod:`channels.fec.transport_block`)."""
    shaped: bool = False
    """Whether weak amplitudes are sent more often than strong ones (:mod:`channels.shaping`). The
    code rate then stands for the efficiency, and not for the rate of the LDPC code."""

    @property
    def efficiency(self) -> float:
        """Packet bits including the CRC per complex symbol."""
        return self.bits_per_symbol * self.code_rate

    @property
    def block_info_bits(self) -> int:
        """Information bits of every code block of ``block_bits`` coded bits."""
        return round(self.block_bits * self.code_rate)

    @property
    def name(self) -> str:
        """Name for people, such as ``"16-QAM 0.602"``."""
        order = {1: "BPSK", 2: "QPSK"}.get(self.bits_per_symbol, f"{2**self.bits_per_symbol}-QAM")
        if self.shaped:
            return f"shaped {order} {self.code_rate:.3f}"
        return f"{order} {self.code_rate:.3f}"


# Code rates times 1024: the standard's rows, and rows of our own between and beyond them.
_RATES = {
    2: "78 99 120 138 157 175 193 222 251 280 308 343 379 414 449 488 526 564 602 631 660 690 720",
    4: "354 378 397 416 434 453 472 490 511 532 553 574 595 616 637 658 680 702 724 747 771 790",
    6: "466 483 500 517 534 550 567 583 600 616 633 649 666 684 701 719 737 754 772 789 805 822 "
    "839 856 873 890",
    8: "658 670 682 692 701 711 722 732 743 754 765 776 786 797 808 819 830 841 852 863 874 885 "
    "896 906 916 927 938 948",
}
SCHEMES: tuple[Scheme, ...] = tuple(
    Scheme(bits, int(rate) / 1024) for bits, rates in _RATES.items() for rate in rates.split()
)
"""Every scheme. A header refers to a scheme by its index, so the order is part of the format."""

MODULATIONS = {"bpsk": 1, "qpsk": 2, "16qam": 4, "64qam": 6, "256qam": 8}
"""Bits per symbol by name."""
_FEW = 20  # schemes that an error message lists
_LABELS = {1: "BPSK", 2: "QPSK", 4: "16-QAM", 6: "64-QAM", 8: "256-QAM"}

HEADER_SYMBOLS = (96, 192, 384, 768, 1536, 3072)
"""Lengths of a control block (QPSK), the least robust first. The receiver tries them in turn, as a
5G terminal tries the aggregation levels of its control channel."""
HEADER_BYTES = 11
CRC_BITS = 24
"""CRC bits of every packet."""
SHORT_BITS = 292
"""Largest payload in bits for which base graph 2 is used at any code rate."""


def header_scheme(num_symbols: int) -> Scheme:
    """Return the scheme that spreads a header over ``num_symbols``."""
    return Scheme(2, (8 * HEADER_BYTES + CRC_BITS) / (2 * num_symbols))


def packet_scheme(scheme: Scheme, num_bits: int) -> Scheme:
    """Return the scheme that is really applied to a packet of ``num_bits`` payload bits.

    Packets of up to 292 bits use base graph 2 (TS 38.212 §7.2.2), which performs poorly above a
    rate of 2/3; their rate is limited to that. Code blocks of one length and shaped blocks need no
    limit.
    """
    if scheme.block_bits or scheme.shaped:
        return scheme
    rate = min(scheme.code_rate, 2 / 3) if num_bits <= SHORT_BITS else scheme.code_rate
    return Scheme(scheme.bits_per_symbol, rate)


def parse_modulation(text: str) -> int:
    """Parse a modulation, such as ``"16qam"``, ``"16-QAM"`` or ``"4"``, into bits per symbol.

    Raises
    ------
    ValueError
        Any other text. Square QAM needs an even number of bits.
    """
    name = text.strip().lower().replace("-", "").replace(" ", "")
    bits = MODULATIONS.get(name, int(name) if name.isdecimal() else None)
    if bits not in _LABELS:
        raise InputError(
            f"modulation must be one of {', '.join(MODULATIONS)}, or "
            f"{', '.join(map(str, _LABELS))} bits per symbol, got {text.strip()!r}"
        )
    return bits


def modulation_name(bits_per_symbol: int) -> str:
    """Return the name of a modulation for people, such as ``"16-QAM"``."""
    return _LABELS[bits_per_symbol]


def find_scheme(text: str, schemes: Sequence[Scheme] = SCHEMES) -> Scheme:
    """Look up a scheme by name (``"16-QAM 0.602"``) or by its index in ``schemes``.

    Parameters
    ----------
    text
        Name or index.
    schemes
        The schemes to look in: a set of :func:`channels.packets.scheme_sets.scheme_set`.

    Raises
    ------
    ValueError
        A name or index that is not among these schemes.

    Examples
    --------
    >>> find_scheme("16-QAM 0.602") in SCHEMES
    True
    >>> find_scheme("0").name
    'QPSK 0.076'
    """
    if text.strip().isdecimal():
        if int(text) < len(schemes):
            return schemes[int(text)]
        raise InputError(f"scheme must be below {len(schemes)}, got {text}")
    names = {scheme.name.lower(): scheme for scheme in schemes}
    name = text.strip().lower()
    if name not in names and len(names) <= _FEW:
        choices = ", ".join(repr(scheme.name) for scheme in schemes)
        raise InputError(f"unknown scheme {text!r} in this set; choices: {choices}")
    if name not in names:
        close = difflib.get_close_matches(name, names, n=len(names), cutoff=0)
        modulation, _, rate = name.rpartition(" ")
        if rate.replace(".", "", 1).isdecimal():  # suggest the nearest rates of this modulation
            alike = [one for one in names if one.startswith(f"{modulation} ")]
            close = sorted(alike, key=lambda one: abs(names[one].code_rate - float(rate))) or close
        choices = ", ".join(repr(names[one].name) for one in close[:3])
        raise InputError(
            f"unknown scheme {text!r}; closest matches: {choices} (semcom mcs lists all)"
        )
    return names[name]


LEVELS = (1e-1, 1e-2, 1e-3)
"""Block error rates for which thresholds are given."""

CLASSES = ("awgn", "rayleigh_fast")
"""Channels on which thresholds were measured: no fading, and an independent gain per symbol."""


@dataclass(frozen=True)
class Threshold:
    """The SNRs at which a scheme reaches block error rates of 1e-1, 1e-2 and 1e-3."""

    snr_db: tuple[float, float, float]

    def at(self, bler: float) -> float:
        """Return the SNR in dB for a block error rate above 0 and below 1.

        Interpolation is linear in log10(BLER) between the measured points. Below 1e-3 the last
        slope continues, which slightly overestimates the SNR, since the waterfall steepens.
        """
        decade = -math.log10(bler) - 1  # 0, 1, 2 at the measured points
        i = 0 if decade < 1 else 1
        step = self.snr_db[i + 1] - self.snr_db[i]
        return self.snr_db[i] + step * (decade - i)

    def bler(self, snr_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the block error rate at SNRs in dB, at most 1: the inverse of :meth:`at`."""
        first, middle, last = self.snr_db
        below = (snr_db - middle) / (middle - first)
        above = (snr_db - middle) / (last - middle)
        decade = 1 + np.where(snr_db < middle, below, above)
        rate: NDArray[np.float64] = 10.0 ** -np.maximum(decade + 1, 0.0)
        return rate


@functools.cache
def thresholds(channel: str = "awgn") -> dict[tuple[Scheme, int], Threshold]:
    """Load the measured thresholds by scheme and payload bits of the code block.

    Parameters
    ----------
    channel
        One of :data:`CLASSES`.

    Raises
    ------
    ValueError
        Another channel.

    Examples
    --------
    A code cannot work at an SNR whose capacity lies below its rate:

    >>> from channels.units import awgn_capacity
    >>> all(awgn_capacity(threshold.at(1e-3)) > scheme.efficiency * bits / (bits + CRC_BITS)
    ...     for (scheme, bits), threshold in thresholds("awgn").items())
    True
    """
    if channel not in CLASSES:
        raise InputError(f"thresholds were measured on {', '.join(CLASSES)}, not {channel!r}")
    table = json.loads(files("channels").joinpath("data/thresholds.json").read_text("utf-8"))
    return {
        (scheme_of_row(row), row["num_bits"]): Threshold(tuple(row["snr_db"]))
        for row in table["rows"]
        if row["channel"] == channel
    }


def scheme_of_row(row: Mapping[str, Any]) -> Scheme:
    """Return the scheme of a row of ``data/thresholds.json``."""
    return Scheme(row["bits_per_symbol"], row["code_rate"], row.get("block_bits", 0))
