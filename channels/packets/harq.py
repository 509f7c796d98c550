"""Hybrid ARQ: a packet is retransmitted, in another redundancy version, until it arrives.

A round sends one redundancy version of the whole packet. The receiver decodes all rounds so far
together (incremental redundancy; chase combining if the versions are equal) and answers ACK or
NACK. The sender continues while it reads NACK and has rounds left. Feedback may be misread:

- NACK read as ACK: the sender stops and the packet is lost.
- ACK read as NACK: another round is sent and paid for although nobody needs it; the receiver, which
  has the packet, answers ACK again.

Every round and every feedback message is paid for, including the feedback after the last round and
after superfluous ones: the last feedback tells the sender whether the packet arrived. Time is
counted in channel uses; ``feedback_delay`` lasts from the end of a round to the end of its
feedback.

With k bits in a packet, n uses per round and T rounds, the throughput is
``k·P(delivered)/(n·E[T])`` (renewal-reward). The information that accumulates over independent
fades bounds the loss from below: by the outage of ``Σ log2(1 + γ_i)`` for incremental redundancy
and of ``log2(1 + Σ γ_i)`` for chase combining.

Leaves out: parallel processes (stop and wait, one packet at a time), retransmission of single code
blocks, a choice of scheme from round to round, control information that announces a round (the
receiver knows which version it gets), and decoding delay.

References
----------
3GPP TS 38.212 §5.4.2 and TS 38.321 §5.4.2 (order of the versions).
G. Caire, D. Tuninetti, "The throughput of hybrid-ARQ protocols for the Gaussian collision channel",
IEEE Trans. Inf. Theory 47(5), 2001, DOI 10.1109/18.930931.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from channels.base import Channel, ChannelOutput, max_symbols, num_uses, send_over
from channels.errors import InputError
from channels.packets.mcs import Scheme
from channels.packets.packet import encode_bits, num_packet_symbols, packet_code, soft_bits


@dataclass(frozen=True)
class Harq:
    """The agreement between sender and receiver about retransmissions.

    Raises
    ------
    ValueError
        A value outside its range.

    Examples
    --------
    >>> Harq(max_rounds=3).round_rvs  # redundancy versions of incremental redundancy
    (0, 2, 3)
    >>> Harq(max_rounds=3, rvs=(0,)).round_rvs  # chase combining
    (0, 0, 0)
    """

    max_rounds: int = 4
    """Maximum number of rounds, the first transmission included; at least 1."""
    rvs: tuple[int, ...] = (0, 2, 3, 1)
    """Redundancy versions in the order of the rounds, repeated as needed; ``(0,)`` gives chase
    combining. Only version 0 is certain to be decodable on its own."""
    combining: bool = True
    """Whether the receiver keeps earlier rounds; otherwise it decodes each on its own."""
    continuous: bool = False
    """Whether all rounds form one transmission of the channel, with silence while the sender waits
    for feedback: a block gain persists, and a varying one continues. Otherwise every round is a
    transmission of its own with independent fading."""
    feedback_delay: int = 0
    """Channel uses from the end of a round to the end of its feedback, at least 0."""
    feedback_error: float | tuple[float, float] = 0.0
    """Probability that ACK is read as NACK and vice versa, or one probability for each, in this
    order."""
    feedback_uses: int = 0
    """Channel uses of one feedback message, at least 0."""

    def __post_init__(self) -> None:
        for name, least in (("max_rounds", 1), ("feedback_delay", 0), ("feedback_uses", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
                raise InputError(f"{name} must be a whole number of at least {least}, got {value}")
        if not self.rvs or not set(self.rvs) <= {0, 1, 2, 3}:
            raise InputError(f"rvs must be redundancy versions from 0 to 3, got {self.rvs}")
        errors = self.feedback_errors
        if len(errors) != 2 or not all(isinstance(p, int | float) and 0 <= p <= 1 for p in errors):
            raise InputError(
                f"feedback_error must be one or two probabilities, got {self.feedback_error}"
            )

    @property
    def feedback_errors(self) -> tuple[float, float]:
        """Probabilities that ACK is read as NACK, and that NACK is read as ACK."""
        error = self.feedback_error
        return error if isinstance(error, tuple) else (error, error)

    @property
    def round_rvs(self) -> tuple[int, ...]:
        """Redundancy version of every round."""
        return tuple(self.rvs[i % len(self.rvs)] for i in range(self.max_rounds))


@dataclass(frozen=True)
class HarqResult:
    """The outcome for one packet."""

    data: bytes | None
    """The packet at the receiver; None if it is lost."""
    acknowledged: bool
    """Whether the sender believes that it was delivered."""
    rounds: int
    """Rounds sent, superfluous ones included."""
    sent_uses: int
    """Channel uses of all rounds."""
    feedback_uses: int
    """Channel uses of all feedback."""
    delay: int
    """Channel uses from the first symbol until the receiver has the packet, or until the end of the
    last round if it is lost, including the time spent waiting for feedback."""

    @property
    def uses(self) -> int:
        """All channel uses that the packet took."""
        return self.sent_uses + self.feedback_uses


@dataclass(frozen=True, eq=False)
class HarqTrace:
    """The outcome for N packets of one size."""

    bits: NDArray[np.uint8]
    """Received bits, uint8 (N, 8·num_bytes); meaningless where a packet is lost."""
    rounds: NDArray[np.int64]
    """Rounds sent, superfluous ones included, (N,)."""
    delivered_in: NDArray[np.int64]
    """Round, counted from 1, after which the receiver had the packet; 0 if never, (N,)."""
    acknowledged: NDArray[np.bool_]
    """Whether the sender believes that the packet was delivered, (N,)."""


def send_harq(
    data: bytes,
    scheme: Scheme,
    channel: Channel,
    noise_var: float,
    rng: torch.Generator,
    *,
    options: Harq = Harq(),
) -> HarqResult:
    """Send one packet until the sender believes that it arrived.

    Parameters
    ----------
    data
        The packet, at least one byte.
    scheme
        Modulation and code rate of every round.
    channel
        The channel that carries the rounds.
    noise_var
        Total variance N0 of the complex noise, at least 0.
    rng
        Source of fading, noise and feedback errors.
    options
        Rounds, versions and feedback.

    Raises
    ------
    ValueError
        No data, or noise that the channel refuses.

    Examples
    --------
    >>> from channels.models.awgn import Awgn
    >>> rng = torch.Generator().manual_seed(0)
    >>> result = send_harq(b"semantic", Scheme(2, 0.6), Awgn(), 1.0, rng)  # 1.2 bits/use at 0 dB
    >>> result.data, result.rounds, result.uses
    (b'semantic', 2, 148)
    """
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))[None]
    trace = send_harq_batch(bits, scheme, channel, noise_var, rng, options=options)
    rounds, delivered_in = int(trace.rounds[0]), int(trace.delivered_in[0])
    per_round = num_uses(channel, num_packet_symbols(len(data), scheme))
    waited = (delivered_in or rounds) - 1
    return HarqResult(
        np.packbits(trace.bits[0]).tobytes() if delivered_in else None,
        bool(trace.acknowledged[0]),
        rounds,
        rounds * per_round,
        rounds * options.feedback_uses,
        per_round + waited * (per_round + options.feedback_delay),
    )


def send_harq_batch(
    bits: NDArray[np.uint8],
    scheme: Scheme,
    channel: Channel,
    noise_var: float,
    rng: torch.Generator,
    *,
    options: Harq = Harq(),
) -> HarqTrace:
    """Send many packets of one size independently of each other.

    The channel carries all rounds of all packets, needed or not. Options of the receiver and the
    feedback therefore change neither fading nor noise, and comparisons are paired. Memory grows
    with N·max_rounds, so large numbers of packets are better sent in several batches.

    Parameters
    ----------
    bits
        Packets, uint8 0 or 1, (N, 8·num_bytes), N at least 1.
    scheme, channel, noise_var, rng, options
        As for :func:`send_harq`.
    """
    code = packet_code(bits.shape[-1] // 8, scheme)
    rvs = options.round_rvs
    received = _transmit(bits, scheme, channel, noise_var, rng, options)
    misread = torch.rand(len(bits), len(rvs), generator=rng, dtype=torch.float64).numpy()
    ack_as_nack, nack_as_ack = options.feedback_errors

    arrived = np.zeros_like(bits)
    rounds = np.zeros(len(bits), dtype=np.int64)
    delivered_in = np.zeros(len(bits), dtype=np.int64)
    sending = np.ones(len(bits), dtype=np.bool_)
    for last in range(len(rvs)):
        rounds += sending
        waiting = np.flatnonzero(sending & (delivered_in == 0))
        first = 0 if options.combining else last
        if waiting.size:
            some = (one[waiting, first : last + 1] for one in received)
            part = type(received)(*some)
            llr = soft_bits(part, scheme).reshape(len(waiting), -1)
            decoded, ok = code.decode_batch(llr, rvs=rvs[first : last + 1])
            arrived[waiting[ok]] = decoded[ok]
            delivered_in[waiting[ok]] = last + 1
        read_as_nack = np.where(
            delivered_in > 0, misread[:, last] < ack_as_nack, misread[:, last] >= nack_as_ack
        )
        sending &= read_as_nack
    return HarqTrace(arrived, rounds, delivered_in, ~sending)


def _transmit(
    bits: NDArray[np.uint8],
    scheme: Scheme,
    channel: Channel,
    noise_var: float,
    rng: torch.Generator,
    options: Harq,
) -> ChannelOutput:
    """Send all rounds of all packets; the output has shape (N, rounds, symbols)."""
    rvs = options.round_rvs
    versions = {rv: encode_bits(bits, scheme, rv=rv) for rv in dict.fromkeys(rvs)}
    x = torch.stack([versions[rv] for rv in rvs], dim=1)
    if not options.continuous:
        received = send_over(channel, x, noise_var, rng)
        shape = received.y.shape
        return received._replace(
            h=received.h.expand(shape), noise_var=received.noise_var.expand(shape)
        )
    num_symbols = x.shape[-1]
    period = max_symbols(channel, num_uses(channel, num_symbols) + options.feedback_delay)
    silence = x.new_zeros((*x.shape[:-1], period - num_symbols))
    air = torch.cat([x, silence], dim=-1).flatten(1)
    received = send_over(channel, air, noise_var, rng)

    def cut(one: Tensor) -> Tensor:
        return one.expand(air.shape).reshape(len(air), len(rvs), period)[..., :num_symbols]

    return type(received)(*map(cut, received))
