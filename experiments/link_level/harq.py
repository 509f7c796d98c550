"""Packets with retransmissions, counted: how many are lost, and what they cost.

:func:`experiments.link_level.montecarlo.collect` runs a :class:`HarqPackets`. It counts lost
packets or retransmissions; both counts of one SNR see the same packets, and together give the
throughput.
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
    """Packets with CRC, each sent until the sender believes that it arrived.

    Parameters
    ----------
    num_bytes
        Payload of a packet, at least 1.
    scheme
        Modulation and code rate of every round.
    channel
        Name and options, as in ``"rayleigh:block_length=500"``.
    options
        Rounds, versions and feedback.
    counts
        ``"lost packets"`` (of packets), or ``"retransmissions"`` (of ``max_rounds - 1`` per packet:
        the rate is their mean share).

    Raises
    ------
    ValueError
        Sizes that the code does not have, an unknown channel, or retransmissions of one round.
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
        """What people read."""
        rounds = f"{self.options.max_rounds} rounds {self.options.round_rvs}"
        return f"{self.scheme.name}, {self.num_bytes} bytes over {self.channel}, {rounds}"

    @property
    def retransmissions(self) -> HarqPackets:
        """The same packets, their retransmissions counted."""
        return replace(self, counts="retransmissions")

    def about(self) -> dict[str, Any]:
        """Everything that the result depends on; see ``montecarlo.Simulation``."""
        return asdict(self)

    def stream(self) -> dict[str, Any]:
        """What bits, fading and noise depend on: not versions, combining or feedback."""
        about = self.about()
        options = about.pop("options")
        del about["counts"]
        air = ["max_rounds", "continuous"]
        air += ["feedback_delay"] if self.options.continuous else []
        return {"simulation": "harq", **about, **{name: options[name] for name in air}}

    def run(self, snr_db: float, rng: torch.Generator) -> Count:
        """Send one batch, at most 512 packets or 2²⁰ coded bits of all rounds."""
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
        """Channel uses per packet, feedback included, from the mean share of retransmissions."""
        num_symbols = num_packet_symbols(self.num_bytes, self.scheme)
        per_round = num_uses(create_channel(self.channel), num_symbols) + self.options.feedback_uses
        return per_round * (1 + (self.options.max_rounds - 1) * retransmission_rate)

    def throughput(
        self, lost: Count, retransmissions: Count, confidence: float = 0.95
    ) -> tuple[float, float, float]:
        """Payload bits per channel use: estimate, and both ends of an interval.

        ``8·num_bytes·P(delivered)/E[uses]``. The interval holds if those of loss and
        retransmissions do, each at half the error that ``confidence`` leaves (Bonferroni).
        """
        halved = (1 + confidence) / 2
        least_lost, most_lost = lost.interval(halved)
        fewest, most = retransmissions.interval(halved)
        pairs = ((lost.rate, retransmissions.rate), (most_lost, most), (least_lost, fewest))
        estimate, low, high = (
            8 * self.num_bytes * (1 - loss) / self.mean_uses(rate) for loss, rate in pairs
        )
        return estimate, low, high
