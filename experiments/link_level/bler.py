"""``semcom bler``: measures block error rates of 5G LDPC codes, beside theory and peers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from channels.fec.ldpc import LdpcCode, ldpc_code
from channels.fec.ldpc.decoders import DECODERS, DEFAULT_DECODER
from channels.models.awgn import Awgn
from channels.packets.block_chain import batch_size, pass_blocks, random_bits
from channels.packets.mcs import find_scheme, modulation_name
from channels.units import check_bits_per_symbol
from experiments.axis_values import parse_snrs
from experiments.intervals import Count
from experiments.link_level.curves import CurveLabels, Series, measure, write_series
from experiments.link_level.montecarlo import Limits
from experiments.link_level.snr_axis import Axis, create_channel, to_esn0
from experiments.link_level.theory_curves import bicm_limit_db, reference_bler
from semcom.errors import InputError

PEERS = {"sionna": "sionna_boxplus"}
"""Decoders of other projects, by the name of the project."""
LIMITS = Limits(max_errors=100, max_trials=100_000)


@dataclass(frozen=True)
class BlockErrors:
    """Simulation of LDPC code blocks over a channel that the receiver knows.

    Every block is one transmission. No CRC is sent: a block is wrong if any of its information bits
    is wrong. LLRs are max-log.

    Parameters
    ----------
    num_info_bits, num_coded_bits, bits_per_symbol
        k, n and the modulation; see :class:`channels.fec.ldpc.LdpcCode`.
    channel
        Name and options of the channel, such as ``"rayleigh:block_length=500"``.
    decoder
        One of :data:`channels.fec.ldpc.decoders.DECODERS`.
    max_iterations
        Largest number of iterations of the decoder, at least 1.

    Raises
    ------
    ValueError
        If the standard has no code of these sizes, the channel or decoder is unknown, or
        ``max_iterations`` is below 1.

    Examples
    --------
    >>> system = BlockErrors(num_info_bits=64, num_coded_bits=128, bits_per_symbol=2)
    >>> system.name, system.efficiency
    ('QPSK 0.500, k = 64 over awgn', 1.0)
    >>> count = system.run(snr_db=10.0, rng=torch.Generator().manual_seed(0))
    >>> count.trials, count.errors
    (512, 0)
    """

    num_info_bits: int
    num_coded_bits: int
    bits_per_symbol: int
    channel: str = "awgn"
    decoder: str = DEFAULT_DECODER
    max_iterations: int = 20

    def __post_init__(self) -> None:
        check_bits_per_symbol(self.bits_per_symbol)
        create_channel(self.channel)
        DECODERS.load(self.decoder)
        if self.max_iterations < 1:
            raise InputError(f"max_iterations must be at least 1, got {self.max_iterations}")
        self.code()

    def code(self) -> LdpcCode:
        """Return the prepared code."""
        return ldpc_code(self.num_info_bits, self.num_coded_bits, self.bits_per_symbol)

    @property
    def code_rate(self) -> float:
        """Information bits over coded bits."""
        return self.num_info_bits / self.num_coded_bits

    @property
    def efficiency(self) -> float:
        """Information bits per complex symbol."""
        return self.code_rate * self.bits_per_symbol

    @property
    def name(self) -> str:
        """Name for display."""
        sent = f"{modulation_name(self.bits_per_symbol)} {self.code_rate:.3f}"
        peer = "" if self.decoder == DEFAULT_DECODER else f", {self.decoder}"
        return f"{sent}, k = {self.num_info_bits} over {self.channel}{peer}"

    def stream(self) -> dict[str, Any]:
        """Return the parameters of bits, fading and noise, which are the same for all decoders."""
        about = self.about()
        del about["decoder"], about["max_iterations"]
        return about

    def about(self) -> dict[str, Any]:
        """See :meth:`experiments.link_level.task.Simulation.about`."""
        return {"counts": "block errors", **asdict(self)}

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        """Send one batch of blocks, at most 512 or 2²⁰ coded bits, at Es/N0 ``snr_db``."""
        code = self.code()
        bits = random_bits((batch_size(code), code.num_info_bits), rng)
        decided, _ = pass_blocks(
            bits,
            code,
            create_channel(self.channel),
            snr_db,
            rng,
            max_iterations=self.max_iterations,
            decoder=self.decoder,
        )
        errors = int((decided != bits).any(axis=1).sum())
        return Count(len(bits), errors, len(bits), errors, errors)


def num_coded_bits(num_info_bits: int, code_rate: float, bits_per_symbol: int) -> int:
    """Return the smallest n that fills whole symbols and gives at most this code rate.

    Raises
    ------
    ValueError
        If the rate is outside (0, 1) or there are no information bits.

    Examples
    --------
    >>> num_coded_bits(1000, code_rate=0.75, bits_per_symbol=4)
    1336
    """
    if num_info_bits < 1:
        raise InputError(f"num_info_bits must be at least 1, got {num_info_bits}")
    if not 0 < code_rate < 1:
        raise InputError(f"code rate must be in (0, 1), got {code_rate}")
    check_bits_per_symbol(bits_per_symbol)
    # The tolerance keeps rounding from adding a symbol to a quotient that should be whole.
    return bits_per_symbol * math.ceil(num_info_bits / (bits_per_symbol * code_rate) - 1e-9)


def block_systems(
    *,
    info_bits: Sequence[int],
    coded_bits: Sequence[int] | None = None,
    rates: Sequence[float] | None = None,
    modulations: Sequence[int] | None = None,
    schemes: Sequence[str] = (),
    channels: Sequence[str] = ("awgn",),
    decoders: Sequence[str] = (DEFAULT_DECODER,),
    max_iterations: int = 20,
) -> list[BlockErrors]:
    """Combine every size, modulation, channel and decoder.

    Parameters
    ----------
    info_bits
        Numbers of information bits per block, k.
    coded_bits, rates
        Numbers of coded bits, n, or alternatively code rates k/n; rate 1/2 by default.
    modulations
        Bits per symbol; QPSK by default.
    schemes
        Names of schemes, which replace the three arguments above; see
        :func:`channels.packets.mcs.find_scheme`.
    channels, decoders, max_iterations
        See :class:`BlockErrors`.

    Raises
    ------
    ValueError
        If options exclude each other, or :class:`BlockErrors` refuses a combination.

    Examples
    --------
    >>> for system in block_systems(info_bits=[1024], rates=[0.5, 0.75]):
    ...     print(system.name)
    QPSK 0.500, k = 1024 over awgn
    QPSK 0.750, k = 1024 over awgn
    """
    if schemes and (coded_bits or rates or modulations):
        raise InputError(
            "--scheme already sets rate and modulation: leave out -n, --rate and --modulation"
        )
    if coded_bits and rates:
        raise InputError("-n and --rate both set the code rate: leave out one of them")
    pairs = [(scheme.bits_per_symbol, scheme.code_rate) for scheme in map(find_scheme, schemes)]
    pairs = pairs or list(itertools.product(modulations or (2,), rates or (0.5,)))
    sizes = [(k, num_coded_bits(k, rate, bits), bits) for k in info_bits for bits, rate in pairs]
    if coded_bits:
        sizes = list(itertools.product(info_bits, coded_bits, modulations or (2,)))
    return [
        BlockErrors(k, n, bits, channel, decoder, max_iterations)
        for k, n, bits in dict.fromkeys(sizes)
        for channel in dict.fromkeys(channels)
        for decoder in dict.fromkeys(decoders)
    ]


def default_snrs(systems: Sequence[BlockErrors], axis: Axis = "esn0") -> tuple[float, ...]:
    """Return SNRs in dB on ``axis``, from the BICM limit up to where real codes work.

    They rise by 0.5 dB up to 3 dB above the limit. If the gain of a channel outlasts a block, they
    rise by 2 dB up to 20 dB above it.

    Examples
    --------
    >>> default_snrs(block_systems(info_bits=[1024]))
    (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
    """
    limits, fades = [], False
    for one in systems:
        channel = create_channel(one.channel)
        limit = bicm_limit_db(one.bits_per_symbol, one.efficiency, channel)
        if limit is None:
            fades = True
            limit = bicm_limit_db(one.bits_per_symbol, one.efficiency, Awgn()) or 0.0
        limits.append(limit - to_esn0(0.0, axis, one.bits_per_symbol, one.code_rate))
    first, last = math.floor(min(limits)), math.ceil(max(limits))
    return parse_snrs(f"{first}:{last + 20}:2" if fades else f"{first}:{last + 3}:0.5")


def bler(
    systems: Sequence[BlockErrors],
    snrs: Sequence[float],
    out: Path,
    *,
    axis: Axis = "esn0",
    limits: Limits = LIMITS,
    seed: int = 0,
    jobs: int = 1,
    say: Callable[..., None] = print,
) -> list[Series]:
    """Measure block error rates and write them into ``out``, together with theory.

    Parameters
    ----------
    systems
        Systems to simulate; each gives a curve.
    snrs
        SNRs in dB on ``axis``, which is ``"esn0"`` or ``"ebn0"`` (per information bit), in
        ascending order.
    out
        Folder for ``rows.jsonl`` (the raw counts, from which a later run resumes), ``bler.csv``,
        ``bler.png`` and ``bler.pdf``.
    limits, seed, jobs, say
        See :func:`experiments.link_level.montecarlo.collect`.

    Raises
    ------
    ValueError
        If an argument is invalid; this is checked before any work starts.
    """
    counts = measure(systems, snrs, axis, out, limits=limits, seed=seed, jobs=jobs, say=say)
    series = [
        _series(one, tuple(snrs), measured, axis)
        for one, measured in zip(systems, counts, strict=True)
    ]
    labels = CurveLabels(
        "BLER",
        "blocks",
        axis,
        "block error rate, 5G LDPC",
        exact=False,
        limit="BICM capacity = rate",
    )
    say(*(f"{file}" for file in write_series(series, labels, out, "bler")))
    return series


def _series(
    one: BlockErrors, snrs: tuple[float, ...], counts: tuple[Count, ...], axis: Axis
) -> Series:
    shift = to_esn0(0.0, axis, one.bits_per_symbol, one.code_rate)
    channel = create_channel(one.channel)
    num_uses = one.num_coded_bits // one.bits_per_symbol
    reference = reference_bler(channel, one.num_info_bits, num_uses)
    limit = bicm_limit_db(one.bits_per_symbol, one.efficiency, channel)
    return Series(
        one.name,
        snrs,
        counts,
        None if reference is None else reference.shifted(shift),
        None if limit is None else limit - shift,
        joined=True,
    )
