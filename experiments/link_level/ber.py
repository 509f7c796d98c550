"""``semcom ber``: measures bit error rates and compares them with the closed forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from channels.modulation import modulate
from channels.ofdm.channel import Ofdm
from channels.packets.mcs import modulation_name
from channels.units import check_bits_per_symbol
from experiments.intervals import Count
from experiments.link_level.curves import CurveLabels, Series, measure, write_series
from experiments.link_level.montecarlo import Limits
from experiments.link_level.snr_axis import Axis, create_channel, pass_channel, to_esn0
from experiments.link_level.theory_curves import exact_ber
from semcom.errors import InputError

Array = NDArray[np.float64]

BATCH_SYMBOLS = 1 << 17
LIMITS = Limits(max_errors=200, max_trials=10_000_000)


@dataclass(frozen=True)
class BitErrors:
    """Simulation of uncoded bits over a channel that the receiver knows.

    The receiver decides for the nearest symbol. The groups of the counts are symbols if every
    symbol fades or is disturbed independently (AWGN, fast fading), and transmissions otherwise.

    Parameters
    ----------
    channel
        Name and options of the channel, such as ``"rician:k_db=3"``.
    bits_per_symbol
        1, 2, 4, 6 or 8.
    num_symbols
        Number of symbols per transmission, at most 131,072. A block fading channel without a
        ``block_length`` holds its gain that long.

    Raises
    ------
    ValueError
        If the channel or one of its options is unknown, or another argument is out of range.

    Examples
    --------
    >>> system = BitErrors("awgn", bits_per_symbol=2)
    >>> system.name
    'QPSK over awgn'
    >>> count = system.run(snr_db=4.0, rng=torch.Generator().manual_seed(0))
    >>> count.trials
    262144
    >>> abs(count.rate - 0.0565) < 0.002  # theory: channels.theory.ber_awgn(2, 4.0)
    True
    """

    channel: str
    bits_per_symbol: int
    num_symbols: int = 32

    def __post_init__(self) -> None:
        create_channel(self.channel)
        check_bits_per_symbol(self.bits_per_symbol)
        if not 1 <= self.num_symbols <= BATCH_SYMBOLS:
            raise InputError(f"num_symbols must be in [1, {BATCH_SYMBOLS}], got {self.num_symbols}")

    @property
    def code_rate(self) -> float:
        """Code rate: 1, because the bits are uncoded."""
        return 1.0

    @property
    def name(self) -> str:
        """Name for display."""
        return f"{modulation_name(self.bits_per_symbol)} over {self.channel}"

    def about(self) -> dict[str, Any]:
        """See :meth:`experiments.link_level.task.Simulation.about`."""
        return {"counts": "bit errors", **asdict(self)}

    stream = about

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        """Send one batch of 131,072 symbols at Es/N0 ``snr_db`` and count the wrong bits."""
        shape = (BATCH_SYMBOLS // self.num_symbols, self.num_symbols * self.bits_per_symbol)
        bits = torch.randint(0, 2, shape, generator=rng, dtype=torch.uint8)
        output = pass_channel(self.channel, modulate(bits, self.bits_per_symbol), snr_db, rng)
        wrong = (output.llr(self.bits_per_symbol) > 0) != (bits == 1)
        alone = create_channel(self.channel).coherence in ("none", "fast")
        size = self.bits_per_symbol if alone else shape[1]
        per_group = wrong.reshape(-1, size).sum(dim=-1)
        return Count(
            trials=wrong.numel(),
            errors=int(per_group.sum()),
            groups=len(per_group),
            wrong_groups=int((per_group > 0).sum()),
            squares=int(per_group.square().sum()),
        )


def _usual_symbols(channel: str) -> int:
    made = create_channel(channel)
    return len(made.layout.data) if isinstance(made, Ofdm) else 32


def ber(
    modulations: Sequence[int],
    channels: Sequence[str],
    snrs: Sequence[float],
    out: Path,
    *,
    axis: Axis = "esn0",
    limits: Limits = LIMITS,
    num_symbols: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    say: Callable[..., None] = print,
) -> list[Series]:
    """Measure bit error rates and write them into ``out``, together with theory.

    Parameters
    ----------
    modulations, channels
        Bits per symbol, and channels with their options; every pair gives a curve.
    snrs
        SNRs in dB on ``axis``, which is ``"esn0"`` or ``"ebn0"``, in ascending order.
    out
        Folder for ``rows.jsonl`` (the raw counts, from which a later run resumes), ``ber.csv``,
        ``ber.png`` and ``ber.pdf``.
    num_symbols
        See :class:`BitErrors`; by default 32, and over OFDM all data symbols of a slot, since its
        first ones lie beyond the pilots.
    limits, seed, jobs, say
        See :func:`experiments.link_level.montecarlo.collect`.

    Raises
    ------
    ValueError
        If an argument is invalid; this is checked before any work starts.
    """
    systems = [
        BitErrors(channel, bits, _usual_symbols(channel) if num_symbols is None else num_symbols)
        for channel in channels
        for bits in modulations
    ]
    counts = measure(systems, snrs, axis, out, limits=limits, seed=seed, jobs=jobs, say=say)
    series = []
    for system, measured in zip(systems, counts, strict=True):
        exact = exact_ber(create_channel(system.channel), system.bits_per_symbol)
        if exact is not None:
            exact = exact.shifted(to_esn0(0.0, axis, system.bits_per_symbol))
        series.append(Series(system.name, tuple(snrs), measured, exact, joined=exact is None))
    labels = CurveLabels("BER", "bits", axis, "bit error rate", exact=True)
    say(*(f"{file}" for file in write_series(series, labels, out, "ber")))
    return series
