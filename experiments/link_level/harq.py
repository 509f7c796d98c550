"""Simulation of packets with retransmissions (HARQ): losses, retransmissions and throughput.

:func:`experiments.link_level.montecarlo.collect` runs a :class:`HarqPackets`, which counts either
lost packets or retransmissions. Both counts of one SNR see the same packets; together they give
the throughput.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

import torch

from channels.base import num_uses
from channels.packets.harq import Harq, send_harq_batch
from channels.packets.mcs import Scheme
from channels.packets.packet import num_packet_symbols, packet_code
from channels.units import noise_var_from_snr_db
from experiments.intervals import Count
from experiments.link_level.snr_axis import create_channel
from semcom.errors import InputError

Counted: TypeAlias = Literal["lost packets", "retransmissions"]
_BATCH_CODED_BITS = 1 << 20
_MAX_BATCH = 512


@dataclass(frozen=True)
class HarqPackets:
    """Simulation of packets with a CRC, each sent until the sender believes that it arrived.

    Parameters
    ----------
    num_bytes
        Payload bytes per packet, at least 1.
    scheme
        Modulation and code rate of every round.
    channel
        Name and options of the channel, such as ``"rayleigh:block_length=500"``.
    options
        Rounds, redundancy versions and feedback.
    counts
        ``"lost packets"``: the trials are packets. ``"retransmissions"``: the trials are the
        ``max_rounds - 1`` possible retransmissions of each packet, so that the rate is the mean
        share of them that took place.

    Raises
    ------
    ValueError
        If the code does not have these sizes, the channel is unknown, or retransmissions are to be
        counted where there is only one round.

    Examples
    --------
    >>> packets = HarqPackets(100, Scheme(bits_per_symbol=2, code_rate=0.5))
    >>> packets.name
    'QPSK 0.500, 100 bytes over awgn, 4 rounds (0, 2, 3, 1)'
    >>> lost = packets.run(snr_db=10.0, rng=torch.Generator().manual_seed(0))
    >>> lost.rate
    0.0
    >>> round(packets.mean_uses(retransmission_rate=0.0))
    824
    """

    num_bytes: int
    scheme: Scheme
    channel: str = "awgn"
    options: Harq = field(default_factory=Harq)
    counts: Counted = "lost packets"

    def __post_init__(self) -> None:
        if self.counts not in get_args(Counted):
            choices = ", ".join(get_args(Counted))
            raise InputError(f"counts must be one of {choices}, got {self.counts!r}")
        if self.counts == "retransmissions" and self.options.max_rounds == 1:
            raise InputError(
                "one round has no retransmissions to count: max_rounds must be 2 or more"
            )
        create_channel(self.channel)
        packet_code(self.num_bytes, self.scheme)

    @property
    def name(self) -> str:
        """Name for display."""
        rounds = f"{self.options.max_rounds} rounds {self.options.round_rvs}"
        return f"{self.scheme.name}, {self.num_bytes} bytes over {self.channel}, {rounds}"

    @property
    def retransmissions(self) -> HarqPackets:
        """The same simulation, but counting retransmissions."""
        return replace(self, counts="retransmissions")

    def about(self) -> dict[str, Any]:
        """See :meth:`experiments.link_level.task.Simulation.about`."""
        return asdict(self)

    def stream(self) -> dict[str, Any]:
        """Return the parameters that bits, fading and noise depend on.

        Redundancy versions, combining and feedback are not among them.
        """
        about = self.about()
        options = about.pop("options")
        del about["counts"]
        air = ["max_rounds", "continuous"]
        air += ["feedback_delay"] if self.options.continuous else []
        return {"simulation": "harq", **about, **{name: options[name] for name in air}}

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        """Send one batch at Es/N0 ``snr_db``: at most 512 packets or 2²⁰ coded bits in all."""
        most = self.options.max_rounds
        coded_bits = packet_code(self.num_bytes, self.scheme).num_coded_bits * most
        num_packets = max(1, min(_MAX_BATCH, _BATCH_CODED_BITS // coded_bits))
        shape = (num_packets, 8 * self.num_bytes)
        bits = torch.randint(0, 2, shape, generator=rng, dtype=torch.uint8).numpy()
        trace = send_harq_batch(
            bits,
            self.scheme,
            create_channel(self.channel),
            noise_var_from_snr_db(snr_db),
            rng,
            options=self.options,
        )
        if self.counts == "retransmissions":
            extra = trace.rounds - 1
            groups, squares = int((extra > 0).sum()), int((extra**2).sum())
            trials = num_packets * (most - 1)
            return Count(trials, int(extra.sum()), num_packets, groups, squares)
        # A wrong packet that passes its CRC counts as lost.
        wrong = (trace.delivered_in == 0) | (trace.bits != bits).any(axis=1)
        lost = int(wrong.sum())
        return Count(num_packets, lost, num_packets, lost, lost)

    def mean_uses(self, retransmission_rate: float) -> float:
        """Return the mean channel uses per packet, including feedback."""
        num_symbols = num_packet_symbols(self.num_bytes, self.scheme)
        per_round = num_uses(create_channel(self.channel), num_symbols) + self.options.feedback_uses
        return per_round * (1 + (self.options.max_rounds - 1) * retransmission_rate)

    def throughput(
        self, lost: Count, retransmissions: Count, confidence: float = 0.95
    ) -> tuple[float, float, float]:
        """Return payload bits per channel use: the estimate and both ends of its interval.

        The estimate is ``8·num_bytes·P(delivered)/E[uses]``. Its interval is valid if those of loss
        and retransmissions are, each of which gets half of the error probability that
        ``confidence`` leaves (Bonferroni).
        """
        halved = (1 + confidence) / 2
        least_lost, most_lost = lost.interval(halved)
        fewest, most = retransmissions.interval(halved)
        pairs = ((lost.rate, retransmissions.rate), (most_lost, most), (least_lost, fewest))
        estimate, low, high = (
            8 * self.num_bytes * (1 - loss) / self.mean_uses(rate) for loss, rate in pairs
        )
        return estimate, low, high
